//! The module on a host like NGINX: what it imports, how identity reaches the upstream, and keys
//! that workers share.

use jwt_gate_test_host::{
    CalloutResult, Cluster, Headers, Host, Level, Personality, Phase, Request, Trap,
};

use crate::support::{CONFIG, MS, SECOND, host, keys, module, request, token};
use crate::worker::{Worker, outcome};

const NGINX: Personality = Personality::Nginx;

/// The hostcalls of ABI 0.2.1 that ngx_wasm_module registers with the signature that the ABI has. Some
/// trap there whenever they are called: the SDK imports those, and the module calls none of them.
/// `proxy_get_log_level` has another signature there, so that a module which imports it does not load.
const REGISTERED: [&str; 36] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_metric",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

/// What all hosts have of WASI.
const WASI: [&str; 6] =
    ["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"];

/// The values that the upstream got under a name.
fn told(worker: &Worker, request: &Request, name: &str) -> Option<Vec<String>> {
    let stream = worker.vm.request(worker.root, request).unwrap();
    let upstream: Headers = worker.vm.stream(stream).unwrap().upstream?;
    let named = upstream.into_iter().filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
    Some(named.map(|(_, value)| String::from_utf8(value).unwrap()).collect())
}

#[test]
fn nothing_is_imported_that_nginx_lacks() {
    for (from, name) in module().imports() {
        match from.as_str() {
            "env" => assert!(REGISTERED.contains(&name.as_str()), "{name}"),
            "wasi_snapshot_preview1" => assert!(WASI.contains(&name.as_str()), "{name}"),
            _ => panic!("{from}.{name}"),
        }
    }
}

/// ngx_wasm_module calls these without looking whether they are there: where one is not, the worker
/// ends with a segmentation fault at its first request.
const CALLED: [&str; 14] = [
    "proxy_on_memory_allocate",
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_http_call_response",
    "proxy_on_response_headers",
    "proxy_on_response_body",
    "proxy_on_response_trailers",
    "proxy_on_done",
    "proxy_on_log",
    "proxy_on_delete",
];

#[test]
fn whatever_nginx_calls_is_exported() {
    let exports = module().exports();
    for name in CALLED {
        assert!(exports.iter().any(|export| export == name), "{name}");
    }
}

#[test]
fn identity_reaches_the_upstream_by_a_variable() {
    let worker = Worker::warm(NGINX, CONFIG);
    let good = request(&token(&worker.host, "key=p256-1"));
    assert_eq!(told(&worker, &good, "x-jwt-sub").unwrap(), ["alice"]);
    let silent = request(&token(&worker.host, "key=p256-1 sub=-"));
    assert_eq!(told(&worker, &silent, "x-jwt-sub").unwrap(), [""; 0]);
}

/// Who forgets the directive finds no identity at the upstream, and never a client's.
#[test]
fn without_the_directive_the_clients_value_is_gone_all_the_same() {
    let host = Host::new(NGINX);
    host.set_cluster("idp", Cluster::Healthy);
    host.set_variable("jwt_gate_x_jwt_sub");
    let worker = Worker::on(host, CONFIG);
    worker.until_callout();
    worker.answer(&keys(&["p256-1"]));
    let good = request(&token(&worker.host, "key=p256-1"));
    assert_eq!(told(&worker, &good, "x-jwt-sub").unwrap(), [""]);
}

#[test]
fn an_identity_header_that_comes_twice_is_refused() {
    let worker = Worker::warm(NGINX, CONFIG);
    let twice = request(&token(&worker.host, "key=p256-1")).with("X-JWT-Sub", "mallory");
    let stream = worker.vm.request(worker.root, &twice).unwrap();
    assert_eq!(worker.outcome(stream), 400);
}

#[test]
fn a_variable_that_the_configuration_lacks_ends_in_503_and_says_what_to_add() {
    let host = Host::new(NGINX);
    host.set_cluster("idp", Cluster::Healthy);
    let worker = Worker::on(host, CONFIG);
    worker.until_callout();
    worker.answer(&keys(&["p256-1"]));
    let stream = worker.send("key=p256-1");
    assert_eq!(worker.outcome(stream), 503);
    let errors = worker.vm.logs().into_iter().filter(|line| line.level == Level::Error);
    let first = errors.map(|line| line.text).next().unwrap();
    let expected = "NGINX has no variable `$jwt_gate_x_jwt_sub`: add \
                    `set $jwt_gate_x_jwt_sub \"\";` and \
                    `proxy_set_header x-jwt-sub $jwt_gate_x_jwt_sub;` to its configuration";
    assert!(first.ends_with(expected), "{first}");
}

#[test]
fn no_failure_of_a_fetch_lets_a_request_through() {
    let headers = vec![(b":status".to_vec(), b"200".to_vec())];
    for end in [
        CalloutResult::Unresolved,
        CalloutResult::TlsFailure,
        CalloutResult::Refused,
        CalloutResult::Reset,
        CalloutResult::Timeout,
        CalloutResult::MidBody { headers: headers.clone(), announced: 100 },
        CalloutResult::EarlyHints { headers, body: b"{}".to_vec() },
    ] {
        let worker = Worker::new(NGINX, CONFIG);
        worker.until_callout();
        worker.answer(&end);
        let stream = worker.send("key=p256-1");
        assert_eq!(worker.outcome(stream), 503, "{end:?}");
        assert_eq!(worker.vm.trap(), None, "{end:?}");
    }
}

fn sharing() -> String {
    CONFIG.replacen('{', r#"{ "share_keys": true,"#, 1)
}

#[test]
fn workers_share_one_fetch_where_the_configuration_says_so() {
    for (config, fetches) in [(sharing(), 1), (CONFIG.to_owned(), 3)] {
        let host = host(NGINX);
        let workers: Vec<_> = (0..3).map(|_| host.vm(module()).unwrap()).collect();
        let roots: Vec<_> = workers
            .iter()
            .map(|vm| vm.configure(config.as_bytes()).unwrap().expect("the configuration is good"))
            .collect();
        for _ in 0..4 {
            host.advance(SECOND).unwrap();
            for vm in &workers {
                for callout in vm.callouts() {
                    vm.deliver(callout.token, keys(&["p256-1"])).unwrap();
                }
            }
        }
        let sent: u32 = workers.iter().map(|vm| vm.callouts_sent()).sum();
        assert_eq!(sent, fetches, "{config}");
        for (vm, root) in workers.iter().zip(roots) {
            let stream = vm.request(root, &request(&token(&host, "key=p256-1"))).unwrap();
            assert_eq!(outcome(vm, stream), 200);
        }
    }
}

/// NGINX then does not start, rather than lose a worker later.
#[test]
fn keys_cannot_be_shared_without_a_zone_for_them() {
    let host = Host::new(NGINX);
    host.set_shared_memory(false);
    let trap = host.vm(module()).unwrap().configure(sharing().as_bytes()).unwrap_err();
    assert!(matches!(&trap, Trap::Rule { rule, .. } if rule.contains("shm_kv")), "{trap}");
}

#[test]
fn without_that_setting_no_zone_is_needed() {
    let worker = Worker::new(NGINX, CONFIG);
    worker.host.set_shared_memory(false);
    worker.host.advance(1_500 * MS).unwrap();
    worker.answer(&keys(&["p256-1"]));
    let stream = worker.send("key=p256-1");
    assert_eq!(worker.vm.stream(stream).unwrap().phase, Phase::Continued);
}
