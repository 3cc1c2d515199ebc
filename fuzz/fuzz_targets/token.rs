//! The target `token` of `integration/fuzzing`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jwt_gate_fuzzing::target("token")(input));
