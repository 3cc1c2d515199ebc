//! How likely what is. Plain things are, and odd ones come one or two at a time.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use super::Play;
use super::ask::{Ask, Place, Twist};
use super::config::{Config, KeySet, Matcher, Provider, Rule, Told};
use super::need::Need;
use super::token::Token;
use tokens::tokens;

mod tokens;

const AUDIENCES: [&[&str]; 4] = [&[], &["api"], &["https://api/", "second"], &["other"]];

/// A configuration with so many requests.
pub(super) fn play(asks: usize) -> impl Strategy<Value = Play> {
    let again = weighted(0.25, Just(()));
    (config(), vec((ask(), again), 1..=asks)).prop_map(|(config, asks)| {
        let mut asks = with_tokens_again(asks);
        let needs = || config.rules.iter().filter_map(|rule| rule.needs.as_ref());
        // Of several tokens the native filter lets the last one decide under `allow_missing`.
        let alone = needs().any(|need| need.has(|need| matches!(need, Need::Optional)));
        let shared = config.providers.iter().any(|provider| !provider.own_places);
        // Of a token whose provider it cannot tell, it tells under the name of another token's.
        let whatever = needs().any(|need| need.has(|need| matches!(need, Need::Whatever)));
        let of_another = whatever && config.providers.iter().any(|provider| provider.told.status);
        for ask in &mut asks {
            // Two tokens of one provider are refused by ours alone.
            let differ =
                ask.tokens.windows(2).any(|pair| matches!(pair, [(_, a), (_, b)] if a != b));
            if alone || of_another || shared && differ {
                ask.tokens.truncate(1);
            }
            // Envoy joins two lines of `authorization`, and what stands behind another scheme is no
            // token only to ours.
            let mut joined: Vec<&mut Place> = ask
                .tokens
                .iter_mut()
                .map(|(place, _)| place)
                .filter(|p| p.is_joined(&config))
                .collect();
            if joined.len() > 1 {
                joined.iter_mut().for_each(|place| place.name_the_scheme());
            }
        }
        Play { config, asks }
    })
}

/// The requests; some have the tokens of the one before.
fn with_tokens_again(asks: Vec<(Ask, Option<()>)>) -> Vec<Ask> {
    let mut all = Vec::<Ask>::new();
    for (mut ask, again) in asks {
        if let (Some(()), Some(before)) = (again, all.last()) {
            ask.tokens.clone_from(&before.tokens);
            ask.lines = unlike(ask.lines, &ask.tokens);
        }
        all.push(ask);
    }
    all
}

fn config() -> impl Strategy<Value = Config> {
    let closing = prop_oneof![
        3 => need().prop_map(Some),
        1 => Just(None),
    ];
    let flags = (weighted(0.2, Just(())), weighted(0.15, Just(())), weighted(0.9, Just(())));
    let ways = (weighted(0.25, Just(())), weighted(0.25, Just(())));
    (vec(provider(), 2), vec(rule(), 0..4), weighted(0.8, closing), flags, ways).prop_map(
        |(providers, mut rules, closing, (preflight, strip, open), (http2, structured))| {
            rules.extend(closing.map(|needs| Rule {
                path: Matcher::Prefix("/", true),
                header: None,
                query: None,
                needs,
            }));
            let (preflight, strip) = (preflight.is_some(), strip.is_some());
            let (open, http2, structured) = (open.is_some(), http2.is_some(), structured.is_some());
            comparable(Config { providers, rules, preflight, strip, open, http2, structured })
        },
    )
}

/// Without what the native filter cannot be told in its own words.
fn comparable(mut config: Config) -> Config {
    let needs = |wanted: fn(&Need) -> bool| {
        config.rules.iter().filter_map(|rule| rule.needs.as_ref()).any(|need| need.has(wanted))
    };
    let again = needs(Need::looks_again);
    let all = needs(|need| matches!(need, Need::All(_)));
    let any_issuer = needs(|need| matches!(need, Need::Optional | Need::Whatever));
    for provider in &mut config.providers {
        // It takes back what it told the upstream.
        if again {
            (provider.claims, provider.payload) = (false, None);
        }
        // It takes out a token before the next requirement looks.
        provider.forward |= all;
        // Which provider a token is of where any issuer is taken, both tell in their own way.
        provider.issuer |= any_issuer;
    }
    config
}

fn provider() -> impl Strategy<Value = Provider> {
    let checks = (
        weighted(0.85, Just(())),
        select(&AUDIENCES[..]),
        weighted(0.2, select(&["al", "", "bob"][..])),
        weighted(0.8, any::<bool>()),
        weighted(0.1, Just(())),
        weighted(0.2, select(&[1_u32, 300][..])),
    );
    let keys = prop_oneof![
        4 => Just(KeySet::One),
        3 => Just(KeySet::Several),
        1 => Just(KeySet::WithoutKid),
        1 => Just(KeySet::ForOneAlgorithm),
    ];
    let remote = (weighted(0.25, Just(())), weighted(0.2, Just(())));
    let outputs = (
        any::<bool>(),
        weighted(0.3, Just(())),
        weighted(0.4, any::<bool>()),
        weighted(0.5, Just(())),
    );
    let told = || weighted(0.2, Just(()));
    let told = (told(), told(), told(), weighted(0.5, Just(())));
    (checks, keys, remote, outputs, told).prop_map(
        |(checks, keys, (remote, cache), outputs, told)| Provider {
            issuer: checks.0.is_some(),
            audiences: checks.1,
            subjects: checks.2.filter(|prefix| !prefix.is_empty()),
            expiration: checks.3,
            lifetime: checks.4.is_some(),
            skew: checks.5,
            keys,
            own_places: outputs.0,
            forward: outputs.1.is_some(),
            payload: outputs.2,
            claims: outputs.3.is_some(),
            remote: remote.is_some(),
            told: Told {
                payload: told.0.is_some(),
                header: told.1.is_some(),
                status: told.2.is_some(),
                split: told.0.and(told.3).is_some(),
            },
            cache: cache.is_some(),
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    let path = prop_oneof![
        4 => (select(&["/a", "/b", "/a/b", "/C"][..]), any::<bool>())
            .prop_map(|(path, case)| Matcher::Prefix(path, case)),
        2 => (select(&["/a", "/b", "/a/b", "/A"][..]), any::<bool>())
            .prop_map(|(path, case)| Matcher::Path(path, case)),
        2 => select(&["/a", "/a/b"][..]).prop_map(Matcher::Separated),
        1 => select(&["/[ab]", "/a/.*", "/b.?"][..]).prop_map(Matcher::Regex),
    ];
    let header = weighted(0.2, select(&["present", "POST", "not one", "one"][..]));
    let query = weighted(0.15, select(&["bar", "b"][..]));
    (path, header, query, weighted(0.8, need())).prop_map(|(path, header, query, needs)| Rule {
        path,
        header,
        query,
        needs,
    })
}

fn need() -> impl Strategy<Value = Need> {
    let leaf = prop_oneof![
        1 => Just(Need::Nothing),
        8 => (0..2_usize).prop_map(Need::Provider),
        2 => (0..2_usize, select(&AUDIENCES[..])).prop_map(|(i, a)| Need::Audiences(i, a)),
        1 => Just(Need::Optional),
        1 => Just(Need::Whatever),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Need::Any),
            vec(inner, 2..4).prop_map(Need::All),
        ]
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    let line = (
        prop_oneof![6 => Just("GET"), 2 => Just("POST"), 1 => Just("OPTIONS"), 1 => Just("DELETE")],
        select(&["/", "/a", "/a/b", "/b", "/a/bc", "/A", "/ab", "/c", "/a/", "/b/a"][..]),
        prop_oneof![
            30 => Just(Twist::Plain),
            1 => Just(Twist::TwoSlashes),
            1 => Just(Twist::Dot),
            1 => Just(Twist::Dots),
            1 => Just(Twist::Escape),
            1 => Just(Twist::Parameters),
        ],
        prop_oneof![
            18 => Just(""),
            2 => Just("foo=bar"),
            2 => Just("foo=b&x=1"),
            1 => Just("foo=Bar"),
            1 => Just("foo=x&foo=bar"),
            1 => Just("foo=bar&foo=x"),
        ],
        prop_oneof![9 => Just(""), 1 => Just("z=1")],
    );
    let lines = vec(
        select(
            &[
                "x-h: one",
                "x-h: two",
                "x-h: One",
                "x-user: me",
                "x-sub-a: root",
                "x-payload-b: spoofed",
                "x_sub_a: root",
                "content-type: application/grpc",
                "origin: https://o.example",
                "access-control-request-method: PUT",
                "authorization: Basic eDp5",
                "authorization: Bearer",
                "cookie: other=1",
            ][..],
        ),
        0..3,
    );
    let twice = weighted(0.1, select(&[["x-h: one", "x-h: two"], ["x-h: two", "x-h: one"]][..]));
    let asked = (line, lines, twice, tokens());
    asked.prop_map(|((method, path, twist, query, tail), mut lines, twice, tokens)| {
        lines.extend(twice.into_iter().flatten());
        let lines = unlike(lines, &tokens);
        Ask { method, path, twist, query, tail, lines, tokens }
    })
}

/// No header twice that Envoy joins into one: which of them came first, it does not say.
fn unlike(lines: Vec<&'static str>, tokens: &[(Place, Token)]) -> Vec<&'static str> {
    let header = |place: &Place| matches!(place, Place::Header(..));
    let cookie = |place: &Place| matches!(place, Place::Cookie(..));
    let mut kept: Vec<&'static str> = Vec::new();
    for line in lines {
        let name = line.split(':').next().unwrap_or_default();
        let taken = name == "authorization" && tokens.iter().any(|(place, _)| header(place))
            || name == "cookie" && tokens.iter().any(|(place, _)| cookie(place));
        let again = name != "x-h" && kept.iter().any(|other| other.starts_with(name));
        if !taken && !again {
            kept.push(line);
        }
    }
    kept
}
