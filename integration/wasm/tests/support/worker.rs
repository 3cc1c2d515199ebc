//! One worker of a proxy.

use jwt_gate_test_host::{CalloutResult, Host, Personality, Phase, RootId, StreamId, Vm};

use crate::support::{host, keys, module, request, token};

/// One worker of a proxy, with a configuration. Every call of the guest must return.
pub(crate) struct Worker {
    pub(crate) host: Host,
    pub(crate) vm: Vm,
    pub(crate) root: RootId,
}

impl Worker {
    /// A worker that has just taken its configuration.
    pub(crate) fn new(personality: Personality, config: &str) -> Self {
        Self::on(host(personality), config)
    }

    /// The same on a host of one's own.
    pub(crate) fn on(host: Host, config: &str) -> Self {
        let vm = host.vm(module()).unwrap();
        let root = vm.configure(config.as_bytes()).unwrap().expect("the configuration is good");
        Self { host, vm, root }
    }

    /// A worker that holds the keys `p256-1`.
    pub(crate) fn warm(personality: Personality, config: &str) -> Self {
        let worker = Self::new(personality, config);
        worker.until_callout();
        worker.answer(&keys(&["p256-1"]));
        worker
    }

    /// Lets ticks pass until the guest has asked for keys.
    pub(crate) fn until_callout(&self) {
        for _ in 0..10_000 {
            if !self.vm.callouts().is_empty() {
                return;
            }
            self.host.advance(self.host.until_next_tick().expect("it ticks")).unwrap();
        }
        panic!("the guest asks for no keys: {:?}", self.vm.logs().last());
    }

    /// Answers all callouts alike.
    pub(crate) fn answer(&self, result: &CalloutResult) {
        for callout in self.vm.callouts() {
            self.vm.deliver(callout.token, result.clone()).unwrap();
        }
    }

    /// Sends a request with a token made of these words.
    pub(crate) fn send(&self, words: &str) -> StreamId {
        self.vm.request(self.root, &request(&token(&self.host, words))).unwrap()
    }

    /// Whether a request went on (200), was answered (its status), or is held (0).
    pub(crate) fn outcome(&self, stream: StreamId) -> u32 {
        outcome(&self.vm, stream)
    }
}

/// Whether a request went on (200), was answered (its status), or is held (0).
pub(crate) fn outcome(vm: &Vm, stream: StreamId) -> u32 {
    match vm.stream(stream).unwrap().phase {
        Phase::Continued => 200,
        Phase::Paused => 0,
        Phase::Replied(reply) => reply.status,
    }
}
