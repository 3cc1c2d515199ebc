//! The life of a worker, from its configuration to its last request, under an injected failure.

use std::sync::OnceLock;

use jwt_gate_test_host::{
    Host, Personality, Phase, Request, RootId, Status, StreamId, Times, Trap, Vm,
};

use crate::support::{MS, SECOND, host, keys, module, request, response, token};

/// A failure of a hostcall, and the stage of the life at which it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) hostcall: &'static str,
    pub(crate) status: Status,
    pub(crate) times: Times,
    pub(crate) stage: usize,
}

/// What must not happen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Wrong {
    /// The guest trapped.
    Trapped(String),
    /// A request without a good token reached the upstream.
    Passed,
    /// A header that only the gate may write reached the upstream as the client sent it.
    Spoofed,
    /// The host is well again, and good requests are still refused.
    Stuck,
}

/// A good token, and requests of those who have none.
struct Callers {
    good: Request,
    bad: Vec<Request>,
}

fn callers() -> &'static Callers {
    static CALLERS: OnceLock<Callers> = OnceLock::new();
    CALLERS.get_or_init(|| {
        let host = Host::new(Personality::Envoy);
        let with = |words| request(&token(&host, words));
        let unsigned = ["key=ed25519-1 sign=broken", "key=ed25519-2 kid=ed25519-1"];
        let other = ["key=ed25519-2", "key=ed25519-1 exp=-600", "alg=none kid=- sign=none"];
        let mut bad: Vec<_> = unsigned.into_iter().chain(other).map(with).collect();
        bad.push(Request::get("/orders").with("x-jwt-sub", "spoofed"));
        bad.push(Request::get("/orders").with("authorization", "Bearer a.b.c"));
        bad = bad.into_iter().map(|request| request.with("x-admin", "1")).collect();
        let mut post = bad[0].clone();
        post.headers[0].1 = b"POST".to_vec();
        post.end_of_stream = false;
        bad.push(post);
        Callers { good: with("key=ed25519-1"), bad }
    })
}

struct Life {
    host: Host,
    vm: Vm,
    config: String,
    root: Option<RootId>,
    good: Vec<StreamId>,
    bad: Vec<StreamId>,
}

type Stage = fn(&mut Life) -> Result<(), Trap>;

/// Number of stages of a life.
pub(crate) const STAGES: usize = LIFE.len();

const LIFE: [Stage; 7] = [
    Life::configure,
    |life| life.host.advance(600 * MS),
    Life::requests,
    |life| life.answer(true),
    Life::requests,
    |life| {
        life.host.advance(SECOND)?;
        life.answer(false)
    },
    Life::leave,
];

/// Lives with a failure; says what must not have happened.
pub(crate) fn live(personality: Personality, config: &str, fault: &Fault) -> Result<(), Wrong> {
    let host = host(personality);
    let vm = host.vm(module()).unwrap();
    let config = config.to_owned();
    let mut life = Life { host, vm, config, root: None, good: Vec::new(), bad: Vec::new() };
    for (at, stage) in LIFE.into_iter().enumerate() {
        if at == fault.stage {
            life.host.fail(fault.hostcall, fault.status, fault.times);
        }
        let lived = stage(&mut life);
        life.nobody_passed()?;
        lived.map_err(|trap| Wrong::Trapped(trap.to_string()))?;
    }
    life.host.heal();
    life.recovers()
}

impl Life {
    fn configure(&mut self) -> Result<(), Trap> {
        self.root = self.vm.configure(self.config.as_bytes())?;
        Ok(())
    }

    fn requests(&mut self) -> Result<(), Trap> {
        let Some(root) = self.root else { return Ok(()) };
        for request in &callers().bad {
            let opened = self.vm.request(root, request);
            self.bad.extend(self.vm.streams().last());
            let stream = opened?;
            if !request.end_of_stream {
                self.vm.body(stream, b"part", false)?;
                self.vm.body(stream, b"part", true)?;
            }
        }
        let opened = self.vm.request(root, &callers().good);
        self.good.extend(self.vm.streams().last());
        opened.map(drop)
    }

    fn answer(&mut self, well: bool) -> Result<(), Trap> {
        for callout in self.vm.callouts() {
            let result = if well { keys(&["ed25519-1"]) } else { response(500, "") };
            self.vm.deliver(callout.token, result)?;
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Trap> {
        for stream in self.good.iter().chain(&self.bad) {
            self.vm.disconnect(*stream)?;
        }
        self.host.advance(2 * SECOND)
    }

    fn nobody_passed(&self) -> Result<(), Wrong> {
        for stream in &self.bad {
            let state = self.vm.stream(*stream).unwrap();
            if state.phase == Phase::Continued || state.upstream.is_some() {
                return Err(Wrong::Passed);
            }
        }
        for stream in &self.good {
            let upstream = self.vm.stream(*stream).unwrap().upstream.unwrap_or_default();
            if upstream.iter().any(|(_, value)| value == b"spoofed") {
                return Err(Wrong::Spoofed);
            }
        }
        Ok(())
    }

    /// Once the host is well again, so is the gate, soon.
    fn recovers(&mut self) -> Result<(), Wrong> {
        let Some(root) = self.root else { return Ok(()) };
        let trapped = |trap: Trap| Wrong::Trapped(trap.to_string());
        for _ in 0..90 {
            self.host.advance(SECOND).map_err(trapped)?;
            self.answer(true).map_err(trapped)?;
            let stream = self.vm.request(root, &callers().good).map_err(trapped)?;
            if self.vm.stream(stream).unwrap().phase == Phase::Continued {
                return Ok(());
            }
        }
        Err(Wrong::Stuck)
    }
}
