//! A long pseudo-random sequence of callbacks, as no proxy would make them.

use jwt_gate_test_host::{
    CalloutResult, Host, Personality, Phase, Request, RootId, Status, StreamId, Times, Trap, Vm,
};

use crate::support::{CONFIG, MS, SECOND, host, jwks, keys, module, request, response, token};

/// Callbacks of a walk. `STEPS` says another number.
const STEPS: u32 = 10_000;

fn steps() -> u32 {
    std::env::var("STEPS").map_or(STEPS, |steps| steps.parse().unwrap())
}

/// Pages of 64 KiB by which the memory may grow once it has seen everything.
const GROWTH: u64 = 4;

/// Hostcalls that fail now and then on this way.
const FAILING: [&str; 13] = [
    "proxy_add_header_map_value",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_shared_data",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_shared_data",
];

/// Marsaglia's xorshift: the same walk for the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { Some(&all[self.below(all.len())]) }
    }
}

#[derive(Debug)]
struct Open {
    stream: StreamId,
    root: RootId,
    good: bool,
    /// Whether the host did not tell the truth while it was decided on.
    lied: bool,
}

struct Walk {
    dice: Dice,
    host: Host,
    vm: Vm,
    roots: Vec<RootId>,
    open: Vec<Open>,
    tokens: Vec<String>,
    passed: u32,
    lies: bool,
}

/// Words of a token, and whether it is good with the keys `ed25519-1`.
const TOKENS: [(&str, bool); 7] = [
    ("key=ed25519-1 exp=+99999999", true),
    ("key=ed25519-1 exp=+99999999 sub=bob", true),
    ("key=ed25519-1 exp=+99999999 sub=eve sign=broken", false),
    ("key=ed25519-2 exp=+99999999 sub=mallory", false),
    ("key=ed25519-2 exp=+99999999 sub=mallory kid=ed25519-1", false),
    ("key=ed25519-1 exp=-600 sub=late", false),
    ("key=ed25519-1 exp=+99999999 iss=https://other.example", false),
];

/// Walks from a seed, which stands in every message.
pub(crate) fn walk(personality: Personality, seed: u64) {
    let host = host(personality);
    let vm = host.vm(module()).unwrap();
    let tokens = TOKENS.iter().map(|(words, _)| token(&host, words)).collect();
    let (roots, open) = (Vec::new(), Vec::new());
    let mut walk = Walk { dice: Dice(seed), host, vm, roots, open, tokens, passed: 0, lies: false };
    walk.configure().unwrap();
    let mut pages = 0;
    let steps = steps();
    for step in 0..steps {
        let row = format!("seed {seed:#x}, step {step}");
        walk.step().unwrap_or_else(|trap| panic!("{row}: {trap}"));
        walk.nobody_passed(&row);
        if step == steps / 10 {
            pages = walk.vm.memory_pages();
        }
    }
    let now = walk.vm.memory_pages();
    assert!(now <= pages + GROWTH, "seed {seed:#x}: {now} pages after {pages}");
    assert!(walk.passed > steps / 100, "seed {seed:#x}: only {} passed", walk.passed);
    walk.logs_no_token(seed);
    let known = |call: &&str| crate::HOSTCALLS.contains(call);
    let unknown: Vec<_> = walk.vm.hostcalls().into_keys().filter(|call| !known(call)).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "these are missing in the table of hostcalls");
}

impl Walk {
    fn step(&mut self) -> Result<(), Trap> {
        match self.dice.below(100) {
            0..30 => self.request(),
            30..45 => self.leave(),
            45..55 => self.body(),
            55..60 => self.trailers(),
            60..75 => self.host.advance(MS * u32::try_from(self.dice.below(700)).unwrap()),
            75..77 => self.host.advance(SECOND * u32::try_from(self.dice.below(40)).unwrap()),
            77..90 => self.answer(),
            90..92 => {
                self.write_garbage();
                Ok(())
            }
            92 => {
                self.host.lie(u64::try_from(self.dice.below(usize::MAX >> 33)).unwrap());
                self.lies = true;
                self.open.iter_mut().for_each(|open| open.lied = true);
                Ok(())
            }
            93..95 => {
                let hostcall = *self.dice.one_of(&FAILING).unwrap();
                let status = Status(u32::try_from(self.dice.below(12)).unwrap() + 1);
                self.host.fail(
                    hostcall,
                    status,
                    Times::After(u32::try_from(self.dice.below(4)).unwrap()),
                );
                Ok(())
            }
            95..98 => {
                self.host.heal();
                self.lies = false;
                self.host.allow_on_headers_stop_iteration(self.dice.below(2) == 0);
                Ok(())
            }
            98 => self.jump(),
            _ => self.configure(),
        }
    }

    fn request(&mut self) -> Result<(), Trap> {
        let Some(root) = self.dice.one_of(&self.roots).copied() else { return Ok(()) };
        let at = self.dice.below(TOKENS.len() + 2);
        let (mut request, good) = match TOKENS.get(at) {
            Some((_, good)) => (request(&self.tokens[at]), *good),
            None => (Request::get("/orders").with("authorization", [0xFF, b'.', 0x80]), false),
        };
        if self.dice.below(3) == 0 {
            request.headers[0].1 = b"POST".to_vec();
            request.end_of_stream = false;
        }
        let stream = self.vm.request(root, &request)?;
        self.open.push(Open { stream, root, good, lied: self.lies });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Trap> {
        if self.open.is_empty() {
            return Ok(());
        }
        let at = self.dice.below(self.open.len());
        self.vm.disconnect(self.open.swap_remove(at).stream)
    }

    fn body(&mut self) -> Result<(), Trap> {
        let last = self.dice.below(2) == 0;
        match self.dice.one_of(&self.open) {
            Some(open) => self.vm.body(open.stream, b"part", last),
            None => Ok(()),
        }
    }

    fn trailers(&mut self) -> Result<(), Trap> {
        match self.dice.one_of(&self.open) {
            Some(open) => self.vm.trailers(
                open.stream,
                &vec![(b"t".to_vec(), vec![0xFF]), (b"X_Jwt_Sub".to_vec(), b"x".to_vec())],
            ),
            None => Ok(()),
        }
    }

    fn answer(&mut self) -> Result<(), Trap> {
        let callouts = self.vm.callouts();
        let Some(callout) = self.dice.one_of(&callouts) else { return Ok(()) };
        let headers = vec![(b":status".to_vec(), b"200".to_vec())];
        let result = match self.dice.below(12) {
            0 => CalloutResult::Refused,
            1 => CalloutResult::Reset,
            2 => CalloutResult::Timeout,
            3 => CalloutResult::MidBody { headers, announced: 77 },
            4 => CalloutResult::TooLarge { headers, announced: u32::MAX },
            5 => response(500, "no"),
            6 => response(200, [0xFE; 99]),
            _ => keys(&["ed25519-1"]),
        };
        self.vm.deliver(callout.token, result)
    }

    /// What another filter could write, but no key set: that would be believed.
    fn write_garbage(&mut self) {
        let shared = self.host.shared_data();
        let all = shared.keys();
        let Some(key) = self.dice.one_of(&all) else { return };
        let mut record = vec![1];
        for _ in 0..3 {
            let now = u64::try_from(self.host.now().as_millis()).unwrap();
            let time = [0, now, now + 5_000, u64::MAX][self.dice.below(4)];
            record.extend(time.to_le_bytes());
        }
        let good = jwks(&["ed25519-1"]);
        match self.dice.below(4) {
            0 => shared.remove(key),
            1 => shared.write(key, &record[..self.dice.below(record.len())]),
            2 => shared.write(key, &record),
            _ => shared.write(key, &[&record, &good.as_bytes()[..good.len() / 2]].concat()),
        }
    }

    /// An administrator sets the clock, by up to a minute.
    fn jump(&mut self) -> Result<(), Trap> {
        let by = SECOND * u32::try_from(self.dice.below(60)).unwrap();
        let now = self.host.now();
        self.host.set_time(if self.dice.below(2) == 0 { now + by } else { now - by });
        Ok(())
    }

    /// An update, at times a bad one; of more than two roots the oldest goes.
    fn configure(&mut self) -> Result<(), Trap> {
        let short = CONFIG.replace("600s", "20s");
        let configs = [short.clone(), short.replace("jwks.json", "new.json"), "{".to_owned()];
        let at = if self.roots.is_empty() { 0 } else { self.dice.below(configs.len()) };
        self.roots.extend(self.vm.configure(configs[at].as_bytes())?);
        if self.roots.len() > 2 {
            let old = self.roots.remove(0);
            let (gone, open) =
                std::mem::take(&mut self.open).into_iter().partition(|o| o.root == old);
            self.open = open;
            let gone: Vec<Open> = gone;
            gone.iter().try_for_each(|open| self.vm.disconnect(open.stream))?;
            self.vm.remove_root(old)?;
        }
        Ok(())
    }

    fn nobody_passed(&mut self, row: &str) {
        for open in &self.open {
            let state = self.vm.stream(open.stream).unwrap();
            let upstream = state.upstream.unwrap_or_default();
            let passed = state.phase == Phase::Continued;
            assert!(open.good || (!passed && upstream.is_empty()), "{row}: {open:?}");
            let spoofed = upstream.iter().any(|(_, value)| value == b"spoofed");
            assert!(open.lied || !spoofed, "{row}: spoofed");
        }
        let last = self.open.last().map(|open| self.vm.stream(open.stream).unwrap().phase);
        self.passed += u32::from(last == Some(Phase::Continued));
    }

    fn logs_no_token(&self, seed: u64) {
        let parts: Vec<&str> = self.tokens.iter().flat_map(|token| token.split('.')).collect();
        for line in self.vm.logs() {
            let told = parts.iter().find(|part| line.text.contains(**part));
            assert_eq!(told, None, "seed {seed:#x}: {}", line.text);
        }
    }
}
