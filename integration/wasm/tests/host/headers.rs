//! Headers: what the filter reads, when, and what the upstream gets.

use jwt_gate_test_host::{NGINX_AUTHORITY, Personality, Phase, Request};

use crate::guest::{CONTINUE, Guest, PAUSE, Running, dispatch, headers};

const BOTH: [Personality; 2] = [Personality::Envoy, Personality::Nginx];

fn twice(name: &str) -> Request {
    Request::get("/").with(name, "one").with(name, "two")
}

/// Values that the upstream gets under a name.
fn upstream(running: &Running, request: &Request, name: &str) -> Vec<String> {
    let stream = running.vm.request(running.root, request).unwrap();
    let seen = running.vm.stream(stream).unwrap().upstream.unwrap();
    let named = seen.into_iter().filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| String::from_utf8(value).unwrap()).collect()
}

#[test]
fn a_single_read_gives_the_first_of_duplicates() {
    for personality in BOTH {
        let guest = Guest::new().headers("(call $read #0 @\"X-A\")", CONTINUE);
        let running = Running::new(personality, guest);
        running.vm.request(running.root, &twice("x-a")).unwrap();
        assert_eq!(running.said(), ["one"], "{personality:?}");
    }
}

#[test]
fn duplicates_of_authorization_arrive_joined_on_envoy() {
    let guest = Guest::new().headers("(call $read #0 @\"authorization\")", CONTINUE);
    let running = Running::new(Personality::Envoy, guest);
    running.vm.request(running.root, &twice("Authorization")).unwrap();
    assert_eq!(running.said(), ["one,two"]);
}

#[test]
fn nginx_answers_two_authorizations_itself() {
    let running =
        Running::new(Personality::Nginx, Guest::new().headers("(call $say #1)", CONTINUE));
    let stream = running.vm.request(running.root, &twice("Authorization")).unwrap();
    let state = running.vm.stream(stream).unwrap();
    assert!(matches!(state.phase, Phase::Replied(reply) if reply.status == 400));
    assert_eq!(running.said(), Vec::<String>::new());
}

#[test]
fn host_is_the_authority_on_envoy_and_not_on_nginx() {
    let guest = || {
        Guest::new().headers("(call $read #0 @\"host\") (call $read #0 @\":authority\")", CONTINUE)
    };
    let running = Running::new(Personality::Envoy, guest());
    running.get();
    assert_eq!(running.said(), ["api.example", "api.example"]);
    let running = Running::new(Personality::Nginx, guest());
    running.get();
    assert_eq!(running.said(), ["api.example", std::str::from_utf8(NGINX_AUTHORITY).unwrap()]);
}

#[test]
fn bytes_that_are_no_text_come_through() {
    let guest = Guest::new().headers(
        "(drop (call $get #0 @\"x-a\" @out)) (call $say (i32.load8_u (i32.load #16)))",
        CONTINUE,
    );
    let running = Running::new(Personality::Envoy, guest);
    running.vm.request(running.root, &Request::get("/").with("x-a", [0x0B_u8, 0xFF])).unwrap();
    assert_eq!(running.said(), ["11"]);
}

#[test]
fn request_headers_are_gone_after_they_went_on_except_on_nginx() {
    let rows = [
        (Personality::Envoy, ["02", "02", "00", "/orders?id=7"]),
        (Personality::Nginx, ["/orders?id=7", "00", "48", "/orders?id=7"]),
    ];
    for (personality, expected) in rows {
        let later = "(call $read #0 @\":path\") (call $say (call $set #0 @\"x-a\" @\"b\")) \
            (drop (call $pairs #0 @out)) (call $say (i32.rem_u (i32.load #20) #100))";
        let guest = Guest::new().headers("", CONTINUE).on("response_headers", later, Some(0)).on(
            "log",
            "(call $read #0 @\":path\")",
            None,
        );
        let running = Running::new(personality, guest);
        let stream = running.get();
        running.vm.response_headers(stream, &headers(&[(":status", "200")]), true).unwrap();
        running.vm.disconnect(stream).unwrap();
        let said = running.said();
        assert_eq!(
            [&said[0], &said[1], &said[3]],
            [expected[0], expected[1], expected[3]],
            "{personality:?}"
        );
        assert_eq!(said[2] == "00", personality == Personality::Envoy, "{said:?}");
    }
}

#[test]
fn a_write_after_the_resume_is_refused_on_envoy() {
    let answer = "(call $say (call $set #0 @\"x-a\" @\"before\")) (call $say (call $resume #0)) \
        (call $say (call $set #0 @\"x-a\" @\"after\"))";
    let running = Running::new(
        Personality::Envoy,
        Guest::new().headers(&dispatch("idp"), PAUSE).answer(answer),
    );
    let stream = running.get();
    let token = running.vm.callouts()[0].token;
    running.vm.deliver(token, jwt_gate_test_host::CalloutResult::Reset).unwrap();
    assert_eq!(running.said(), ["00", "00", "00", "02"]);
    let state = running.vm.stream(stream).unwrap();
    assert!(state.resumed);
    assert!(state.upstream.unwrap().contains(&(b"x-a".to_vec(), b"before".to_vec())));
}

#[test]
fn nginx_sets_the_first_duplicate_and_hides_what_it_removes() {
    let set = "(call $say (call $set #0 @\"x-claim\" @\"mine\"))";
    let remove = "(call $say (call $remove #0 @\"x-claim\")) (call $read #0 @\"x-claim\")";
    let rows: [(Personality, &str, &[&str]); 4] = [
        (Personality::Envoy, set, &["mine"]),
        (Personality::Envoy, remove, &[]),
        (Personality::Nginx, set, &["mine", "two"]),
        (Personality::Nginx, remove, &["one", "two"]),
    ];
    for (personality, body, expected) in rows {
        let running = Running::new(personality, Guest::new().headers(body, CONTINUE));
        let seen = upstream(&running, &twice("x-claim"), "x-claim");
        assert_eq!(seen, expected, "{personality:?} {body}");
        assert_ne!(running.said().get(1).map(String::as_str), Some("one"));
    }
}

#[test]
fn a_directive_of_nginx_replaces_only_what_the_filter_did_not_touch() {
    let export = "(call $say (call $set_property @\"ngx\0claim\" @\"mine\"))";
    let spoilt = format!("{export} (call $say (call $remove #0 @\"x-claim\"))");
    let rows: [(&str, &[&str]); 2] = [(export, &["mine"]), (&spoilt, &["one", "two", "mine"])];
    for (body, expected) in rows {
        let running = Running::new(Personality::Nginx, Guest::new().headers(body, CONTINUE));
        running.host.set_variable("claim");
        running.host.proxy_set_header("x-claim", "claim");
        assert_eq!(upstream(&running, &twice("x-claim"), "x-claim"), expected, "{body}");
    }
}

#[test]
fn nginx_drops_headers_whose_names_have_other_characters() {
    let request = Request::get("/").with("x_a", "1").with("x.a", "2").with("x-a", "3");
    for (personality, count) in [(Personality::Envoy, 3), (Personality::Nginx, 1)] {
        let running = Running::new(personality, Guest::new().headers("", CONTINUE));
        let stream = running.vm.request(running.root, &request).unwrap();
        let seen = running.vm.stream(stream).unwrap().upstream.unwrap();
        let named = seen.iter().filter(|(name, _)| name.starts_with(b"x"));
        assert_eq!(named.count(), count, "{personality:?}");
    }
}

#[test]
fn a_line_break_in_a_value_ends_in_503_on_envoy_and_escaped_on_nginx() {
    let body = "(call $say (call $set #0 @\"x-a\" @\"1\r\nx-evil: 2\"))";
    let running = Running::new(Personality::Envoy, Guest::new().headers(body, CONTINUE));
    let stream = running.get();
    let state = running.vm.stream(stream).unwrap();
    assert!(matches!(state.phase, Phase::Replied(reply) if reply.status == 503));
    assert_eq!(running.said(), ["00"]);
    let running = Running::new(Personality::Nginx, Guest::new().headers(body, CONTINUE));
    assert_eq!(upstream(&running, &Request::get("/"), "x-a"), ["1%0D%0Ax-evil: 2"]);
}

#[test]
fn added_headers_reach_the_upstream_beside_the_others() {
    for personality in BOTH {
        let guest =
            Guest::new().headers("(call $say (call $add #0 @\"x-a\" @\"three\"))", CONTINUE);
        let running = Running::new(personality, guest);
        let seen = upstream(&running, &twice("x-a"), "x-a");
        assert_eq!(seen, ["one", "two", "three"], "{personality:?}");
    }
}
