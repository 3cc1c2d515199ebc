//! Foreign functions: Envoy's, and the trap that they are on NGINX.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA384, RsaKeyPair,
};
use jwt_gate_test_host::{Host, Personality, Request, Trap};

use crate::guest::{CONTINUE, Guest, Running};

fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut len = value.len();
    while len >= 0x80 {
        bytes.push(u8::try_from(len & 0x7F).unwrap() | 0x80);
        len >>= 7;
    }
    bytes.push(u8::try_from(len).unwrap());
    bytes.extend_from_slice(value);
    bytes
}

fn arguments(hash: &str, key: &[u8], signature: &[u8], text: &[u8]) -> Vec<u8> {
    [field(1, hash.as_bytes()), field(2, key), field(3, signature), field(4, text)].concat()
}

/// Status and result of `verify_signature` with these arguments.
fn verify(arguments: &[u8]) -> Vec<String> {
    let body = "(drop (call $buffer #7 #0 #9999 @out)) \
        (call $say (call $foreign @\"verify_signature\" (i32.load #16) (i32.load #20) #24 #28)) \
        (drop (call $log #2 (i32.load #24) (i32.load #28)))";
    let vm = Host::new(Personality::Envoy).vm(&Guest::new().configure(body).module()).unwrap();
    vm.configure(arguments).unwrap();
    vm.logs().into_iter().map(|line| line.text).collect()
}

const VALID: [&str; 2] = ["00", "\u{8}\u{1}"];
const INVALID: [&str; 2] = ["00", "\u{12}\u{17}Failed to verify digest"];

#[test]
fn a_good_rsa_signature_is_valid_and_another_text_is_not() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let key: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA384, &SystemRandom::new(), b"text", &mut signature).unwrap();
    let verify = |hash, text: &[u8]| verify(&arguments(hash, key.as_ref(), &signature, text));
    assert_eq!(verify("sha384", b"text"), VALID);
    assert_eq!(verify("sha384", b"other"), INVALID);
    assert_eq!(verify("sha256", b"text"), INVALID);
    assert_eq!(verify("md5", b"text"), ["02", ""]);
}

#[test]
fn a_good_ecdsa_signature_in_der_is_valid_and_a_bare_point_is_no_key() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let key: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let signature = pair.sign(&SystemRandom::new(), b"text").unwrap();
    let signature = signature.as_ref();
    assert_eq!(verify(&arguments("sha256", key.as_ref(), signature, b"text")), VALID);
    assert_eq!(verify(&arguments("sha256", key.as_ref(), signature, b"tex")), INVALID);
    let point = pair.public_key().as_ref();
    assert_eq!(verify(&arguments("sha256", point, signature, b"text")), ["02", ""]);
    assert_eq!(verify(b""), ["02", ""]);
    assert_eq!(verify(b"\xFF"), ["02", ""]);
}

fn call(name: &str, args: &[u8]) -> String {
    let args = String::from_utf8(args.to_vec()).unwrap();
    format!("(call $say (call $foreign @\"{name}\" @\"{args}\" @out))")
}

#[test]
fn an_unknown_function_is_not_found_a_trap_or_not_implemented() {
    let guest = || Guest::new().headers(&call("make_coffee", b""), CONTINUE);
    for (personality, status) in [(Personality::Envoy, "01"), (Personality::Bare, "12")] {
        let running = Running::new(personality, guest());
        running.get();
        assert_eq!(running.said(), [status], "{personality:?}");
    }
    let running = Running::new(Personality::Nginx, guest());
    let trap = running.vm.request(running.root, &Request::get("/")).unwrap_err();
    assert!(matches!(&trap, Trap::Rule { rule, .. } if rule.contains("make_coffee")), "{trap}");
}

#[test]
fn the_route_cache_is_cleared_and_counted() {
    let guest = Guest::new().headers(&call("clear_route_cache", b""), CONTINUE);
    let running = Running::new(Personality::Envoy, guest);
    let stream = running.get();
    assert_eq!(running.vm.stream(stream).unwrap().routes_cleared, 1);
    assert_eq!(running.said(), ["00"]);
}

#[test]
fn a_property_is_declared_once_per_root() {
    let declare = call("declare_property", &field(1, b"claims"));
    let running = Running::new(
        Personality::Envoy,
        Guest::new().configure(&declare.repeat(2)).headers(&declare, CONTINUE),
    );
    running.get();
    running.vm.configure(b"{}").unwrap();
    assert_eq!(running.said(), ["00", "02", "02", "00", "02"]);
}

#[test]
fn only_filter_state_with_a_factory_can_be_set() {
    let set =
        |key: &[u8]| call("set_envoy_filter_state", &[field(1, key), field(2, b"v")].concat());
    let body = [set(b"envoy.string"), set(b"mine")].concat();
    let running = Running::new(Personality::Envoy, Guest::new().headers(&body, CONTINUE));
    let stream = running.get();
    assert_eq!(running.said(), ["00", "01"]);
    let properties = running.vm.stream(stream).unwrap().properties;
    assert_eq!(properties.get(b"envoy.string".as_slice()), Some(&b"v".to_vec()));
}
