//! Tokens and where they are, and how likely what is.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::generated::ask::{Escape, Place, Quotes, Scheme};
use crate::generated::token::{Flaw, Token};

/// Claims that are told.
const CLAIMS: [&str; 4] = [
    r#"claims='{"n":7,"l":["x"],"d":{"e":true}}'"#,
    r#"claims='{"n":1.5,"l":[1,2],"d":{"e":""}}'"#,
    r#"claims='{"n":-3,"l":{"k":"v"},"d":{"e":null}}'"#,
    r#"claims='{"scope":" a  b "}'"#,
];

/// What else a token may say, mostly something wrong.
const WORDS: [&str; 35] = [
    "exp=-600",
    "exp=-30",
    "exp=-60",
    "exp=-61",
    "exp=+1200",
    "exp=-",
    "nbf=+600",
    "nbf=+30",
    "nbf=+60",
    "nbf=+61",
    "iss=-",
    "iss=''",
    "iss=https://a.example",
    "iss=https://b.example",
    "iss=https://c.example",
    "aud=-",
    "aud=second",
    "aud=https://api",
    "aud=api/",
    "aud=API",
    "sub=bob",
    "sub=-",
    "kid=-",
    "kid=nobody",
    "alg=HS384",
    "sign=broken",
    "sign=none",
    "typ=at+jwt",
    r#"claims='{"aud":["x","api"]}'"#,
    r#"claims='{"aud":5}'"#,
    r#"claims='{"exp":"soon"}'"#,
    r#"claims='{"nbf":-1}'"#,
    r#"claims='{"sub":7}'"#,
    r#"header='{"kid":7}'"#,
    r#"header='{"alg":"none"}'"#,
];

/// One token, the same at several places, or one for each provider.
pub(super) fn tokens() -> impl Strategy<Value = Vec<(Place, Token)>> {
    let one = (place(), token()).prop_map(|(place, token)| {
        // What the native filter is sent in place of a token is looked for in the path as it is.
        let place = if token.flaw == Flaw::None { place } else { place.unescaped() };
        vec![(place, token)]
    });
    let same = (vec(place(), 2..4), token()).prop_map(|(places, token)| {
        let mut kept: Vec<(Place, Token)> = Vec::new();
        for place in places {
            if !kept.iter().any(|(other, _)| other.is_like(place)) {
                kept.push((place.unescaped(), token.clone()));
            }
        }
        kept
    });
    let each = (place(), token(), place(), token()).prop_map(|(one, a, other, b)| {
        // One flaw a request: what is told of it could be about either.
        let flaw = if a.flaw == Flaw::None { b.flaw } else { Flaw::None };
        vec![(one.of(0).unescaped(), a), (other.of(1).unescaped(), Token { flaw, ..b })]
    });
    prop_oneof![1 => Just(Vec::new()), 6 => one, 1 => same, 3 => each]
}

impl Place {
    fn of(self, provider: usize) -> Self {
        match self {
            Self::Header(_, scheme) => Self::Header(provider, scheme),
            Self::Parameter(_, escape) => Self::Parameter(provider, escape),
            Self::Cookie(_, quotes) => Self::Cookie(provider, quotes),
        }
    }

    /// Without escapes: the native filter decodes one parameter when it takes out another.
    fn unescaped(self) -> Self {
        match self {
            Self::Parameter(provider, _) => Self::Parameter(provider, Escape::Nothing),
            Self::Header(..) | Self::Cookie(..) => self,
        }
    }

    /// Whether both are one place.
    fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Header(..), Self::Header(..))
                | (Self::Parameter(..), Self::Parameter(..))
                | (Self::Cookie(..), Self::Cookie(..))
        )
    }
}

fn place() -> impl Strategy<Value = Place> {
    let scheme = prop_oneof![
        16 => Just(Scheme::Good),
        1 => Just(Scheme::Spaces),
        1 => Just(Scheme::LowerCase),
        1 => Just(Scheme::Foreign),
    ];
    let escape = prop_oneof![
        4 => Just(Escape::Nothing),
        1 => Just(Escape::Name),
        1 => Just(Escape::Token),
    ];
    let quotes = prop_oneof![2 => Just(Quotes::Without), 1 => Just(Quotes::Within)];
    prop_oneof![
        8 => (0..2_usize, scheme).prop_map(|(i, scheme)| Place::Header(i, scheme)),
        2 => (0..2_usize, escape).prop_map(|(i, escape)| Place::Parameter(i, escape)),
        1 => (0..2_usize, quotes).prop_map(|(i, quotes)| Place::Cookie(i, quotes)),
    ]
}

fn token() -> impl Strategy<Value = Token> {
    let key = prop_oneof![6 => Just("p256"), 1 => Just("ed25519"), 2 => Just("hmac")];
    let flaw = prop_oneof![
        50 => Just(Flaw::None),
        1 => Just(Flaw::ExpZero),
        1 => Just(Flaw::ExpHalf),
        1 => Just(Flaw::Critical),
        1 => Just(Flaw::TypeNumber),
        1 => Just(Flaw::Nested),
        1 => Just(Flaw::CommaInHeader),
        1 => Just(Flaw::CommaInPayload),
        1 => Just(Flaw::EmptyPart),
        1 => Just(Flaw::PaddedSignature),
    ];
    let words = (weighted(0.5, select(&CLAIMS[..])), vec(select(&WORDS[..]), 0..3));
    (0..2_usize, key, words, flaw).prop_map(|(of, key, (claims, words), flaw)| {
        // What is wrong with the form is wrong by itself, or another fault could come first.
        let words = claims.into_iter().chain(words).filter(|_| flaw == Flaw::None).collect();
        let key = if flaw == Flaw::None { key } else { "p256" };
        Token { of, key, words, flaw }
    })
}
