//! Declarations of what a document may hold.

/// Declares a record: an object with these members, each read as its type says.
///
/// `always { name: type, }` after the members lists settings that ask for what is so in any case;
/// `refused { name: "why", }` those that are understood and not taken.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $member_doc:literal])* $member:ident: $type:ty, )*
        }
        $( always { $( $always:ident: $always_type:ty, )* } )?
        $( refused { $( $refused:ident: $why:expr, )* } )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        $vis struct $name { $( $(#[doc = $member_doc])* $vis $member: $type, )* }

        impl $crate::config::read::Read for $name {
            fn read(
                value: &$crate::json::Value,
                at: &$crate::config::error::ConfigPath<'_>,
                faults: &mut $crate::config::error::Faults,
            ) -> Option<Self> {
                const NAMES: &[&str] = &[
                    $( $crate::config::read::plain(stringify!($member)), )*
                    $( $( stringify!($always), )* )?
                    $( $( stringify!($refused), )* )?
                ];
                let members = $crate::config::read::Members::of(value, NAMES, at, faults)?;
                $( $(
                    let _: Option<$always_type> = members.member(stringify!($always), at, faults);
                )* )?
                const REFUSED: &[(&str, &str)] = &[ $( $( (stringify!($refused), $why), )* )? ];
                members.refuse(REFUSED, at, faults);
                $(
                    let name = $crate::config::read::plain(stringify!($member));
                    let $member = members.member(name, at, faults);
                )*
                Some(Self { $( $member: $member?, )* })
            }

            #[cfg(feature = "tools")]
            fn schema(
                definitions: &mut $crate::config::schema::Definitions,
            ) -> serde_json::Value {
                use $crate::config::{read, schema};
                schema::define(stringify!($name), definitions, |definitions| {
                    let members = vec![
                        $( schema::Member {
                            name: read::plain(stringify!($member)),
                            doc: schema::doc(&[$( $member_doc ),*]),
                            schema: <$type as read::Read>::schema(definitions),
                            required: <$type as read::Read>::absent().is_none(),
                        }, )*
                        $( $( schema::Member {
                            name: stringify!($always),
                            doc: String::new(),
                            schema: <$always_type as read::Read>::schema(definitions),
                            required: false,
                        }, )* )?
                    ];
                    schema::record(stringify!($name), &schema::doc(&[$( $doc ),*]), members)
                })
            }
        }
    };
}

/// Declares words: a string that is one of these.
macro_rules! word {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident {
            $( $(#[doc = $variant_doc:literal])* $variant:ident = $text:literal, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        $vis enum $name { $( $(#[doc = $variant_doc])* $variant, )* }

        impl $crate::config::read::Read for $name {
            fn read(
                value: &$crate::json::Value,
                at: &$crate::config::error::ConfigPath<'_>,
                faults: &mut $crate::config::error::Faults,
            ) -> Option<Self> {
                match value.as_str() {
                    $( Some($text) => Some(Self::$variant), )*
                    Some(other) => {
                        let words = [$( concat!("`", $text, "`") ),*].join(" or ");
                        faults.none(at, format!("must be {words}, found `{other}`"))
                    }
                    None => $crate::config::read::expected("a string", value, at, faults),
                }
            }

            #[cfg(feature = "tools")]
            fn schema(_: &mut $crate::config::schema::Definitions) -> serde_json::Value {
                use $crate::config::schema;
                let words = [$( ($text, schema::doc(&[$( $variant_doc ),*])) ),*];
                schema::words(&schema::doc(&[$( $doc ),*]), &words)
            }
        }
    };
}

/// Declares a choice: an object with exactly one of these members.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident {
            $( $(#[doc = $variant_doc:literal])* $variant:ident($type:ty) = $key:literal, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        $vis enum $name { $( $(#[doc = $variant_doc])* $variant($type), )* }

        impl $crate::config::read::Read for $name {
            fn read(
                value: &$crate::json::Value,
                at: &$crate::config::error::ConfigPath<'_>,
                faults: &mut $crate::config::error::Faults,
            ) -> Option<Self> {
                const NAMES: &[&str] = &[ $( $key, )* ];
                let members = $crate::config::read::Members::of(value, NAMES, at, faults)?;
                let mut chosen = Vec::new();
                $(
                    if let Some(value) = members.get($key, at, faults) {
                        let read = <$type as $crate::config::read::Read>::read(
                            value, &at.key($key), faults,
                        );
                        chosen.push(read.map(Self::$variant));
                    }
                )*
                match <[_; 1]>::try_from(chosen) {
                    Ok([one]) => one,
                    Err(several) => faults.none(at, format!(
                        "must have exactly one of {}, found {}", NAMES.join(", "), several.len(),
                    )),
                }
            }

            #[cfg(feature = "tools")]
            fn schema(
                definitions: &mut $crate::config::schema::Definitions,
            ) -> serde_json::Value {
                use $crate::config::{read, schema};
                schema::define(stringify!($name), definitions, |definitions| {
                    let members = vec![$( schema::Member {
                        name: $key,
                        doc: schema::doc(&[$( $variant_doc ),*]),
                        schema: <$type as read::Read>::schema(definitions),
                        required: false,
                    } ),*];
                    schema::choice(stringify!($name), &schema::doc(&[$( $doc ),*]), members)
                })
            }
        }
    };
}

pub(in crate::config) use {choice, record, word};

#[cfg(test)]
mod tests {
    use crate::config::error::{ConfigPath, Faults};
    use crate::config::read::{Read, Text};
    use crate::json::parse;

    record! {
        /// A record of the tests.
        struct Sample {
            max_size: u32,
            names: Vec<Text>,
            loud: bool,
            inner: Option<Pick>,
        }
        refused { old_name: "is gone", }
    }

    choice! {
        /// A choice of the tests.
        enum Pick {
            /// One.
            One(String) = "one",
            /// Two.
            Two(u32) = "two_fold",
        }
    }

    fn read(text: &str) -> Result<Sample, Vec<String>> {
        let mut faults = Faults::default();
        let value = parse(text.as_bytes(), 8).unwrap();
        let read = Sample::read(&value, &ConfigPath::ROOT, &mut faults);
        faults.into_result(read).map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    fn faults(text: &str) -> Vec<String> {
        read(text).unwrap_err()
    }

    #[test]
    fn both_spellings_and_the_forms_of_an_integer_are_read() {
        let cases = [
            (r#"{"max_size": 5}"#, 0, false, "none"),
            (
                r#"{"maxSize": 5.0, "names": ["a"], "loud": true, "inner": {"twoFold": "2"}}"#,
                1,
                true,
                "2",
            ),
            (r#"{"maxSize": "5", "names": null, "inner": {"one": "x"}}"#, 0, false, "x"),
        ];
        for (text, names, loud, inner) in cases {
            let sample = read(text).unwrap();
            let found = match sample.inner {
                None => "none".to_owned(),
                Some(Pick::One(text)) => text,
                Some(Pick::Two(n)) => n.to_string(),
            };
            assert_eq!(
                (sample.max_size, sample.names.len(), sample.loud),
                (5, names, loud),
                "{text}"
            );
            assert_eq!(found, inner, "{text}");
        }
    }

    #[test]
    fn every_fault_is_noted_with_its_place() {
        let text = r#"{"max_sise": 5, "names": ["", 7], "inner": {"one": "", "two_fold": 1.5},
                       "old_name": 1, "wholly_other": 0}"#;
        assert_eq!(
            faults(text),
            [
                "unknown field `max_sise`; did you mean `max_size`?",
                "unknown field `wholly_other`; expected one of: max_size, names, loud, inner, old_name",
                "old_name: is gone",
                "max_size: is required",
                "names[0]: must not be empty",
                "names[1]: must be a string, found a number",
                "inner.two_fold: must be a whole number that is not negative, found a number",
                "inner: must have exactly one of one, two_fold, found 2",
            ]
        );
    }

    #[test]
    fn a_member_in_two_spellings_is_a_fault() {
        assert_eq!(
            faults(r#"{"max_size": 5, "maxSize": 6}"#),
            ["max_size: is there twice, also as `maxSize`"]
        );
    }
}
