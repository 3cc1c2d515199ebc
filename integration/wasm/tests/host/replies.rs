//! Local replies, and what each proxy makes of them.

use jwt_gate_test_host::{LocalReply, Personality, Phase, Request, Trap};

use crate::guest::{CONTINUE, Guest, PAUSE, Running, headers};

fn reply(status: u32, details: &str) -> String {
    format!(
        "(call $say (call $reply #{status} @\"{details}\" @\"no\" @{{a=1;A=2;b=3}} #4294967295))"
    )
}

fn answered(personality: Personality, body: &str, request: &Request) -> LocalReply {
    let running = Running::new(personality, Guest::new().headers(body, CONTINUE));
    let stream = running.vm.request(running.root, request).unwrap();
    let state = running.vm.stream(stream).unwrap();
    assert_eq!(state.upstream, None, "the upstream got it all the same");
    let Phase::Replied(reply) = state.phase else { panic!("{state:?}") };
    reply
}

#[test]
fn a_reply_stops_the_request_although_the_filter_continues() {
    let came = answered(Personality::Envoy, &reply(401, "not you"), &Request::get("/"));
    let expected = LocalReply {
        status: 401,
        details: b"not_you".to_vec(),
        headers: headers(&[("a", "1"), ("A", "2"), ("b", "3")]),
        body: b"no".to_vec(),
        grpc: None,
    };
    assert_eq!(came, expected);
}

#[test]
fn nginx_shows_the_details_ends_the_body_and_drops_duplicates() {
    let came = answered(Personality::Nginx, &reply(401, "not you"), &Request::get("/"));
    let expected = LocalReply {
        status: 401,
        details: b"not you".to_vec(),
        headers: headers(&[("A", "2"), ("b", "3")]),
        body: b"no\n".to_vec(),
        grpc: None,
    };
    assert_eq!(came, expected);
}

#[test]
fn a_grpc_request_gets_its_status_in_headers_on_envoy_alone() {
    let request = Request::get("/").with("content-type", "application/grpc");
    let came = answered(Personality::Envoy, &reply(401, ""), &request);
    assert_eq!((came.status, came.grpc, came.body), (200, Some(16), Vec::new()));
    assert!(came.headers.contains(&(b"grpc-message".to_vec(), b"no".to_vec())));
    assert_eq!(answered(Personality::Nginx, &reply(401, ""), &request).status, 401);
}

#[test]
fn a_second_reply_is_ignored_but_for_its_details_on_envoy_and_traps_on_nginx() {
    let twice = [reply(401, "first"), reply(403, "second")].concat();
    let came = answered(Personality::Envoy, &twice, &Request::get("/"));
    assert_eq!((came.status, came.details), (401, b"second".to_vec()));
    let running = Running::new(Personality::Nginx, Guest::new().headers(&twice, PAUSE));
    let trap = running.vm.request(running.root, &Request::get("/")).unwrap_err();
    assert!(matches!(&trap, Trap::Rule { rule, .. } if rule.contains("second")), "{trap}");
}

#[test]
fn a_resume_after_the_reply_lets_nothing_through() {
    let body = format!("{} (drop (call $resume #0))", reply(401, ""));
    for personality in [Personality::Envoy, Personality::Nginx] {
        assert_eq!(answered(personality, &body, &Request::get("/")).status, 401, "{personality:?}");
    }
}

#[test]
fn a_resume_before_pausing_resumes_and_one_without_a_pause_is_harmless() {
    for action in [PAUSE, CONTINUE] {
        let guest = Guest::new().headers("(call $say (call $resume #0))", action);
        let running = Running::new(Personality::Envoy, guest);
        let stream = running.get();
        let state = running.vm.stream(stream).unwrap();
        assert_eq!((state.phase, state.resumed), (Phase::Continued, action == PAUSE));
    }
}

#[test]
fn a_reply_from_a_root_goes_nowhere() {
    let guest = Guest::new().configure(&reply(401, ""));
    assert_eq!(Running::new(Personality::Envoy, guest).said(), ["00"]);
}
