//! A worker of Envoy whose instructions are counted.

use std::sync::OnceLock;
use std::time::Instant;

use jwt_gate_test_host::{Host, Module, Personality, Request, RootId, Vm};

use crate::cases::{Case, bearer};
use crate::metered::{keyring, linked, metered};

fn unmetered() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::from_bytes(&linked()).unwrap())
}

/// A worker with a configuration.
pub(crate) struct Worker {
    pub(crate) host: Host,
    pub(crate) vm: Vm,
    pub(crate) root: RootId,
}

impl Worker {
    pub(crate) fn new(config: &str) -> Self {
        Self::of(metered(), config)
    }

    fn of(module: &Module, config: &str) -> Self {
        let host = Host::new(Personality::Envoy);
        let vm = host.vm(module).unwrap();
        let root = vm.configure(config.as_bytes()).unwrap();
        let root = root.unwrap_or_else(|| panic!("{:?}", vm.logs().last()));
        Self { host, vm, root }
    }

    /// The instructions of a request, from its beginning to its end.
    pub(crate) fn cost(&self, request: &Request) -> u64 {
        let before = self.vm.fuel_spent().unwrap();
        self.send(request);
        self.vm.fuel_spent().unwrap() - before
    }

    fn send(&self, request: &Request) {
        let stream = self.vm.request(self.root, request).unwrap();
        self.vm.disconnect(stream).unwrap();
    }

    pub(crate) fn token(&self, words: &str) -> String {
        keyring().mint(self.host.now().as_secs(), words).unwrap()
    }
}

/// How long such a request takes when it comes for the first time, the best of some.
pub(crate) fn milliseconds(case: &Case) -> f64 {
    let time = || {
        let worker = Worker::of(unmetered(), &case.config);
        worker.send(&bearer("a.b.c"));
        let request = case.request(&worker);
        let start = Instant::now();
        worker.send(&request);
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..5).map(|_| time()).fold(f64::INFINITY, f64::min)
}
