//! The page that is made from the lists, and the summary in `SECURITY.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use super::{Row, Rows, Strength, root, rows};

/// The parts of the demands, by letter.
const PARTS: [(&str, &str); 6] = [
    ("J", "Form of a token"),
    ("E", "Encrypted tokens"),
    ("K", "Keys and signatures"),
    ("C", "Claims"),
    ("P", "Profiles, tokens bound to a sender"),
    ("H", "HTTP"),
];

/// The parts of the attacks, by their first number.
const CHAPTERS: [(usize, &str); 8] = [
    (1, "Algorithm and choice of the key"),
    (20, "Signatures"),
    (40, "Encoding and JSON"),
    (60, "Where the token is"),
    (70, "Path, method, host"),
    (90, "Headers, in and out"),
    (100, "Fetching keys"),
    (110, "What is remembered, and for how long"),
];

const HEAD: &str = "# Conformance

What standards demand of a server that takes tokens, what attackers did to others, and what shows how each fares here.
A text in quotes is a scenario (`tests/scenarios`, `filter-config`), which runs in the core, in the module in a test host and in Envoy; `file::function` is a test.
This page is made from `tests/standards/*.toml` by `STANDARDS=write cargo test --test standards`, and a test holds it to them.
";

/// Where the summary stands in `SECURITY.md`.
const MARKS: [&str; 2] = ["<!-- summary of tests/standards -->\n", "<!-- end of the summary -->"];

impl Strength {
    const ALL: [Self; 3] = [Self::Must, Self::Should, Self::Ours];

    const fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Ours => "left open",
        }
    }
}

/// What shows it, in a cell of a table.
fn shown(row: &Row) -> String {
    if let Some(why) = &row.not_here {
        return format!("not here: {why}");
    }
    let cell = |shown: &String| {
        if shown.contains("::") { format!("`{shown}`") } else { format!("\"{shown}\"") }
    };
    let mut cells: Vec<_> = row.shown.iter().map(cell).collect();
    cells.extend(row.levels.iter().map(|why| format!("({why})")));
    cells.join("; ")
}

fn page(demands: &Rows, attacks: &Rows) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Standards\n");
    for (letter, title) in PARTS {
        write!(
            page,
            "\n### {title}\n| | demand | where | level | shown by |\n|---|---|---|---|---|\n"
        )
        .unwrap();
        for (id, row) in demands.iter().filter(|(id, _)| id.0 == letter) {
            let [says, of] = [&row.says, &row.of].map(|text| text.as_deref().unwrap());
            let level = row.level.unwrap().word();
            writeln!(page, "| {id} | {says} | {of} | {level} | {} |", shown(row)).unwrap();
        }
    }
    page.push_str("\n## Attacks\n");
    for (at, (first, title)) in CHAPTERS.into_iter().enumerate() {
        let next = CHAPTERS.get(at + 1).map_or(usize::MAX, |(next, _)| *next);
        write!(page, "\n### {title}\n| | attack | known from | shown by |\n|---|---|---|---|\n")
            .unwrap();
        for (id, row) in attacks.iter().filter(|(id, _)| (first..next).contains(&id.1)) {
            let attack = row.attack.as_deref().unwrap();
            writeln!(page, "| {id} | {attack} | {} | {} |", row.known.join(", "), shown(row))
                .unwrap();
        }
    }
    page
}

fn summary(demands: &Rows, attacks: &Rows) -> String {
    let mut text =
        "| demands of standards | MUST | SHOULD | left open | not here |\n|---|---|---|---|---|\n"
            .to_owned();
    for (letter, title) in PARTS {
        let part = || demands.iter().filter(|(id, _)| id.0 == letter).map(|(_, row)| row);
        let of = |level| part().filter(|r| r.level == Some(level) && r.not_here.is_none()).count();
        let [must, should, ours] = Strength::ALL.map(of);
        let not_here = part().filter(|row| row.not_here.is_some()).count();
        writeln!(text, "| {title} | {must} | {should} | {ours} | {not_here} |").unwrap();
    }
    let advisories: BTreeSet<_> = attacks.values().flat_map(|row| &row.known).collect();
    let here = attacks.values().filter(|row| row.not_here.is_none()).count();
    let named: BTreeSet<_> =
        demands.values().chain(attacks.values()).flat_map(|row| &row.shown).collect();
    let (tests, named): (Vec<_>, Vec<_>) = named.into_iter().partition(|n| n.contains("::"));
    writeln!(
        text,
        "\nOf {} kinds of attack, from {} advisories about others, {here} have something to attack here, and each names what shows that it fails.\n\
         All of it is shown by {} scenarios and {} other tests; [docs/conformance.md](docs/conformance.md) has the rows.",
        attacks.len(),
        advisories.len(),
        named.len(),
        tests.len()
    )
    .unwrap();
    text
}

/// Compares a file with what it should be, or writes it.
fn hold(file: &str, expected: &str) {
    let path = root().join(file);
    if std::env::var("STANDARDS").as_deref() == Ok("write") {
        fs::write(&path, expected).unwrap();
        return;
    }
    let current = fs::read_to_string(&path).unwrap_or_default() == expected;
    assert!(current, "{file} is not current: STANDARDS=write cargo test --test standards");
}

#[test]
fn the_pages_are_made_from_the_lists() {
    let (demands, attacks) = (rows("requirements.toml"), rows("attacks.toml"));
    hold("docs/conformance.md", &page(&demands, &attacks));
    let security = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let (head, rest) = security.split_once(MARKS[0]).unwrap();
    let (_, tail) = rest.split_once(MARKS[1]).unwrap();
    let summary = summary(&demands, &attacks);
    hold("SECURITY.md", &format!("{head}{}{summary}{}{tail}", MARKS[0], MARKS[1]));
}
