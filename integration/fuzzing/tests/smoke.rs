//! Each target on its seeds, on inputs that broke something once, and on changes of both.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::fs;
use std::path::Path;

use jwt_gate_fuzzing::{TARGETS, seeds, target};

/// Inputs for each target. `EXECUTIONS` says another number.
const EXECUTIONS: usize = 4_000;

/// Longest input.
const LONGEST: usize = 4_096;

/// What is put into inputs here and there.
const WORDS: [&[u8]; 24] = [
    b"%2e", b"%2f", b"..", b"//", b";", b"%25", b"\\", b"\"", b"\\u0061", b"{", b"}", b"[", b"]",
    b":", b",", b".", b"=", b"\n", b"\0", b"1e999", b"-0", b"null", b"\xff", b"admin",
];

/// Marsaglia's xorshift: the same inputs in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn change(&mut self, input: &mut Vec<u8>, all: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = at + self.below(input.len() - at + 1).min(16);
        match self.below(7) {
            0 => input.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << self.below(8)),
            1 => input
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|b| *b = self.below(256).to_le_bytes()[0]),
            2 => drop(input.drain(at..end)),
            3 => drop(input.splice(at..at, WORDS[self.below(WORDS.len())].iter().copied())),
            4 => {
                let piece = input[at..end].to_vec();
                drop(input.splice(at..at, piece));
            }
            5 => {
                let other = &all[self.below(all.len())];
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => input.truncate(at),
        }
        input.truncate(LONGEST);
    }
}

/// Inputs that broke something once, in `fuzz/regressions/TARGET`.
fn regressions(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/regressions").join(name);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn play(name: &str) {
    let run = target(name);
    let all = [seeds::of(name), regressions(name)].concat();
    assert!(!all.is_empty(), "{name}");
    all.iter().for_each(|input| run(input));
    let executions = std::env::var("EXECUTIONS").map_or(EXECUTIONS, |n| n.parse().unwrap());
    let mut dice = Dice(0x5EED_F422_0000_0001);
    let mut kept = all.clone();
    for _ in 0..executions {
        let at = dice.below(kept.len());
        let mut input = kept[at].clone();
        for _ in 0..=dice.below(4) {
            dice.change(&mut input, &all);
        }
        run(&input);
        // A longer way from the seeds now and then.
        if dice.below(8) == 0 {
            let at = dice.below(kept.len() * 2);
            if at < kept.len() {
                kept[at.max(all.len() - 1)] = input;
            } else if kept.len() < 256 {
                kept.push(input);
            }
        }
    }
}

#[test]
fn a_token_passes_only_where_another_accepts_it() {
    play("token");
}

#[test]
fn a_key_set_is_read_in_one_way_and_holds_no_secret() {
    play("jwks");
}

#[test]
fn a_configuration_is_refused_with_reasons_or_decides() {
    play("configuration");
}

#[test]
fn no_server_reads_a_path_that_passes_as_a_protected_one() {
    play("path");
}

#[test]
fn a_challenge_can_be_parsed_whatever_it_says() {
    play("challenge");
}

#[test]
fn nobody_passes_without_a_key_whatever_happens() {
    play("scenario");
}

#[test]
fn every_target_is_played_here_and_by_the_fuzzer() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let here = fs::read_to_string(Path::new(file!()).file_name().map_or_else(
        || Path::new("").to_path_buf(),
        |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name),
    ))
    .unwrap();
    for (name, _) in TARGETS {
        assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).exists(), "{name}");
        assert!(here.contains(&format!("play(\"{name}\")")), "{name}");
    }
}
