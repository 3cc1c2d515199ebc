//! Properties: what can be read where, and what a filter may leave.

use jwt_gate_test_host::{Host, Personality, Request, Trap};

use crate::guest::{CONTINUE, Guest, Running};

fn read(path: &str) -> String {
    format!("(call $show (call $property @\"{path}\" @out))")
}

fn write(path: &str, value: &str) -> String {
    format!("(call $say (call $set_property @\"{path}\" @\"{value}\"))")
}

fn said_in_request(personality: Personality, body: &str) -> Vec<String> {
    let running = Running::new(personality, Guest::new().headers(body, CONTINUE));
    running.host.set_property(&["source", "address"], b"10.0.0.1:5");
    running.get();
    running.said()
}

#[test]
fn what_a_filter_leaves_on_envoy_is_filter_state_under_the_prefix_wasm() {
    let body = [
        write("claims", "{}"),
        read("claims"),
        read("filter_state\0wasm.claims"),
        write("request\0path", "/x"),
    ];
    let running = Running::new(Personality::Envoy, Guest::new().headers(&body.concat(), CONTINUE));
    let stream = running.get();
    assert_eq!(running.said(), ["00", "{}", "{}", "00"]);
    let state = running.vm.stream(stream).unwrap().properties;
    let keys: Vec<_> = state.keys().map(|key| String::from_utf8_lossy(key)).collect();
    assert_eq!(keys, ["wasm.claims", "wasm.request\0path"]);
}

#[test]
fn nginx_takes_its_own_variables_and_nothing_else() {
    let body = [
        write("ngx\0claim", "a"),
        read("ngx\0claim"),
        write("wasmx\0x", "b"),
        write("claims", "c"),
        write("ngx\0nginx_version", "d"),
    ];
    let guest = Guest::new().headers(&body.concat(), CONTINUE);
    let running = Running::new(Personality::Nginx, guest);
    running.host.set_variable("claim");
    running.get();
    assert_eq!(running.said(), ["00", "a", "00", "01", "10"]);
}

#[test]
fn nginx_shows_its_reading_of_the_path_and_sends_what_came_until_arguments_are_written() {
    let target = "/a%3Fx//b/../c?d";
    let seen = ["(call $read #0 @\":path\")".to_owned(), read("ngx\0request_uri")].concat();
    for (body, said, sent) in [
        (seen, vec!["/a?x/c?d", target], target),
        (write("ngx\0args", "e"), vec!["00"], "/a%3Fx/c?e"),
    ] {
        let guest = Guest::new().headers(&body, CONTINUE);
        let running = Running::new(Personality::Nginx, guest);
        let stream = running.vm.request(running.root, &Request::get(target)).unwrap();
        assert_eq!(running.said(), said);
        let upstream = running.vm.stream(stream).unwrap().upstream.unwrap();
        assert!(upstream.contains(&(b":path".to_vec(), sent.as_bytes().to_vec())), "{upstream:?}");
    }
}

#[test]
fn nginx_has_no_variable_that_its_configuration_does_not_name() {
    assert_eq!(said_in_request(Personality::Nginx, &write("ngx\0claim", "a")), ["01"]);
}

#[test]
fn the_request_and_what_the_test_set_can_be_read() {
    let paths = [
        "request\0method",
        "request\0path",
        "request\0url_path",
        "request\0query",
        "request\0headers\0:scheme",
        "source\0address",
        "node",
    ];
    let body: String = paths.into_iter().map(read).collect();
    let expected = ["GET", "/orders?id=7", "/orders", "id=7", "https", "10.0.0.1:5", "01"];
    for personality in [Personality::Envoy, Personality::Nginx] {
        assert_eq!(said_in_request(personality, &body), expected, "{personality:?}");
    }
}

#[test]
fn the_probe_for_nginx_answers_there_alone() {
    let body = read("ngx\0nginx_version");
    assert_eq!(said_in_request(Personality::Nginx, &body), ["1.27.4"]);
    assert_eq!(said_in_request(Personality::Envoy, &body), ["01"]);
}

#[test]
fn a_root_reads_no_properties_on_nginx_and_not_found_on_envoy() {
    let guest = || Guest::new().configure(&read("request\0path"));
    assert_eq!(Running::new(Personality::Nginx, guest()).said(), ["10"]);
    assert_eq!(Running::new(Personality::Envoy, guest()).said(), ["01"]);
}

#[test]
fn the_name_of_the_plugin_crashes_nginx_in_a_root() {
    let guest = || Guest::new().configure(&read("plugin_name"));
    assert_eq!(Running::new(Personality::Envoy, guest()).said(), ["jwt-gate"]);
    let vm = Host::new(Personality::Nginx).vm(&guest().module()).unwrap();
    assert!(matches!(vm.configure(b""), Err(Trap::Crash { .. })));
}

#[test]
fn a_bare_host_takes_no_property() {
    assert_eq!(said_in_request(Personality::Bare, &write("claims", "{}")), ["12"]);
}
