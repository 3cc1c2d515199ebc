//! From NGINX Plus: `auth_jwt` and its kin, by server and location.

mod parse;
mod settings;
mod variable;

use std::path::Path;

use serde_json::{Map, Value, json};

use super::notes::Notes;
use super::provider::{all_of, never, object, some_list, some_texts};
use super::source::Source;
use parse::{Directive, parse};
use settings::Settings;
use variable::{Variables, whole};

/// What NGINX matches a location with, in the order in which the rules are looked at.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Exact,
    Final,
    Expression,
    Prefix,
}

/// A location with all that it inherits.
struct Location {
    kind: Kind,
    path: String,
    ignores_case: bool,
    settings: Settings,
    is_internal: bool,
    place: String,
}

/// Makes a policy of these files.
pub(crate) fn migrate(sources: &[Source], notes: &mut Notes) -> Value {
    let folder = sources.first().map_or(Path::new("."), Source::folder);
    let mut all = Vec::new();
    for source in sources {
        match parse(&source.text) {
            Ok(directives) => all.extend(directives),
            Err(line) => notes.fault(
                &format!("line {line}"),
                "is no configuration of NGINX, nor of another gateway known here",
            ),
        }
    }
    let http: Vec<Directive> = match all.iter().find(|directive| directive.name == "http") {
        Some(http) => http.block.clone(),
        None => all.clone(),
    };
    let settings = Settings::default().within(&http, notes);
    let variables = Variables::of(&all);
    let mut servers: Vec<(Vec<String>, Vec<Location>)> = Vec::new();
    for server in http.iter().filter(|directive| directive.name == "server") {
        if !is_redirect(server, notes) {
            servers.push((hosts(server, notes), locations_of_server(server, &settings, notes)));
        }
    }
    told_apart(&servers, notes);
    // The closest name first: exact ones, then those with a star, then servers for all names.
    servers
        .sort_by_key(|(hosts, _)| (hosts.is_empty(), hosts.iter().any(|host| host.contains('*'))));
    let (mut providers, mut rules) = (Map::new(), Vec::new());
    // What is closed to all needs a provider, too, and may come first.
    for location in
        servers.iter().flat_map(|(_, locations)| locations).filter(|l| l.settings.asks())
    {
        location.settings.provider(&all, &variables, folder, &mut providers, notes);
    }
    for (hosts, locations) in &servers {
        for location in locations {
            rules.extend(rule(location, hosts, &all, &variables, folder, &mut providers, notes));
        }
    }
    if rules.is_empty() && !notes.has_faults() {
        notes.fault("", "there is no server in it");
    }
    object([("providers", Value::Object(providers)), ("rules", some_list(rules))])
}

/// Whether a server answers every request by itself: nobody is let pass, so no rule is needed.
fn is_redirect(server: &Directive, notes: &mut Notes) -> bool {
    let returns = server.block.iter().any(|directive| directive.name == "return");
    if returns {
        notes.dropped(&server.place(), "returns by itself: what only it would answer is refused");
    }
    returns
}

/// Servers of one name differ in their ports, which a rule does not see.
fn told_apart(servers: &[(Vec<String>, Vec<Location>)], notes: &mut Notes) {
    for (at, (hosts, _)) in servers.iter().enumerate() {
        let earlier = servers.iter().take(at);
        let shares = |(others, _): &(Vec<String>, Vec<Location>)| {
            hosts.is_empty() && others.is_empty() || others.iter().any(|host| hosts.contains(host))
        };
        if earlier.into_iter().any(shares) {
            let name = hosts.first().map_or("_", String::as_str);
            notes.fault(
                &format!("server_name {name}"),
                "is the name of several servers; give one of them at a time",
            );
        }
    }
}

/// The names of a server; none: it is for all.
fn hosts(server: &Directive, notes: &mut Notes) -> Vec<String> {
    let names = server.block.iter().filter(|directive| directive.name == "server_name");
    let mut hosts = Vec::new();
    for name in names.flat_map(|directive| &directive.arguments) {
        match name.as_str() {
            "_" | "" => {}
            name if name.starts_with('~') || name.ends_with(".*") => {
                notes.fault(
                    &server.place(),
                    format!(
                        "server_name {name} cannot be said: hosts are exact or `*.example.org`"
                    ),
                );
            }
            name => match name.strip_prefix('.') {
                Some(rest) => hosts.extend([rest.to_owned(), format!("*.{rest}")]),
                None => hosts.push(name.to_owned()),
            },
        }
    }
    hosts
}

/// The locations of a server in the order in which they are looked at, and all else below `/`.
fn locations_of_server(
    server: &Directive,
    settings: &Settings,
    notes: &mut Notes,
) -> Vec<Location> {
    let settings = settings.within(&server.block, notes);
    let mut found = Vec::new();
    locations(&server.block, &settings, false, &mut found, notes);
    if !found.iter().any(|location| location.kind != Kind::Expression && location.path == "/") {
        let (path, place) = ("/".to_owned(), server.place());
        found.push(Location {
            kind: Kind::Prefix,
            path,
            ignores_case: false,
            settings,
            is_internal: false,
            place,
        });
    }
    let has_expressions = found.iter().any(|location| location.kind == Kind::Expression);
    for location in found.iter().filter(|location| location.kind == Kind::Prefix && has_expressions)
    {
        let finals = found.iter().filter(|other| other.kind == Kind::Final);
        if finals.into_iter().any(|other| location.path.starts_with(&other.path)) {
            let why = "lies within a location with `^~`, where expressions count again: rules in an order cannot say that";
            notes.fault(&location.place, why);
        }
    }
    // Expressions keep the order in which they stand.
    found.sort_by_key(|location| {
        let length = if location.kind == Kind::Expression { 0 } else { location.path.len() };
        (location.kind, std::cmp::Reverse(length))
    });
    found
}

fn locations(
    block: &[Directive],
    settings: &Settings,
    is_nested: bool,
    found: &mut Vec<Location>,
    notes: &mut Notes,
) {
    for directive in block.iter().filter(|directive| directive.name == "location") {
        let (kind, path) = match (directive.argument(0), directive.argument(1)) {
            ("=", path) => (Kind::Exact, path),
            ("^~", path) => (Kind::Final, path),
            ("~" | "~*", path) => (Kind::Expression, path),
            (path, "") => (Kind::Prefix, path),
            _ => {
                notes.fault(&directive.place(), "is not understood");
                continue;
            }
        };
        if path.starts_with('@') {
            continue;
        }
        if kind == Kind::Expression && is_nested {
            notes.fault(
                &directive.place(),
                "an expression within a location cannot be said by rules in an order",
            );
        }
        let settings = settings.within(&directive.block, notes);
        locations(&directive.block, &settings, true, found, notes);
        found.push(Location {
            kind,
            path: path.to_owned(),
            ignores_case: directive.argument(0) == "~*",
            settings,
            is_internal: directive.block.iter().any(|inner| inner.name == "internal"),
            place: directive.place(),
        });
    }
}

fn rule(
    location: &Location,
    hosts: &[String],
    all: &[Directive],
    variables: &Variables,
    folder: &Path,
    providers: &mut Map<String, Value>,
    notes: &mut Notes,
) -> Option<Value> {
    let (name, path) = match location.kind {
        Kind::Exact => ("path", location.path.clone()),
        Kind::Final | Kind::Prefix => ("prefix", location.path.clone()),
        Kind::Expression => match whole(&location.path, location.ignores_case) {
            Some(expression) => ("safe_regex", expression),
            None => {
                notes.fault(&location.place, "an expression whose alternatives have anchors of their own; put them in a group");
                return None;
            }
        },
    };
    let matcher = object([(name, Value::from(path)), ("hosts", some_texts(hosts))]);
    if location.is_internal {
        // No request from outside gets there.
        let Some(provider) = providers.keys().next().cloned() else {
            notes.differs(&location.place, "`internal`: is left to NGINX");
            return None;
        };
        return Some(
            json!({ "match": matcher, "requires": { "provider_name": provider }, "authorize": never() }),
        );
    }
    if !location.settings.asks() {
        return Some(json!({ "match": matcher }));
    }
    let provider = location.settings.provider(all, variables, folder, providers, notes);
    let conditions = location.settings.authorize(variables, notes);
    Some(object([
        ("match", matcher),
        ("requires", json!({ "provider_name": provider })),
        ("authorize", all_of(conditions).unwrap_or_default()),
    ]))
}
