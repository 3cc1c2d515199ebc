//! Shared data: between VMs, and by each proxy's rules of compare-and-swap.

use jwt_gate_test_host::{Host, Personality, Trap};

use crate::guest::{CONTINUE, Guest, Running};

const READ: &str = "(call $show (call $shared @\"k\" @out #28))";

fn write(value: &str, cas: &str) -> String {
    format!("(call $say (call $share @\"k\" @\"{value}\" {cas}))")
}

fn said(personality: Personality, body: &[&str]) -> Vec<String> {
    let running = Running::new(personality, Guest::new().headers(&body.concat(), CONTINUE));
    running.get();
    running.said()
}

#[test]
fn a_stale_number_is_refused_and_the_current_one_accepted() {
    let current = write("b", "(i32.load #28)");
    let (first, wrong, stale) = (write("a", "#0"), write("x", "#77"), write("x", "#1"));
    for personality in [Personality::Envoy, Personality::Nginx] {
        let body = [READ, &first, READ, &wrong, &current, READ, &current, &stale];
        let came = said(personality, &body);
        assert_eq!(came, ["01", "00", "a", "08", "00", "b", "00", "08"], "{personality:?}");
    }
}

#[test]
fn zero_writes_in_any_case_on_envoy_and_only_what_is_missing_on_nginx() {
    let body = [write("a", "#0"), write("b", "#0"), READ.to_owned()].concat();
    assert_eq!(said(Personality::Envoy, &[&body]), ["00", "00", "b"]);
    assert_eq!(said(Personality::Nginx, &[&body]), ["00", "08", "a"]);
}

#[test]
fn a_number_for_a_missing_key_is_ignored_on_envoy_and_refused_on_nginx() {
    assert_eq!(said(Personality::Envoy, &[&write("a", "#5"), READ]), ["00", "a"]);
    assert_eq!(said(Personality::Nginx, &[&write("a", "#5"), READ]), ["08", "01"]);
}

#[test]
fn no_value_empties_the_key_on_envoy_and_deletes_it_on_nginx() {
    let erase = "(call $say (call $share @\"k\" #0 #0 (i32.load #28)))";
    let body = [write("a", "#0"), READ.to_owned(), erase.to_owned(), READ.to_owned()].concat();
    assert_eq!(said(Personality::Envoy, &[&body]), ["00", "a", "00", ""]);
    assert_eq!(said(Personality::Nginx, &[&body]), ["00", "a", "00", "01"]);
}

#[test]
fn vms_of_a_host_share_and_others_may_write_garbage() {
    let host = Host::new(Personality::Envoy);
    let writer = host.vm(&Guest::new().configure(&write("a", "#0")).module()).unwrap();
    let reader = host.vm(&Guest::new().configure(READ).module()).unwrap();
    writer.configure(b"").unwrap();
    reader.configure(b"").unwrap();
    host.shared_data().write(b"k", b"garbage");
    reader.configure(b"").unwrap();
    host.shared_data().remove(b"k");
    reader.configure(b"").unwrap();
    let said: Vec<_> = reader.logs().into_iter().map(|line| line.text).collect();
    assert_eq!(said, ["a", "garbage", "01"]);
    assert_eq!(host.shared_data().keys(), Vec::<Vec<u8>>::new());
}

#[test]
fn without_a_zone_shared_data_traps_on_nginx_and_a_bare_host_has_none() {
    let host = Host::new(Personality::Nginx);
    host.set_shared_memory(false);
    let vm = host.vm(&Guest::new().configure(READ).module()).unwrap();
    assert!(matches!(vm.configure(b""), Err(Trap::Rule { .. })));
    assert_eq!(said(Personality::Bare, &[READ, &write("a", "#0")]), ["12", "12"]);
}
