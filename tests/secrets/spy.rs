//! A driver that plays scenarios with a gate of its own beside the core's, and searches all output.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jwt_gate::effects::Effects;
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::remote::fetch::Answer;
use jwt_gate::time::Timestamp;
use jwt_gate_core_driver::Core;
use jwt_gate_scenario::{Body, Document, Driver, Endpoint, Level, Reply, Request};

use crate::known::Known;
use crate::{Findings, logged};

/// The core's driver, and what is known of the scenario that it plays.
#[derive(Debug)]
pub(crate) struct Spy {
    core: Core,
    gate: Option<Gate>,
    known: Known,
    findings: Arc<Mutex<Findings>>,
}

impl Spy {
    pub(crate) fn new(findings: Arc<Mutex<Findings>>) -> Self {
        Self { core: Core::new(), gate: None, known: Known::default(), findings }
    }

    fn search(&self, what: &str, output: &str) {
        let mut findings = self.findings.lock().unwrap();
        findings.outputs = findings.outputs.saturating_add(1);
        findings.leaks.extend(self.known.leaks_in(output).map(|leak| format!("{what}: {leak}")));
    }

    fn search_logs(&self) {
        logged().iter().for_each(|line| self.search("log", line));
    }

    /// Gives the endpoint's keys to the gate beside the core's.
    fn publish(&mut self, idp: &Endpoint) {
        let Body::Bytes(body) = &idp.body else { return };
        self.known.learn_config(&String::from_utf8_lossy(body));
        let now = Timestamp::from_secs(self.core.now());
        let Some(gate) = &mut self.gate else { return };
        let sources: Vec<_> = gate.sources().collect();
        let mut notes = Vec::new();
        for source in sources {
            let settled =
                gate.settle(now, source, Ok(Answer { status: idp.status, body, fresh_for: None }));
            notes.push(format!("{settled:?}"));
            notes.extend(settled.note.map(|note| note.to_string()));
        }
        notes.iter().for_each(|note| self.search("the end of a fetch", note));
    }

    /// Looks at what the gate says to a request, in every form that it has.
    fn overhear(&self, request: &Request) {
        let Some(gate) = &self.gate else { return };
        let mut lines = vec![
            (b":method".to_vec(), request.method.clone().into_bytes()),
            (b":path".to_vec(), request.target.clone()),
        ];
        let header = |(name, value): &(String, Vec<u8>)| (name.clone().into_bytes(), value.clone());
        lines.extend(request.headers.iter().map(header));
        let view = lines.as_slice();
        let moment = Moment { now: Timestamp::from_secs(self.core.now()), may_wait: false };
        let decision = gate.check(moment, &view, Lent::NOTHING);
        self.search("a decision's Debug", &format!("{decision:?}"));
        if let Decision::Deny(refusal) = &decision {
            self.search("a rejection", &refusal.why.to_string());
            let effects = gate.refuse(moment.now, &view, refusal);
            self.search("an answer's Debug", &format!("{effects:?}"));
            if let Effects::Reply(reply) = effects {
                self.search("a body", &reply.body);
                reply
                    .headers
                    .iter()
                    .for_each(|(_, value)| self.search("an answer's header", value));
            }
        }
        if let Decision::Allow(permit) = &decision {
            for accepted in permit.accepted() {
                self.search("a token's Debug", &format!("{:?}", accepted.token));
            }
        }
    }
}

impl Driver for Spy {
    fn level(&self) -> Level {
        self.core.level()
    }

    fn now(&self) -> u64 {
        self.core.now()
    }

    fn idp_uri(&self) -> String {
        self.core.idp_uri()
    }

    fn start(&mut self, config: &str, idp: Endpoint) -> Result<(), Vec<String>> {
        self.known.learn_config(config);
        match Policy::from_json(config.as_bytes()) {
            Ok(policy) => {
                self.search("a policy's Debug", &format!("{policy:?}"));
                let now = Timestamp::from_secs(self.core.now());
                self.gate = Some(Gate::new(Arc::new(policy), now));
            }
            Err(faults) => {
                self.search("faults' Debug", &format!("{faults:?}"));
                faults.iter().for_each(|fault| self.search("a fault", &fault.to_string()));
            }
        }
        self.publish(&idp);
        let started = self.core.start(config, idp);
        self.search("a gate's Debug", &format!("{:?}", self.gate));
        self.search_logs();
        started
    }

    fn endpoint(&mut self, document: Document, endpoint: Endpoint) {
        if document == Document::Keys {
            self.publish(&endpoint);
        }
        self.core.endpoint(document, endpoint);
    }

    fn advance(&mut self, time: Duration) {
        self.core.advance(time);
        self.search_logs();
    }

    fn send(&mut self, request: Request) -> Result<Reply, String> {
        self.known.learn_request(&request.target);
        request.headers.iter().for_each(|(_, value)| self.known.learn_request(value));
        self.overhear(&request);
        let sent = self.core.send(request);
        if let Ok(Reply::Denied { headers, body, .. }) = &sent {
            self.search("an answer's body", &String::from_utf8_lossy(body));
            for (_, value) in headers {
                self.search("an answer's header", &String::from_utf8_lossy(value));
            }
        }
        self.search("a gate's Debug", &format!("{:?}", self.gate));
        self.search_logs();
        sent
    }

    fn fetches(&self) -> Option<u64> {
        self.core.fetches()
    }

    fn logs(&mut self) -> Option<Vec<String>> {
        let lines = self.core.logs();
        lines.iter().flatten().for_each(|line| self.search("a line for the operator", line));
        lines
    }
}

impl Drop for Spy {
    fn drop(&mut self) {
        let mut findings = self.findings.lock().unwrap();
        findings.secrets = findings.secrets.saturating_add(self.known.len());
    }
}
