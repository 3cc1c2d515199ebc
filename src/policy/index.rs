//! Which rules a path may fall under: a look-up whose cost is the path's length, not the number of
//! rules.
//!
//! Each rule's path begins with some literal text, perhaps none. A radix tree over these texts
//! yields the rules whose text the path begins with; only they are looked at, in their order.
//! Letters are folded on both sides, so that a rule without case is found as well; whether the
//! rule really matches is for the rule to say.

use crate::policy::rule::{PathMatch, Rule};

/// The index over the rules of a policy.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {
    root: Node,
    by_query: bool,
    by_host: bool,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// What the path has to go on with to come here.
    label: Box<[u8]>,
    /// Rules whose literal text ends here, ascending.
    rules: Vec<usize>,
    /// Nodes below, by the first byte of their labels.
    below: Vec<Self>,
}

impl RuleIndex {
    /// An index over `rules`.
    pub fn new(rules: &[Rule]) -> Self {
        let mut root = Node::default();
        for (i, rule) in rules.iter().enumerate() {
            root.insert(&literal(&rule.matcher.path).to_ascii_lowercase(), i);
        }
        let by_query = rules.iter().any(|rule| !rule.matcher.query.is_empty());
        let by_host = rules.iter().any(|rule| !rule.matcher.hosts.is_empty());
        Self { root, by_query, by_host }
    }

    /// Whether some rule depends on the host.
    pub const fn is_by_host(&self) -> bool {
        self.by_host
    }

    /// Whether some rule depends on the query.
    pub const fn is_by_query(&self) -> bool {
        self.by_query
    }

    /// The rules that `path` may fall under, ascending. Nothing is collected: mostly the first or
    /// the second is the one, and each further one costs another walk along the path.
    pub fn candidates<'i>(&'i self, path: &'i [u8]) -> impl Iterator<Item = usize> + 'i {
        let mut from = Some(0);
        std::iter::from_fn(move || {
            let next = self.root.next(path, from?)?;
            from = next.checked_add(1);
            Some(next)
        })
    }
}

impl Node {
    /// The first rule from number `from` on whose text `path` begins with.
    fn next(&self, path: &[u8], from: usize) -> Option<usize> {
        let (mut node, mut rest) = (self, path);
        let mut least = node.first(from);
        while let Some((below, left)) = node.step(rest) {
            (node, rest) = (below, left);
            least = node.first(from).into_iter().chain(least).min();
        }
        least
    }

    /// The first rule here from number `from` on.
    fn first(&self, from: usize) -> Option<usize> {
        self.rules.get(self.rules.partition_point(|rule| *rule < from)).copied()
    }

    /// The node below that the path goes on to, and what is left of the path there.
    fn step<'p>(&self, rest: &'p [u8]) -> Option<(&Self, &'p [u8])> {
        let below = self.below.get(self.place(rest.first()?.to_ascii_lowercase()).ok()?)?;
        let (head, left) = rest.split_at_checked(below.label.len())?;
        head.eq_ignore_ascii_case(&below.label).then_some((below, left))
    }

    fn place(&self, first: u8) -> Result<usize, usize> {
        self.below.binary_search_by_key(&Some(&first), |node| node.label.first())
    }

    fn insert(&mut self, text: &[u8], rule: usize) {
        let Some(first) = text.first() else {
            self.rules.push(rule);
            return;
        };
        match self.place(*first) {
            Err(at) => {
                let leaf = Self { label: text.into(), rules: vec![rule], below: Vec::new() };
                self.below.insert(at, leaf);
            }
            Ok(at) => {
                let Some(child) = self.below.get_mut(at) else { return };
                let shared = child.label.iter().zip(text).take_while(|(a, b)| a == b).count();
                child.split(shared);
                child.insert(text.get(shared..).unwrap_or_default(), rule);
            }
        }
    }

    /// Cuts the label after `at` bytes; what follows becomes a node below.
    fn split(&mut self, at: usize) {
        let Some((head, tail)) = self.label.split_at_checked(at).filter(|(_, t)| !t.is_empty())
        else {
            return;
        };
        let (head, tail) = (head.into(), tail.into());
        let lower = Self {
            label: tail,
            rules: std::mem::take(&mut self.rules),
            below: std::mem::take(&mut self.below),
        };
        *self = Self { label: head, rules: Vec::new(), below: vec![lower] };
    }
}

/// The literal text that every path of this kind begins with.
pub fn literal(path: &PathMatch) -> &[u8] {
    match path {
        PathMatch::Prefix(text) | PathMatch::Exact(text) | PathMatch::SeparatedPrefix(text) => text,
        PathMatch::Template(template) => template.literal(),
        PathMatch::Regex(_) | PathMatch::Connect => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::rule::RouteMatch;

    fn rule(prefix: &str) -> Rule {
        Rule {
            name: "".into(),
            matcher: RouteMatch {
                path: PathMatch::Prefix(prefix.as_bytes().into()),
                text: prefix.into(),
                ignore_case: false,
                methods: Box::default(),
                hosts: Box::default(),
                headers: Box::default(),
                query: Box::default(),
            },
            requires: None,
            deny: None,
            authorize: None,
            shadow: false,
        }
    }

    #[test]
    fn the_candidates_are_those_whose_text_the_path_begins_with() {
        let texts = ["/a/b", "/", "/a", "/ab", "/a/bc", "", "/A/B", "/b", "/a/b"];
        let rules: Vec<_> = texts.iter().map(|text| rule(text)).collect();
        let index = RuleIndex::new(&rules);
        for path in ["/a/b/c", "/a/bcd", "/ab", "/A/b", "/c", "", "a", "/", "/a/"] {
            let folded = path.to_ascii_lowercase();
            let begins = |text: &str| folded.starts_with(&text.to_ascii_lowercase());
            let expected: Vec<usize> =
                (0..texts.len()).filter(|i| begins(texts.get(*i).unwrap())).collect();
            assert_eq!(index.candidates(path.as_bytes()).collect::<Vec<_>>(), expected, "{path}");
        }
    }
}
