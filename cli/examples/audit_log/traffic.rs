//! A day of an API that `filter-config/role-table` guards, made up by dice.

#![expect(clippy::arithmetic_side_effects, reason = "all numbers are small")]

/// SplitMix64: enough for dice, and the same everywhere.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ (b >> 31)
    }

    /// From 0 to `end`, `end` not included.
    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    fn one_of<'t, T: ?Sized>(&mut self, all: &[&'t T]) -> Option<&'t T> {
        let at = self.below(u64::try_from(all.len()).unwrap_or(1));
        all.get(usize::try_from(at).ok()?).copied()
    }
}

/// A rule, its match, its methods, and the roles that may use it.
struct Rule {
    name: &'static str,
    route: &'static str,
    methods: &'static [&'static str],
    roles: &'static [&'static str],
}

const RULES: [&Rule; 8] = [
    &READ_ORDERS,
    &READ_ORDERS,
    &READ_ORDERS,
    &WRITE_ORDERS,
    &Rule {
        name: "read-customers",
        route: "/customers",
        methods: &["GET"],
        roles: &["viewer", "clerk"],
    },
    &Rule {
        name: "refund",
        route: "/orders/{order}/refunds/**",
        methods: &["POST"],
        roles: &["accountant", "lead"],
    },
    &Rule {
        name: "read-reports",
        route: "/reports",
        methods: &["GET"],
        roles: &["accountant", "auditor"],
    },
    &Rule {
        name: "staff-accounts",
        route: "/staff",
        methods: &["GET", "POST"],
        roles: &["administrator"],
    },
];

const WRITE_ORDERS: Rule = Rule {
    name: "write-orders",
    route: "/orders",
    methods: &["POST", "PUT"],
    roles: &["clerk", "lead"],
};

const READ_ORDERS: Rule = Rule {
    name: "read-orders",
    route: "/orders",
    methods: &["GET", "GET", "GET", "HEAD"],
    roles: &["viewer", "clerk", "auditor"],
};

/// How busy each hour of the day is.
const HOURS: [u64; 24] =
    [3, 2, 2, 2, 3, 5, 9, 16, 26, 32, 34, 33, 28, 31, 34, 33, 30, 25, 18, 13, 10, 8, 6, 4];

/// The lines of a log, in the order of time.
#[derive(Debug)]
pub(crate) struct Traffic {
    dice: Dice,
    requests: u64,
    next: u64,
}

impl Traffic {
    /// So many requests in a day.
    pub(crate) fn new(requests: u64, seed: u64) -> Self {
        Self { dice: Dice(seed), requests, next: 0 }
    }

    /// Milliseconds since midnight of the request `number`.
    fn moment(&self, number: u64) -> u64 {
        let all: u64 = HOURS.iter().sum();
        let mut parts = u128::from(number) * u128::from(all) * 3_600_000;
        parts /= u128::from(self.requests.max(1));
        let mut begin = 0;
        for hour in HOURS {
            let length = u128::from(hour) * 3_600_000;
            if parts < length {
                let within = parts.checked_div(u128::from(hour)).unwrap_or(0);
                return begin + u64::try_from(within).unwrap_or(0);
            }
            parts -= length;
            begin += 3_600_000;
        }
        begin
    }
}

impl Iterator for Traffic {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.next >= self.requests {
            return None;
        }
        let at = self.moment(self.next);
        self.next += 1;
        Some(line(&mut self.dice, at))
    }
}

/// How a request ended: decision, status, label, reason, and whether there was a token, and a good one.
type End = (&'static str, &'static str, &'static str, &'static str, Token);

/// What token came with a request. Of a bad one no claim is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token {
    None,
    Bad,
    Good,
}

const PASSED: End = ("allow", "null", "ok", "", Token::Good);
const EXPIRED: End = ("deny", "401", "expired", "token expired", Token::Bad);
const MISSING: End = ("deny", "401", "missing", "no token", Token::None);
const AUDIENCE: End = ("deny", "403", "audience", "audience is not accepted", Token::Bad);
const UNAUTHORIZED: End = ("deny", "403", "unauthorized", "`authorize` does not hold", Token::Good);

fn line(dice: &mut Dice, at: u64) -> String {
    let hour = at / 3_600_000;
    let number = dice.below(40) * dice.below(40) / 40;
    let mut rule = dice.one_of(&RULES).unwrap_or(&READ_ORDERS);
    let mut role = dice.one_of(rule.roles).unwrap_or_default();
    let mut client = format!("app-{number}");
    let end = match dice.below(1_000) {
        0..=9 => EXPIRED,
        10..=24 => MISSING,
        25..=44 => {
            role = "viewer";
            UNAUTHORIZED
        }
        45..=64 if hour >= 17 => AUDIENCE,
        65..=134 if hour == 14 => EXPIRED,
        75..=94 => {
            client = "importer".to_owned();
            (rule, role) = (&READ_ORDERS, "viewer");
            PASSED
        }
        95..=99 => {
            client = "importer".to_owned();
            (rule, role) = (&WRITE_ORDERS, "viewer");
            UNAUTHORIZED
        }
        _ => PASSED,
    };
    let rule =
        if end == UNAUTHORIZED && rule.roles.contains(&"viewer") { &WRITE_ORDERS } else { rule };
    let method = dice.one_of(rule.methods).unwrap_or_default();
    let lifetime = dice.one_of(&["300", "300", "900", "3600"]).unwrap_or_default();
    let lifetime = if client == "app-17" { "604800" } else { lifetime };
    let sub = dice.below(1_000_000);
    written(
        at,
        rule,
        method,
        end,
        &format!(
            "\"lifetime\":{lifetime},\"claims\":{{\"sub\":\"user-{sub}\",\"client_id\":\"{client}\",\"roles\":[\"{role}\"]}}"
        ),
    )
}

fn written(at: u64, rule: &Rule, method: &str, end: End, token: &str) -> String {
    let (decision, status, outcome, reason, kind) = end;
    let (hour, minute, second) = (at / 3_600_000, at / 60_000 % 60, at / 1_000 % 60);
    let clock = format!("{hour:02}:{minute:02}:{second:02}.{:03}", at % 1_000);
    let provider = if kind == Token::None { "null" } else { "\"staff\"" };
    let reason =
        if reason.is_empty() { String::new() } else { format!(",\"reason\":\"{reason}\"") };
    let token = if kind == Token::Good { token } else { "" };
    let comma = if token.is_empty() { "" } else { "," };
    let Rule { name, route, .. } = rule;
    format!(
        "[2026-11-03 {clock}][27][info][wasm] [source/extensions/common/wasm/context.cc:1198] wasm log jwt-gate: \
         {{\"audit\":\"jwt-gate/1\",\"time\":\"2026-11-03T{clock}Z\",\"decision\":\"{decision}\",\
         \"enforcement\":\"enforce\",\"rule\":\"{name}\",\"route\":\"{route}\",\"method\":\"{method}\",\
         \"status\":{status},\"provider\":{provider},\"outcome\":\"{outcome}\"{reason}{comma}{token}}}"
    )
}
