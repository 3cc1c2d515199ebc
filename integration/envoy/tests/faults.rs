//! Everything that can be wrong with an identity provider, in a real Envoy and under load: all at
//! once, each with a provider and a cluster of its own. No verdict may be wrong, whatever happens.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "test code; Envoy takes its time from the same clock"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{
    Behaviour, Bootstrap, Client, Cluster, Connection, Envoy, Fault, Filter, Idp, Listener, Module,
    Options, Request, Upstream,
};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

/// How long each trouble lasts: several fetches fail in it.
const TROUBLE: Duration = Duration::from_secs(6);
/// Time within which a token has to pass that will: pauses between fetches are up to 8 s.
const PATIENCE: Duration = Duration::from_secs(40);
/// Pause of a client between two requests.
const PAUSE: Duration = Duration::from_millis(4);

/// What is wrong.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Each answer is this.
    Answer(fn(&Keyring) -> Behaviour),
    /// Nobody listens.
    Refused,
    /// It goes and comes back, again and again.
    Restarts,
}

fn keys(keyring: &Keyring, names: &[&str]) -> Behaviour {
    Behaviour::ok(keyring.jwks(names).unwrap())
}

fn faulty(keyring: &Keyring, fault: Fault) -> Behaviour {
    keys(keyring, &["ed25519-1", "ed25519-2"]).with_fault(fault)
}

#[rustfmt::skip]
fn troubles() -> Vec<(&'static str, Trouble)> {
    use Trouble::{Answer, Refused, Restarts};
    vec![
        ("connection refused", Refused),
        ("restarted every second", Restarts),
        ("reset before the headers", Answer(|k| faulty(k, Fault::Reset))),
        ("reset in the headers", Answer(|k| faulty(k, Fault::CutHeaders))),
        ("reset in the body", Answer(|k| faulty(k, Fault::Truncated))),
        ("no answer in time", Answer(|k| faulty(k, Fault::Timeout))),
        ("ten bytes a second", Answer(|k| faulty(k, Fault::Drip))),
        ("status 500", Answer(|k| keys(k, &["ed25519-2"]).with_status(500))),
        ("a redirect", Answer(|_| {
            Behaviour::ok("").with_status(302).with_header("location", "https://idp.test/evil")
        })),
        ("a web page", Answer(|_| {
            Behaviour::ok("<!doctype html><title>Sign in</title>").with_header("content-type", "text/html")
        })),
        ("an empty set", Answer(|_| Behaviour::ok(r#"{"keys":[]}"#))),
        ("JSON of another kind", Answer(|_| Behaviour::ok(r#"{"keys":{"kty":"OKP"}}"#))),
        ("a body of 40 MB", Answer(|_| Behaviour::of_size(40 << 20))),
    ]
}

/// An identity provider with keys from the beginning, or without any before it is well.
struct Party {
    name: String,
    row: &'static str,
    trouble: Trouble,
    /// Whether it has keys at the beginning.
    is_warm: bool,
    idp: Idp,
}

impl Party {
    fn new(
        number: usize,
        (row, trouble): (&'static str, Trouble),
        is_warm: bool,
        keyring: &Keyring,
    ) -> Self {
        let warmth = if is_warm { "warm" } else { "cold" };
        let idp = Idp::start().unwrap();
        idp.set("/evil", keys(keyring, &["ed25519-evil"]));
        let party = Self { name: format!("{warmth}{number}"), row, trouble, is_warm, idp };
        if is_warm {
            party.mend(keyring, &["ed25519-1"]);
        } else {
            party.worsen(keyring);
        }
        party
    }

    fn worsen(&self, keyring: &Keyring) {
        match self.trouble {
            Trouble::Answer(answer) => self.idp.set("/jwks", answer(keyring)),
            Trouble::Refused | Trouble::Restarts => {
                self.mend(keyring, &["ed25519-1", "ed25519-2"]);
                self.idp.stop();
            }
        }
    }

    fn mend(&self, keyring: &Keyring, names: &[&str]) {
        self.idp.set("/jwks", keys(keyring, names));
    }
}

/// Troubles in which each fetch ends in the same way, however slow the machine is.
const PLAIN: [&str; 5] =
    ["status 500", "a redirect", "a web page", "an empty set", "JSON of another kind"];

/// Providers without an endpoint: one whose cluster is empty, one without a cluster.
const LOST: [&str; 2] = ["empty", "missing"];

fn provider(cluster: &str) -> Value {
    json!({
        "issuer": "https://idp.example",
        "remote_jwks": {
            "http_uri": { "uri": "https://idp.test/jwks", "cluster": cluster, "timeout": "0.5s" },
            "cache_duration": "1s", "max_wait": "0.3s", "min_interval": "1s",
            "async_fetch": { "failed_refetch_duration": "0.2s" },
        },
    })
}

/// A sort of token.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Sort {
    /// Signed by the key that is there from the beginning.
    Good,
    /// Signed by a key that is published while nobody can fetch it.
    New,
    /// With a wrong signature under a known name.
    Broken,
    /// By a key of the attacker, under a name of their own.
    Evil,
}

impl Sort {
    const ALL: [(Self, &str); 4] = [
        (Self::Good, "key=ed25519-1"),
        (Self::New, "key=ed25519-2"),
        (Self::Broken, "key=ed25519-1 sign=broken"),
        (Self::Evil, "key=ed25519-evil"),
    ];

    /// Whether a status is no wrong verdict. Who is not sure says 503.
    fn may_get(self, status: u16, has_keys: bool) -> bool {
        match self {
            // Held keys go on serving.
            Self::Good if has_keys => status == 200,
            Self::Good | Self::New => matches!(status, 200 | 503),
            Self::Broken if has_keys => status == 401,
            Self::Broken | Self::Evil => matches!(status, 401 | 503),
        }
    }
}

/// Statuses by the sort of token, and those that are wrong.
#[derive(Debug, Default)]
struct Tally {
    counts: BTreeMap<(Sort, u16), u64>,
    wrong: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sort, _) in Sort::ALL {
            let each = self.counts.iter().filter(|((of, _), _)| *of == sort);
            let each: Vec<_> = each.map(|((_, status), n)| format!("{status}: {n}")).collect();
            write!(f, " {:<22}", each.join(", "))?;
        }
        write!(f, " {:>5}", self.wrong.len())
    }
}

/// A client of one provider, on one connection.
struct User<'t> {
    party: &'t Party,
    connection: Connection,
    tokens: &'t BTreeMap<Sort, String>,
    tally: Tally,
}

impl User<'_> {
    /// The status of the answer; 0: there was none.
    fn send(&mut self, sort: Sort) -> u16 {
        let request = Request::new("GET", format!("/{}", self.party.name));
        let request = request.header("host", "api.example");
        let bearer = format!("Bearer {}", self.tokens[&sort]);
        let answer = self.connection.send(&request.header("authorization", bearer));
        answer.map_or(0, |answer| answer.status)
    }

    /// Sends one token of each sort.
    fn round(&mut self, has_keys: bool) {
        for (sort, _) in Sort::ALL {
            let status = self.send(sort);
            *self.tally.counts.entry((sort, status)).or_default() += 1;
            if !sort.may_get(status, has_keys) {
                self.tally.wrong.push(format!("{}: {sort:?} gets {status}", self.party.name));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Sends tokens of this sort until one passes.
    fn until_passes(&mut self, sort: Sort) {
        let end = Instant::now() + PATIENCE;
        while self.send(sort) != 200 {
            if Instant::now() > end {
                // Nobody panics while others wait at the barrier.
                let name = &self.party.name;
                self.tally.wrong.push(format!("{name}: {sort:?} does not pass in {PATIENCE:?}"));
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Before the trouble, in it, after it.
    fn run(mut self, begin: &Barrier, is_over: &AtomicBool) -> Tally {
        if self.party.is_warm {
            self.until_passes(Sort::Good);
        }
        // Once while all is about to change, and once when it has.
        begin.wait();
        begin.wait();
        while !is_over.load(Ordering::SeqCst) {
            self.round(self.party.is_warm);
        }
        self.until_passes(Sort::New);
        // Each worker of Envoy has learned of it by then.
        thread::sleep(Duration::from_secs(1));
        for _ in 0..20 {
            self.round(true);
        }
        self.tally
    }
}

fn tokens(keyring: &Keyring) -> BTreeMap<Sort, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Sort::ALL.map(|(sort, words)| (sort, keyring.mint(now, words).unwrap())).into()
}

/// The providers of all parties, and two whose clusters lead nowhere.
fn config(parties: &[Party]) -> String {
    let lost = LOST.map(|name| (name.to_owned(), provider(name)));
    let providers = parties.iter().map(|party| (party.name.clone(), provider(&party.name)));
    let providers: serde_json::Map<_, _> = providers.chain(lost).collect();
    let rules = providers.keys().map(|name| {
        json!({ "match": { "path": format!("/{name}") }, "requires": { "provider_name": name } })
    });
    json!({ "rules": rules.collect::<Vec<_>>(), "providers": providers }).to_string()
}

/// Plays the trouble of all parties, and ends it.
fn trouble(parties: &[Party], keyring: &Keyring, begin: &Barrier, is_over: &AtomicBool) {
    begin.wait();
    parties.iter().for_each(|party| party.worsen(keyring));
    begin.wait();
    let restarted = || parties.iter().filter(|party| matches!(party.trouble, Trouble::Restarts));
    for second in 0..TROUBLE.as_secs() {
        match second % 2 {
            0 => restarted().for_each(|party| party.idp.stop()),
            _ => restarted().for_each(|party| party.idp.resume().unwrap()),
        }
        thread::sleep(Duration::from_secs(1));
    }
    for party in parties {
        party.mend(keyring, &["ed25519-1", "ed25519-2"]);
        if matches!(party.trouble, Trouble::Refused | Trouble::Restarts) {
            party.idp.resume().unwrap();
        }
    }
    is_over.store(true, Ordering::SeqCst);
}

#[test]
fn no_trouble_of_an_identity_provider_makes_a_wrong_verdict() {
    let keyring = Keyring::new();
    let upstream = Upstream::start().unwrap();
    let troubles = troubles();
    let both = troubles.iter().enumerate().flat_map(|(number, row)| {
        [true, false].map(|is_warm| Party::new(number, *row, is_warm, &keyring))
    });
    let parties: Vec<_> = both.collect();
    let module = Module::new("faults", Envoy::module().unwrap(), config(&parties));
    let bootstrap = parties.iter().fold(Bootstrap::new(), |bootstrap, party| {
        bootstrap.cluster(Cluster::new(&party.name, party.idp.address()))
    });
    let bootstrap = bootstrap
        .cluster(Cluster::new("upstream", upstream.address()))
        .cluster(Cluster::empty(LOST[0]))
        .listener(Listener::new("faults").filter(Filter::Wasm(module)));
    let mut options = Options::default();
    options.concurrency = 2;
    let envoy = Envoy::start(&bootstrap, &options).unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(envoy.address("faults").unwrap());

    let tokens = tokens(&keyring);
    let (begin, is_over) = (Barrier::new(parties.len() + 1), AtomicBool::new(false));
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let users = parties.iter().map(|party| {
            let connection = client.keep_alive();
            let user = User { party, connection, tokens: &tokens, tally: Tally::default() };
            scope.spawn(|| user.run(&begin, &is_over))
        });
        let users: Vec<_> = users.collect();
        trouble(&parties, &keyring, &begin, &is_over);
        users.into_iter().map(|user| user.join().unwrap()).collect()
    });

    println!(
        "{:<24} {:<5} {:<22} {:<22} {:<22} {:<22} wrong fetches",
        "trouble", "keys", "good", "new", "broken", "evil"
    );
    for (party, tally) in parties.iter().zip(&tallies) {
        let (row, fetches) = (party.row, party.idp.requests("/jwks"));
        let had = if party.is_warm { "held" } else { "none" };
        println!("{row:<24} {had:<5}{tally} {fetches:>7}");
        assert!(fetches > 0 && tally.counts.len() > 3, "{row}: nothing happened: {tally:?}");
    }
    let wrong: Vec<_> = tallies.iter().flat_map(|tally| &tally.wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (name, (sort, token)) in LOST.iter().flat_map(|name| tokens.iter().map(move |t| (name, t)))
    {
        let request = Request::new("GET", format!("/{name}")).header("host", "api.example");
        let answer = client.send(&request.header("authorization", format!("Bearer {token}")));
        assert_eq!(answer.unwrap().status, 503, "{name}: {sort:?}");
    }
    told_once(&envoy, &parties);
}

/// A failure is told with its first fetch and never again, whoever makes the next one.
fn told_once(envoy: &Envoy, parties: &[Party]) {
    let log = envoy.log_since(0);
    for party in parties.iter().filter(|party| PLAIN.contains(&party.row)) {
        let line = format!("provider `{}`: fetching its keys", party.name);
        let told = log.iter().filter(|logged| logged.contains(&line)).count();
        assert_eq!(told, 1, "{}: told {told} times", party.name);
    }
    for name in LOST {
        let line = format!("provider `{name}`: fetching its keys");
        let told = log.iter().filter(|logged| logged.contains(&line)).count();
        assert_eq!(told, 1, "{name}: told {told} times");
    }
}
