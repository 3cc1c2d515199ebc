//! What roles may do.

use std::collections::{BTreeMap, BTreeSet};

/// Permissions by role, inherited ones included.
#[derive(Clone, Debug, Default)]
pub struct RoleTable(BTreeMap<Box<str>, Box<[Permission]>>);

/// A granted permission: `resource:action`, each perhaps `*`; `*` alone is all.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Permission(Box<str>);

impl Permission {
    fn covers(&self, wanted: &str) -> bool {
        if *self.0 == *"*" || *self.0 == *wanted {
            return true;
        }
        let (mut granted, mut asked) = (self.0.split(':'), wanted.split(':'));
        loop {
            match (granted.next(), asked.next()) {
                (None, None) => return true,
                (Some(g), Some(a)) if g == "*" || g == a => {}
                (Some(_) | None, _) => return false,
            }
        }
    }
}

/// A role as it is written: whom it inherits from, what it may do.
pub type Definition = (Vec<String>, Vec<String>);

impl RoleTable {
    /// Works out what each role may do. The error is a cycle, once for each, from the role whose
    /// name comes first; a role that does not exist grants nothing.
    pub fn build(roles: &BTreeMap<String, Definition>) -> Result<Self, Vec<Vec<String>>> {
        let mut cycles = Vec::new();
        let mut table = BTreeMap::new();
        for name in roles.keys() {
            let mut permissions = BTreeSet::new();
            match collect(roles, name, &mut Vec::new(), &mut permissions) {
                Ok(()) => {
                    table.insert(name.as_str().into(), permissions.into_iter().collect());
                }
                Err(cycle) if cycle.iter().min() == Some(name) && cycle.first() == Some(name) => {
                    cycles.push(cycle);
                }
                Err(_) => {}
            }
        }
        if cycles.is_empty() { Ok(Self(table)) } else { Err(cycles) }
    }

    /// Whether one of `roles` may do `permission`.
    pub fn grants(&self, roles: &[&str], permission: &str) -> bool {
        let granted = roles.iter().filter_map(|role| self.0.get(*role)).flatten();
        granted.into_iter().any(|granted| granted.covers(permission))
    }
}

fn collect<'r>(
    roles: &'r BTreeMap<String, Definition>,
    name: &'r str,
    above: &mut Vec<&'r str>,
    found: &mut BTreeSet<Permission>,
) -> Result<(), Vec<String>> {
    if above.contains(&name) {
        let cycle = above.iter().skip_while(|above| **above != name);
        return Err(cycle.chain([&name]).map(|name| (*name).to_owned()).collect());
    }
    let Some((inherits, permissions)) = roles.get(name) else { return Ok(()) };
    found.extend(permissions.iter().map(|p| Permission(p.as_str().into())));
    above.push(name);
    for parent in inherits {
        collect(roles, parent, above, found)?;
    }
    above.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(roles: &[(&str, &[&str], &[&str])]) -> Result<RoleTable, Vec<Vec<String>>> {
        let owned = |texts: &[&str]| texts.iter().map(|s| (*s).to_owned()).collect();
        let roles = roles.iter().map(|(n, i, p)| ((*n).to_owned(), (owned(i), owned(p))));
        RoleTable::build(&roles.collect())
    }

    #[test]
    fn permissions_are_inherited_and_stars_stand_for_segments() {
        let table = table(&[
            ("clerk", &[], &["orders:read", "items:*"]),
            ("chief", &["clerk"], &["*:approve"]),
            ("root", &[], &["*"]),
        ])
        .unwrap();
        let cases = [
            (&["clerk"][..], "orders:read", true),
            (&["clerk"], "orders:write", false),
            (&["clerk"], "items:write", true),
            (&["clerk"], "items", false),
            (&["clerk"], "items:a:b", false),
            (&["chief"], "orders:read", true),
            (&["chief"], "orders:approve", true),
            (&["root"], "anything:at:all", true),
            (&["nobody"], "orders:read", false),
            (&["nobody", "clerk"], "orders:read", true),
            (&[], "orders:read", false),
        ];
        for (roles, permission, expected) in cases {
            assert_eq!(table.grants(roles, permission), expected, "{roles:?} {permission}");
        }
    }

    #[test]
    fn each_cycle_is_reported_once() {
        let roles: [(&str, &[&str], &[&str]); 4] =
            [("a", &["b"], &[]), ("b", &["a"], &[]), ("c", &["c"], &[]), ("d", &["a"], &[])];
        assert_eq!(table(&roles).unwrap_err(), [vec!["a", "b", "a"], vec!["c", "c"]]);
    }
}
