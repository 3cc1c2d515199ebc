//! Every operator of `claim`.

use super::super::Truth::{False, True, Undecided};
use super::World;

#[test]
fn a_claim_equals_values_of_its_own_type() {
    World::new().hold(&[
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": "x"}"#, True),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": "X"}"#, False),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": "\u0078"}"#, True),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": ["y", "x"]}"#, True),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": ["y", "z"]}"#, False),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": []}"#, False),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": ["y", 1]}"#, Undecided),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": [["x"]]}"#, Undecided),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": 1}"#, Undecided),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": null}"#, Undecided),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, r#"{"c": {"x": 1}}"#, Undecided),
        (r#"{"claim": {"path": "c", "equals": "x"}}"#, "{}", Undecided),
        (r#"{"claim": {"path": "c", "equals": 1}}"#, r#"{"c": 1}"#, True),
        (r#"{"claim": {"path": "c", "equals": 1}}"#, r#"{"c": 1.0}"#, True),
        (r#"{"claim": {"path": "c", "equals": 1}}"#, r#"{"c": 1.5}"#, False),
        (r#"{"claim": {"path": "c", "equals": -1}}"#, r#"{"c": -1}"#, True),
        (r#"{"claim": {"path": "c", "equals": 1}}"#, r#"{"c": "1"}"#, Undecided),
        (r#"{"claim": {"path": "c", "equals": 1}}"#, r#"{"c": true}"#, Undecided),
        (r#"{"claim": {"path": "c", "equals": 0}}"#, r#"{"c": false}"#, Undecided),
        (
            r#"{"claim": {"path": "c", "equals": 9007199254740993}}"#,
            r#"{"c": 9007199254740992}"#,
            False,
        ),
        (r#"{"claim": {"path": "c", "equals": true}}"#, r#"{"c": true}"#, True),
        (r#"{"claim": {"path": "c", "equals": true}}"#, r#"{"c": false}"#, False),
        (r#"{"claim": {"path": "c", "equals": true}}"#, r#"{"c": "true"}"#, Undecided),
        (r#"{"claim": {"path": "c", "equals": true}}"#, r#"{"c": 1}"#, Undecided),
    ]);
}

#[test]
fn a_claim_is_compared_with_several_values() {
    World::new().hold(&[
        (r#"{"claim": {"path": "c", "any_of": ["x", "y"]}}"#, r#"{"c": "y"}"#, True),
        (r#"{"claim": {"path": "c", "any_of": ["x", "y"]}}"#, r#"{"c": ["z", "y"]}"#, True),
        (r#"{"claim": {"path": "c", "any_of": ["x", "y"]}}"#, r#"{"c": "z"}"#, False),
        (r#"{"claim": {"path": "c", "any_of": ["x", "y"]}}"#, r#"{"c": 1}"#, Undecided),
        (r#"{"claim": {"path": "c", "any_of": ["x", "y"]}}"#, "{}", Undecided),
        (r#"{"claim": {"path": "c", "any_of": ["x", 1]}}"#, r#"{"c": 1}"#, True),
        (r#"{"claim": {"path": "c", "all_of": ["x", "y"]}}"#, r#"{"c": ["y", "x", "z"]}"#, True),
        (r#"{"claim": {"path": "c", "all_of": ["x", "y"]}}"#, r#"{"c": ["x"]}"#, False),
        (r#"{"claim": {"path": "c", "all_of": ["x", "y"]}}"#, r#"{"c": "x"}"#, False),
        (r#"{"claim": {"path": "c", "all_of": ["x"]}}"#, r#"{"c": "x"}"#, True),
        (r#"{"claim": {"path": "c", "all_of": ["x", "y"]}}"#, r#"{"c": []}"#, False),
        (r#"{"claim": {"path": "c", "all_of": ["x"]}}"#, r#"{"c": [1]}"#, Undecided),
        (r#"{"claim": {"path": "c", "all_of": ["x", "y"]}}"#, "{}", Undecided),
        (r#"{"claim": {"path": "c", "none_of": ["x", "y"]}}"#, r#"{"c": "z"}"#, True),
        (r#"{"claim": {"path": "c", "none_of": ["x", "y"]}}"#, r#"{"c": ["z"]}"#, True),
        (r#"{"claim": {"path": "c", "none_of": ["x", "y"]}}"#, r#"{"c": []}"#, True),
        (r#"{"claim": {"path": "c", "none_of": ["x", "y"]}}"#, r#"{"c": "x"}"#, False),
        (r#"{"claim": {"path": "c", "none_of": ["x", "y"]}}"#, r#"{"c": ["z", "y"]}"#, False),
        (r#"{"claim": {"path": "c", "none_of": ["x", "y"]}}"#, r#"{"c": 1}"#, Undecided),
        (r#"{"claim": {"path": "c", "none_of": ["x", "y"]}}"#, r#"{"c": ["z", 1]}"#, Undecided),
        (r#"{"claim": {"path": "c", "none_of": ["x", "y"]}}"#, "{}", Undecided),
    ]);
}

#[test]
fn text_operators_look_at_texts() {
    World::new().hold(&[
        (r#"{"claim": {"path": "c", "prefix": "ab"}}"#, r#"{"c": "abc"}"#, True),
        (r#"{"claim": {"path": "c", "prefix": "ab"}}"#, r#"{"c": "xab"}"#, False),
        (r#"{"claim": {"path": "c", "prefix": "ab"}}"#, r#"{"c": ["x", "abc"]}"#, True),
        (r#"{"claim": {"path": "c", "prefix": "ab"}}"#, r#"{"c": 1}"#, Undecided),
        (r#"{"claim": {"path": "c", "prefix": "ab"}}"#, r#"{"c": ["x", 1]}"#, Undecided),
        (r#"{"claim": {"path": "c", "prefix": "ab"}}"#, "{}", Undecided),
        (r#"{"claim": {"path": "c", "suffix": "@x.example"}}"#, r#"{"c": "a@x.example"}"#, True),
        (r#"{"claim": {"path": "c", "suffix": "@x.example"}}"#, r#"{"c": "a@x.example.y"}"#, False),
        (r#"{"claim": {"path": "c", "suffix": "@x.example"}}"#, r#"{"c": null}"#, Undecided),
        (r#"{"claim": {"path": "c", "contains": "b"}}"#, r#"{"c": "abc"}"#, True),
        (r#"{"claim": {"path": "c", "contains": "b"}}"#, r#"{"c": "aBc"}"#, False),
        (r#"{"claim": {"path": "c", "contains": "b"}}"#, r#"{"c": true}"#, Undecided),
        (r#"{"claim": {"path": "c", "safe_regex": "a+"}}"#, r#"{"c": "aaa"}"#, True),
        (r#"{"claim": {"path": "c", "safe_regex": "a+"}}"#, r#"{"c": "aab"}"#, False),
        (r#"{"claim": {"path": "c", "safe_regex": "a+"}}"#, r#"{"c": "a\na"}"#, False),
        (r#"{"claim": {"path": "c", "safe_regex": "a|bc"}}"#, r#"{"c": "ac"}"#, False),
        (r#"{"claim": {"path": "c", "safe_regex": {"regex": "a.c"}}}"#, r#"{"c": "abc"}"#, True),
        (r#"{"claim": {"path": "c", "safe_regex": "a+"}}"#, r#"{"c": {}}"#, Undecided),
    ]);
}

#[test]
fn presence_is_decided_in_every_case() {
    World::new().hold(&[
        (r#"{"claim": {"path": "c", "present": true}}"#, r#"{"c": "x"}"#, True),
        (r#"{"claim": {"path": "c", "present": true}}"#, r#"{"c": false}"#, True),
        (r#"{"claim": {"path": "c", "present": true}}"#, r#"{"c": []}"#, True),
        (r#"{"claim": {"path": "c", "present": true}}"#, "{}", False),
        (r#"{"claim": {"path": "c.d", "present": true}}"#, r#"{"c": "d"}"#, False),
        (r#"{"claim": {"path": "c.d", "present": true}}"#, r#"{"c": {"d": 1}}"#, True),
        (r#"{"claim": {"path": "c", "present": false}}"#, r#"{"c": "x"}"#, False),
        (r#"{"claim": {"path": "c", "present": false}}"#, "{}", True),
    ]);
}

#[test]
fn bounds_are_part_of_the_range() {
    World::new().hold(&[
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, r#"{"c": 5}"#, True),
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, r#"{"c": 4}"#, False),
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, r#"{"c": 4.9}"#, False),
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, r#"{"c": 5.1}"#, True),
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, r#"{"c": -6}"#, False),
        (r#"{"claim": {"path": "c", "at_least": -5}}"#, r#"{"c": -5}"#, True),
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, r#"{"c": 18446744073709551615}"#, True),
        (r#"{"claim": {"path": "c", "at_most": 5}}"#, r#"{"c": 5}"#, True),
        (r#"{"claim": {"path": "c", "at_most": 5}}"#, r#"{"c": 6}"#, False),
        (r#"{"claim": {"path": "c", "at_most": 5}}"#, r#"{"c": 5.1}"#, False),
        (r#"{"claim": {"path": "c", "at_most": 5}}"#, r#"{"c": 18446744073709551615}"#, False),
        (r#"{"claim": {"path": "c", "at_least": 1, "at_most": 3}}"#, r#"{"c": 2}"#, True),
        (r#"{"claim": {"path": "c", "at_least": 1, "at_most": 3}}"#, r#"{"c": 0}"#, False),
        (r#"{"claim": {"path": "c", "at_least": 1, "at_most": 3}}"#, r#"{"c": [0, 2]}"#, True),
        (r#"{"claim": {"path": "c", "at_least": 1, "at_most": 3}}"#, r#"{"c": [0, 4]}"#, False),
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, r#"{"c": "6"}"#, Undecided),
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, r#"{"c": null}"#, Undecided),
        (r#"{"claim": {"path": "c", "at_least": 5}}"#, "{}", Undecided),
    ]);
}

#[test]
fn a_path_is_split_at_dots_the_longest_name_first() {
    World::new().hold(&[
        (r#"{"claim": {"path": "a.b", "equals": 1}}"#, r#"{"a": {"b": 1}}"#, True),
        (r#"{"claim": {"path": "a.b", "equals": 1}}"#, r#"{"a.b": 1}"#, True),
        (r#"{"claim": {"path": "a.b", "equals": 1}}"#, r#"{"a.b": 1, "a": {"b": 2}}"#, True),
        (r#"{"claim": {"path": "a.b.c", "equals": 1}}"#, r#"{"a.b": {"c": 1}}"#, True),
        (r#"{"claim": {"path": "a.b.c", "equals": 1}}"#, r#"{"a": {"b.c": 1}}"#, True),
        (r#"{"claim": {"path": "a.b", "equals": 1}}"#, r#"{"a": [{"b": 1}]}"#, Undecided),
        (r#"{"claim": {"path": "a.b", "equals": 1}}"#, r#"{"a": 1}"#, Undecided),
        (
            r#"{"claim": {"path": ["https://x/roles"], "equals": "r"}}"#,
            r#"{"https://x/roles": ["r"]}"#,
            True,
        ),
        (r#"{"claim": {"path": ["a", "b.c"], "equals": 1}}"#, r#"{"a": {"b.c": 1}}"#, True),
        (r#"{"claim": {"path": ["a.b"], "equals": 1}}"#, r#"{"a": {"b": 1}}"#, Undecided),
        (r#"{"claim": {"path": ["a", "b"], "equals": 1}}"#, r#"{"a.b": 1}"#, Undecided),
    ]);
}
