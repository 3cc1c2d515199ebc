//! Selectors in PromQL expressions, as far as the rules and the dashboard use them.

/// A metric with conditions on its labels.
#[derive(Debug, PartialEq)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    pub(crate) matchers: Vec<Matcher>,
}

/// A condition on a label.
#[derive(Debug, PartialEq)]
pub(crate) struct Matcher {
    pub(crate) label: String,
    operator: String,
    value: String,
}

impl Matcher {
    /// Whether a label with this value fulfils it. Regular expressions are lists of words.
    pub(crate) fn holds(&self, value: &str) -> bool {
        match self.operator.as_str() {
            "=" => value == self.value,
            "!=" => value != self.value,
            "=~" => self.value.split('|').any(|word| word == value),
            "!~" => !self.value.split('|').any(|word| word == value),
            other => panic!("{other} is no operator"),
        }
    }
}

/// The selectors of our metrics in an expression.
pub(crate) fn selectors(expression: &str) -> Vec<Selector> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find("jwt_gate") {
        let (_, from) = rest.split_at(at);
        let (metric, behind) = from.split_at(from.find(|c| !is_name(c)).unwrap_or(from.len()));
        let inner = behind.strip_prefix('{').and_then(|behind| behind.split_once('}'));
        let (conditions, behind) = inner.unwrap_or(("", behind));
        let matchers = conditions.split(',').filter(|text| !text.is_empty()).map(matcher).collect();
        found.push(Selector { metric: metric.to_owned(), matchers });
        rest = behind;
    }
    found
}

/// The labels by which an expression groups.
pub(crate) fn groupings(expression: &str) -> Vec<&str> {
    let lists = expression.split(" by (").skip(1).filter_map(|rest| rest.split(')').next());
    lists.flat_map(|list| list.split(',')).map(str::trim).collect()
}

fn matcher(text: &str) -> Matcher {
    let at = text.find(['=', '!']).unwrap_or_else(|| panic!("{text} has no operator"));
    let (label, condition) = text.split_at(at);
    let (operator, value) = condition.split_once('"').unwrap();
    let value = value.strip_suffix('"').unwrap();
    Matcher { label: label.to_owned(), operator: operator.to_owned(), value: value.to_owned() }
}

#[test]
fn selectors_and_groupings_are_found() {
    let expression = r#"sum by (a, le) (rate(jwt_gate_x[5m])) / max by (b) (jwt_gate:y{c=~"1|2",d!="3"} offset 1d)"#;
    let found = selectors(expression);
    let names: Vec<_> = found.iter().map(|selector| selector.metric.as_str()).collect();
    assert_eq!(names, ["jwt_gate_x", "jwt_gate:y"]);
    assert_eq!(groupings(expression), ["a", "le", "b"]);
    let last = found.last().unwrap();
    let holds = |value: &str| last.matchers.iter().map(|m| m.holds(value)).collect::<Vec<_>>();
    assert_eq!((holds("2"), holds("3")), (vec![true, true], vec![false, false]));
}
