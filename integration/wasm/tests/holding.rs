//! Requests that are held until their keys come, and what becomes of them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod support;
#[path = "support/worker.rs"]
mod worker;

use std::time::Duration;

use jwt_gate_test_host::{CalloutResult, LocalReply, Personality, Phase, Request, StreamId};
use support::{CONFIG, MS, SECOND, keys, request, response, token};
use worker::Worker;

const ENVOY: Personality = Personality::Envoy;

/// Two providers at two clusters: `/a` asks for one, `/b` for the other, `/both` for both.
const TWO: &str = r#"{ "providers": {
    "a": { "issuer": "https://a.example", "from_headers": [ { "name": "x-a" } ],
      "remote_jwks": { "http_uri": { "uri": "https://a.example/", "cluster": "idp", "timeout": "1s" } } },
    "b": { "issuer": "https://b.example", "from_headers": [ { "name": "x-b" } ],
      "remote_jwks": { "http_uri": { "uri": "https://b.example/", "cluster": "idp", "timeout": "1s" } } } },
  "rules": [
    { "match": { "path": "/a" }, "requires": { "provider_name": "a" } },
    { "match": { "path": "/b" }, "requires": { "provider_name": "b" } },
    { "match": { "path": "/both" }, "requires": { "requires_all": { "requirements": [
        { "provider_name": "a" }, { "provider_name": "b" } ] } } } ] }"#;

impl Worker {
    fn post(&self, words: &str) -> StreamId {
        let mut post = request(&token(&self.host, words));
        post.headers[0].1 = b"POST".to_vec();
        post.end_of_stream = false;
        self.vm.request(self.root, &post).unwrap()
    }

    /// A request with good tokens of both providers.
    fn both(&self, path: &str) -> StreamId {
        let of = |name| token(&self.host, &format!("key=p256-{name} iss=https://{name}.example"));
        let request = Request::get(path).with("x-a", of("a")).with("x-b", of("b"));
        self.vm.request(self.root, &request).unwrap()
    }

    /// Answers the callouts to one of the two providers.
    fn answer_at(&self, authority: &str, result: &CalloutResult) {
        let to = (b":authority".to_vec(), authority.as_bytes().to_vec());
        let callouts = self.vm.callouts();
        let callout = callouts.iter().find(|callout| callout.headers.contains(&to));
        self.vm.deliver(callout.expect("it was asked").token, result.clone()).unwrap();
    }

    fn reply(&self, stream: StreamId) -> LocalReply {
        match self.vm.stream(stream).unwrap().phase {
            Phase::Replied(reply) => reply,
            phase @ (Phase::Continued | Phase::Paused) => panic!("{phase:?}"),
        }
    }

    fn upstream(&self, stream: StreamId, name: &str) -> Vec<String> {
        let headers = self.vm.stream(stream).unwrap().upstream.expect("it went on");
        let named = headers.into_iter().filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| String::from_utf8_lossy(&value).into_owned()).collect()
    }

    fn held(&self) -> u64 {
        self.vm.metric("jwt_gate.held").map_or(0, |metric| metric.value)
    }

    /// Passes time until the request is decided; how long it took.
    fn until_decided(&self, stream: StreamId) -> Duration {
        let start = self.host.now();
        while self.outcome(stream) == 0 {
            assert!(self.host.now() < start + 60 * SECOND, "it is still held");
            self.host.advance(MS).unwrap();
        }
        self.host.now() - start
    }
}

#[track_caller]
fn is_unavailable(reply: &LocalReply, row: &str) {
    assert_eq!(reply.status, 503, "{row}");
    let retry = (b"retry-after".to_vec(), b"1".to_vec());
    assert!(reply.headers.contains(&retry), "{row}: {reply:?}");
}

#[test]
fn cold_requests_are_held_and_judged_when_the_keys_come() {
    let worker = Worker::new(ENVOY, CONFIG);
    let good = worker.send("key=p256-1 sub=alice");
    let bad = worker.send("key=p256-1 sign=broken");
    let other = worker.send("key=p256-9 kid=-");
    worker.until_callout();
    for stream in [good, bad, other] {
        assert_eq!(worker.outcome(stream), 0);
    }
    worker.answer(&keys(&["p256-1"]));
    let outcomes = [good, bad, other].map(|stream| worker.outcome(stream));
    assert_eq!(outcomes, [200, 401, 401]);
    assert_eq!((worker.held(), worker.vm.callouts_sent()), (3, 1));
    assert!(worker.vm.stream(good).unwrap().resumed);
    assert_eq!(worker.upstream(good, "x-jwt-sub"), ["alice"], "a spoofed one is stripped");
    assert_eq!(worker.upstream(good, "authorization"), Vec::<String>::new());
}

#[test]
fn a_body_and_trailers_wait_behind_held_headers() {
    for early in [false, true] {
        let worker = Worker::new(ENVOY, CONFIG);
        worker.host.allow_on_headers_stop_iteration(early);
        let streams = [worker.post("key=p256-1"), worker.post("key=p256-1 sign=broken")];
        for stream in streams {
            for _ in 0..3 {
                worker.vm.body(stream, b"part", false).unwrap();
                assert_eq!(worker.vm.stream(stream).unwrap().phase, Phase::Paused, "{early}");
            }
            worker.vm.trailers(stream, &vec![(b"t".to_vec(), b"1".to_vec())]).unwrap();
            assert_eq!(worker.vm.stream(stream).unwrap().phase, Phase::Paused, "{early}");
        }
        worker.until_callout();
        worker.answer(&keys(&["p256-1"]));
        assert_eq!(streams.map(|stream| worker.outcome(stream)), [200, 401], "{early}");
        assert_eq!(worker.vm.stream(streams[1]).unwrap().upstream, None);
        worker.vm.body(streams[1], b"more", true).unwrap();
        assert_eq!(worker.outcome(streams[1]), 401, "{early}");
    }
}

/// Some servers add trailers to the headers that they show.
#[test]
fn an_identity_header_does_not_come_in_as_a_trailer() {
    let line = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let sent = vec![
        line("x-jwt-sub", "root"),
        line("grpc-status", "0"),
        line("X_Jwt_Sub", "root"),
        line("x-jwt-sub", "root"),
        line("x.jwt.sub", "root"),
        line("x-jwt-subject", "kept"),
    ];
    let kept = vec![line("grpc-status", "0"), line("x-jwt-subject", "kept")];
    for is_held in [false, true] {
        let worker = if is_held { Worker::new(ENVOY, CONFIG) } else { Worker::warm(ENVOY, CONFIG) };
        let stream = worker.post("key=p256-1 sub=alice");
        worker.vm.body(stream, b"part", false).unwrap();
        worker.vm.trailers(stream, &sent).unwrap();
        if is_held {
            worker.until_callout();
            worker.answer(&keys(&["p256-1"]));
        }
        assert_eq!(worker.outcome(stream), 200, "{is_held}");
        assert_eq!(worker.upstream(stream, "x-jwt-sub"), ["alice"], "{is_held}");
        assert_eq!(worker.vm.stream(stream).unwrap().request_trailers, Some(kept.clone()));
        // A host that does not show them: nothing goes on that was not looked at.
        let worker = Worker::warm(ENVOY, CONFIG);
        let stream = worker.post("key=p256-1 sub=alice");
        let status = jwt_gate_test_host::Status::INTERNAL_FAILURE;
        worker.host.fail("proxy_get_header_map_pairs", status, jwt_gate_test_host::Times::Always);
        worker.vm.trailers(stream, &sent).unwrap();
        assert_eq!(worker.reply(stream).status, 503);
    }
}

#[test]
fn a_body_after_a_refusal_does_not_pass() {
    for early in [false, true] {
        let worker = Worker::warm(ENVOY, CONFIG);
        worker.host.allow_on_headers_stop_iteration(early);
        let rows = [("key=p256-1", 200), ("key=p256-1 sign=broken", 401), ("exp=-600", 401)];
        for (words, expected) in rows {
            let stream = worker.post(words);
            worker.vm.body(stream, b"part", false).unwrap();
            worker.vm.body(stream, b"part", true).unwrap();
            assert_eq!(worker.outcome(stream), expected, "{words}");
            let passed = worker.vm.stream(stream).unwrap().upstream.is_some();
            assert_eq!(passed, expected == 200, "{words}");
        }
    }
}

#[test]
fn a_refused_body_stays_even_where_the_host_could_not_answer() {
    let worker = Worker::warm(ENVOY, CONFIG);
    worker.host.allow_on_headers_stop_iteration(true);
    let status = jwt_gate_test_host::Status::INTERNAL_FAILURE;
    worker.host.fail("proxy_send_local_response", status, jwt_gate_test_host::Times::Always);
    let stream = worker.post("key=p256-1 sign=broken");
    worker.vm.body(stream, b"part", true).unwrap();
    worker.vm.trailers(stream, &Vec::new()).unwrap();
    assert_eq!(worker.vm.stream(stream).unwrap().phase, Phase::Paused);
}

#[test]
fn an_answer_does_not_touch_who_has_left() {
    let worker = Worker::new(ENVOY, CONFIG);
    let streams: Vec<_> = (0..5).map(|_| worker.send("key=p256-1")).collect();
    worker.until_callout();
    // The one that asked first, one in the middle, the last.
    for gone in [0, 2, 4] {
        worker.vm.disconnect(streams[gone]).unwrap();
    }
    worker.answer(&keys(&["p256-1"]));
    let outcomes: Vec<_> = streams.iter().map(|stream| worker.outcome(*stream)).collect();
    assert_eq!(outcomes, [0, 200, 0, 200, 0]);
    worker.host.advance(10 * SECOND).unwrap();
    assert_eq!(worker.outcome(streams[0]), 0);
    assert_eq!(worker.vm.metric("jwt_gate.outcomes.p.ok").unwrap().value, 2);
}

#[test]
fn who_is_one_too_many_is_answered_at_once() {
    let config = CONFIG.replace("\"rules\"", "\"limits\": {\"max_held_requests\": 3}, \"rules\"");
    let worker = Worker::new(ENVOY, &config);
    let streams: Vec<_> = (0..5).map(|_| worker.send("key=p256-1")).collect();
    let outcomes = |streams: &[StreamId]| streams.iter().map(|s| worker.outcome(*s)).collect();
    let first: Vec<_> = outcomes(&streams);
    assert_eq!(first, [0, 0, 0, 503, 503]);
    is_unavailable(&worker.reply(streams[3]), "the fourth");
    worker.vm.disconnect(streams[1]).unwrap();
    let late = worker.send("key=p256-1");
    assert_eq!(worker.outcome(late), 0, "there is room again");
    worker.until_callout();
    worker.answer(&keys(&["p256-1"]));
    let then: Vec<_> = outcomes(&[streams[0], streams[2], late]);
    assert_eq!(then, [200, 200, 200]);
    assert_eq!(worker.held(), 4);
}

#[test]
fn nobody_waits_longer_than_the_configured_time() {
    for (text, wait) in [("0.1s", 100_u32), ("1s", 1_000), ("5s", 5_000)] {
        let max_wait = format!("\"max_wait\": \"{text}\", \"cache_duration\"");
        let config = CONFIG.replace("\"1s\"", "\"30s\"").replace("\"cache_duration\"", &max_wait);
        let worker = Worker::new(ENVOY, &config);
        let early = worker.send("key=p256-1");
        worker.host.advance(37 * MS).unwrap();
        let late = worker.send("key=p256-1");
        for stream in [early, late] {
            let asked = worker.until_decided(stream);
            assert!(asked <= wait * MS + 500 * MS, "{text}: {asked:?}");
            is_unavailable(&worker.reply(stream), text);
        }
        assert_eq!(worker.vm.callouts().len(), 1, "the fetch goes on");
        worker.answer(&keys(&["p256-1"]));
        assert_eq!(worker.outcome(worker.send("key=p256-1")), 200);
    }
}

#[test]
fn a_request_that_came_to_an_old_fetch_is_answered_in_time() {
    let config = CONFIG.replace("\"cache_duration\"", "\"max_wait\": \"1s\", \"cache_duration\"");
    let worker = Worker::new(ENVOY, &config.replace("\"timeout\": \"1s\"", "\"timeout\": \"30s\""));
    worker.until_callout();
    worker.host.advance(7 * SECOND).unwrap();
    let stream = worker.send("key=p256-1");
    let waited = worker.until_decided(stream);
    assert!(SECOND <= waited && waited <= 1_500 * MS, "{waited:?}");
    is_unavailable(&worker.reply(stream), "no answer");
}

#[test]
fn a_failed_fetch_answers_who_waits_and_nobody_waits_for_the_pause() {
    let worker = Worker::new(ENVOY, CONFIG);
    let stream = worker.send("key=p256-1");
    worker.until_callout();
    worker.answer(&response(500, ""));
    is_unavailable(&worker.reply(stream), "the fetch failed");
    is_unavailable(&worker.reply(worker.send("key=p256-1")), "during the pause");
    assert_eq!(worker.vm.callouts_sent(), 1);
}

#[test]
fn a_provider_that_is_down_harms_its_own_users_alone() {
    let worker = Worker::new(ENVOY, TWO);
    let [a, b, both] = ["/a", "/b", "/both"].map(|path| worker.both(path));
    worker.until_callout();
    assert_eq!(worker.vm.callouts().len(), 2);
    worker.answer_at("a.example", &response(500, ""));
    assert_eq!([a, b, both].map(|s| worker.outcome(s)), [503, 0, 503]);
    worker.answer_at("b.example", &keys(&["p256-b"]));
    assert_eq!(worker.outcome(b), 200);
    assert_eq!(["/a", "/b", "/both"].map(|p| worker.outcome(worker.both(p))), [503, 200, 503]);
}

#[test]
fn who_needs_two_providers_waits_for_both() {
    for order in [["a", "b"], ["b", "a"]] {
        let worker = Worker::new(ENVOY, TWO);
        let both = worker.both("/both");
        worker.until_callout();
        let outcomes = order.map(|name| {
            worker.answer_at(&format!("{name}.example"), &keys(&[&format!("p256-{name}")]));
            worker.outcome(both)
        });
        assert_eq!(outcomes, [0, 200], "{order:?}");
        assert_eq!(worker.vm.callouts_sent(), 2);
    }
}

#[test]
fn a_token_with_a_new_key_is_held_until_the_key_is_there() {
    let worker = Worker::warm(ENVOY, CONFIG);
    worker.host.advance(10 * SECOND).unwrap();
    let new = worker.send("key=p256-2");
    let old = worker.send("key=p256-1");
    assert_eq!((worker.outcome(new), worker.outcome(old)), (0, 200));
    worker.until_callout();
    worker.answer(&keys(&["p256-1", "p256-2"]));
    assert_eq!(worker.outcome(new), 200);
    assert_eq!(worker.upstream(new, "x-jwt-sub"), ["alice"]);
    assert_eq!(worker.vm.callouts_sent(), 2);
}

#[test]
fn a_refetch_that_fails_refuses_the_unknown_key_for_now_and_keeps_the_others() {
    let worker = Worker::warm(ENVOY, CONFIG);
    worker.host.advance(10 * SECOND).unwrap();
    let new = worker.send("key=p256-2");
    worker.until_callout();
    worker.answer(&CalloutResult::Reset);
    assert_eq!(worker.outcome(new), 503);
    assert_eq!(worker.outcome(worker.send("key=p256-1")), 200);
    assert_eq!(worker.outcome(worker.send("key=p256-2")), 503, "during the pause");
}

#[test]
fn a_flood_of_unknown_kids_costs_ever_fewer_fetches() {
    let worker = Worker::warm(ENVOY, CONFIG);
    worker.host.advance(10 * SECOND).unwrap();
    let before = worker.vm.callouts_sent();
    let mut streams = Vec::new();
    // Intervals of 10 s, 20 s, 40 s, as none of them brings anything.
    for i in 0..3_000 {
        streams.push(worker.send(&format!("key=p256-9 kid=random-{i}")));
        worker.host.advance(20 * MS).unwrap();
        worker.answer(&keys(&["p256-1"]));
    }
    let sent = worker.vm.callouts_sent() - before;
    assert_eq!(sent, 3, "fetches in 60 s");
    worker.host.advance(2 * SECOND).unwrap();
    let outcomes = streams.iter().map(|stream| worker.outcome(*stream));
    let counts = outcomes.fold([0, 0, 0], |[refused, unknown, other], outcome| match outcome {
        401 => [refused + 1, unknown, other],
        503 => [refused, unknown + 1, other],
        _ => [refused, unknown, other + 1],
    });
    assert!(counts[0] >= 3 && counts[2] == 0, "{counts:?}");
    assert_eq!(worker.outcome(worker.send("key=p256-1")), 200);
}

#[test]
fn nginx_holds_nobody() {
    let worker = Worker::new(Personality::Nginx, CONFIG);
    let tells = |row: &str| {
        let stream = worker.send("key=p256-1");
        is_unavailable(&worker.reply(stream), row);
        let posted = worker.post("key=p256-1");
        worker.vm.body(posted, b"part", true).unwrap();
        is_unavailable(&worker.reply(posted), row);
    };
    tells("before the first tick");
    worker.until_callout();
    tells("during the fetch");
    worker.answer(&response(500, ""));
    tells("after a failure");
    assert_eq!(worker.vm.callouts_sent(), 1);
    worker.until_callout();
    worker.answer(&keys(&["p256-1"]));
    assert_eq!(worker.outcome(worker.send("key=p256-1")), 200);
    worker.host.advance(10 * SECOND).unwrap();
    assert_eq!(worker.outcome(worker.send("key=p256-2")), 503, "an unknown kid");
    worker.until_callout();
    worker.answer(&keys(&["p256-1", "p256-2"]));
    assert_eq!(worker.outcome(worker.send("key=p256-2")), 200);
    assert_eq!((worker.held(), worker.vm.callouts_sent()), (0, 3));
}
