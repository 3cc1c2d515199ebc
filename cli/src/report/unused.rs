//! What the policy grants and nobody in the log made use of.

use std::collections::BTreeSet;

use serde::Serialize;

use super::lens::Lens;
use super::tally::Tally;

/// What nobody made use of.
#[derive(Debug, Serialize)]
pub(crate) struct Unused {
    /// Rules that no request found.
    pub(crate) rules: Vec<String>,
    /// Permissions that no allowed request needed, by the role that grants them.
    pub(crate) permissions: Vec<Grant>,
    /// Roles that no allowed caller had, nor one that inherits from them.
    pub(crate) roles: Vec<String>,
    /// Why some permissions are taken for used although the log does not show it.
    pub(crate) untold: Vec<String>,
}

/// A permission of a role.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Grant {
    /// The role that has it by itself.
    pub(crate) role: String,
    /// The permission as it is written.
    pub(crate) permission: String,
    /// What of it was needed: nothing, or less than it grants.
    pub(crate) used: Vec<String>,
}

impl Unused {
    /// Compares a log with the policy that decided in it.
    pub(crate) fn of(tally: &Tally, lens: &Lens) -> Self {
        let never = lens
            .rules
            .iter()
            .filter(|rule| !rule.is_ambiguous && tally.rules.get(&rule.name).is_none());
        let use_of = Use::of(tally, lens);
        let roles = lens.roles.keys().filter(|role| !use_of.is_seen(role, lens)).cloned();
        Self {
            rules: never.map(|rule| rule.name.clone()).collect(),
            permissions: lens.roles.keys().flat_map(|role| use_of.spare(role, lens)).collect(),
            roles: roles.collect(),
            untold: untold(tally, lens),
        }
    }
}

/// Which role was needed for which permission.
struct Use<'t> {
    /// Roles of allowed callers, each with a permission that their rule asks for and they grant.
    needed: BTreeSet<(&'t str, &'t str)>,
    /// Roles of allowed callers.
    seen: BTreeSet<&'t str>,
}

impl<'t> Use<'t> {
    fn of(tally: &'t Tally, lens: &'t Lens) -> Self {
        let (mut needed, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for rule in &lens.rules {
            let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
            rule.authorize.iter().for_each(|c| c.permissions(&mut wanted, &mut unwanted));
            rule.deny.iter().for_each(|c| c.permissions(&mut unwanted, &mut wanted));
            // In a `deny` or within `not` anything may matter.
            let frozen =
                if rule.deny.is_some() { [wanted.clone(), unwanted].concat() } else { unwanted };
            let tally = tally.rules.get(&rule.name);
            let is_told = !rule.is_ambiguous && tally.is_none_or(|tally| tally.unexplained == 0);
            let frozen = if is_told { frozen } else { [frozen, wanted.clone()].concat() };
            let everyone = lens.roles.keys().map(String::as_str);
            credit(&mut needed, everyone, &frozen, lens);
            let held: Vec<&str> =
                tally.into_iter().flat_map(|tally| &tally.held).map(|r| &**r).collect();
            credit(&mut needed, held.iter().copied(), &wanted, lens);
            seen.extend(held);
        }
        Self { needed, seen }
    }

    /// A role and those that inherit from it, at whatever distance.
    fn heirs<'l>(role: &'l str, lens: &'l Lens) -> BTreeSet<&'l str> {
        let mut heirs = BTreeSet::from([role]);
        loop {
            let before = heirs.len();
            for (name, view) in &lens.roles {
                if view.inherits.iter().any(|parent| heirs.contains(parent.as_str())) {
                    heirs.insert(name);
                }
            }
            if heirs.len() == before {
                return heirs;
            }
        }
    }

    fn is_seen(&self, role: &str, lens: &Lens) -> bool {
        Self::heirs(role, lens).iter().any(|heir| self.seen.contains(heir))
    }

    /// What a role grants by itself and was not needed.
    fn spare(&self, role: &str, lens: &Lens) -> Vec<Grant> {
        let heirs = Self::heirs(role, lens);
        let needed = self.needed.iter().filter(|(holder, _)| heirs.contains(holder));
        let needed: BTreeSet<&str> = needed.map(|(_, permission)| *permission).collect();
        let own = lens.roles.get(role).into_iter().flat_map(|view| &view.permissions);
        own.filter_map(|permission| {
            let covered = needed.iter().filter(|wanted| covers(permission, wanted));
            let used: Vec<String> = covered.map(|wanted| (*wanted).to_owned()).collect();
            let is_whole = used.iter().any(|used| used == permission);
            (!is_whole).then(|| Grant {
                role: role.to_owned(),
                permission: permission.clone(),
                used,
            })
        })
        .collect()
    }
}

fn credit<'t>(
    needed: &mut BTreeSet<(&'t str, &'t str)>,
    roles: impl Iterator<Item = &'t str>,
    permissions: &[&'t str],
    lens: &Lens,
) {
    for role in roles {
        let granted = permissions.iter().filter(|permission| lens.grants(&[role], permission));
        needed.extend(granted.map(|permission| (role, *permission)));
    }
}

/// Whether a permission of a role grants this one, as the core has it.
fn covers(granted: &str, wanted: &str) -> bool {
    let role = [("r".to_owned(), (Vec::new(), vec![granted.to_owned()]))];
    let table = jwt_gate::policy::roles::RoleTable::build(&role.into_iter().collect());
    table.is_ok_and(|table| table.grants(&["r"], wanted))
}

fn untold(tally: &Tally, lens: &Lens) -> Vec<String> {
    let rules = lens.rules.iter().filter_map(|rule| Some((rule, tally.rules.get(&rule.name)?)));
    let untold = rules.filter(|(_, tally)| tally.unexplained > 0);
    untold
        .map(|(rule, tally)| {
            format!(
                "rule `{}` allowed {} requests by roles or scopes that the log does not name; \
                 what it asks for counts as used (audit.claims)",
                rule.name, tally.unexplained
            )
        })
        .collect()
}
