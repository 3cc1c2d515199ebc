//! The metrics of a VM.

use wasmtime::Linker;

use crate::abi::{Call, Span, hostcalls};
use crate::error::{Outcome, Refusal};
use crate::vm_state::VmState;
use crate::{Personality, Status};

/// What a metric does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Keeps every value.
    Histogram,
}

/// A metric and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name that the guest chose; the proxy puts its own prefix in front.
    pub name: String,
    /// What it does with values.
    pub kind: MetricKind,
    /// Value of a counter or a gauge.
    pub value: u64,
    /// Values of a histogram, in order.
    pub values: Vec<u64>,
    /// How often it was defined: a filter that defines it per request leaks.
    pub definitions: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    metrics: Vec<Metric>,
    /// Index into `metrics` by id, the first id being 1.
    ids: Vec<usize>,
}

impl Metrics {
    pub(crate) fn all(&self) -> &[Metric] {
        &self.metrics
    }

    fn define(&mut self, kind: MetricKind, name: String) -> u32 {
        let same = |metric: &Metric| metric.name == name && metric.kind == kind;
        let index = self.metrics.iter().position(same).unwrap_or_else(|| {
            let metric = Metric { name, kind, value: 0, values: Vec::new(), definitions: 0 };
            self.metrics.push(metric);
            self.metrics.len().saturating_sub(1)
        });
        if let Some(metric) = self.metrics.get_mut(index) {
            metric.definitions = metric.definitions.saturating_add(1);
        }
        self.ids.push(index);
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    fn by_id(&mut self, id: u32) -> Result<&mut Metric, Status> {
        let slot = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let index = slot.and_then(|slot| self.ids.get(slot)).ok_or(Status::NOT_FOUND)?;
        self.metrics.get_mut(*index).ok_or(Status::NOT_FOUND)
    }

    fn increment(&mut self, id: u32, offset: i64) -> Result<(), Status> {
        let metric = self.by_id(id)?;
        match metric.kind {
            MetricKind::Counter if offset > 0 => {}
            MetricKind::Gauge => {}
            MetricKind::Counter | MetricKind::Histogram => return Err(Status::BAD_ARGUMENT),
        }
        metric.value = metric.value.saturating_add_signed(offset);
        Ok(())
    }

    fn record(&mut self, id: u32, value: u64) -> Result<(), Status> {
        let metric = self.by_id(id)?;
        match metric.kind {
            MetricKind::Counter => metric.value = metric.value.saturating_add(value),
            MetricKind::Gauge => metric.value = value,
            MetricKind::Histogram => metric.values.push(value),
        }
        Ok(())
    }

    fn read(&mut self, id: u32) -> Result<u64, Status> {
        let metric = self.by_id(id)?;
        match metric.kind {
            MetricKind::Counter | MetricKind::Gauge => Ok(metric.value),
            MetricKind::Histogram => Err(Status::BAD_ARGUMENT),
        }
    }
}

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    hostcalls! { linker, call,
        proxy_define_metric(kind: u32, name: u32, len: u32, id: u32)
            => define(call, kind, Span(name, len), id);
        proxy_increment_metric(id: u32, offset: i64) => increment(call, id, offset);
        proxy_record_metric(id: u32, value: u64) => record(call, id, value);
        proxy_get_metric(id: u32, value: u32) => get(call, id, value);
    }
    Ok(())
}

fn available(call: &Call<'_>) -> Outcome {
    match call.personality() {
        Personality::Bare => Err(Status::UNIMPLEMENTED.into()),
        Personality::Envoy | Personality::Nginx => Ok(()),
    }
}

/// A status on Envoy is a trap on NGINX.
fn misuse(call: &Call<'_>, what: &str, status: Status) -> Refusal {
    match call.personality() {
        Personality::Nginx => Refusal::rule(format!("{what}: misuse of a metric traps")),
        Personality::Envoy | Personality::Bare => status.into(),
    }
}

fn define(call: &mut Call<'_>, kind: u32, name: Span, id: u32) -> Outcome {
    available(call)?;
    let name = String::from_utf8_lossy(&call.read(name)?).into_owned();
    let kind = match kind {
        0 => MetricKind::Counter,
        1 => MetricKind::Gauge,
        2 => MetricKind::Histogram,
        _ => return Err(misuse(call, "proxy_define_metric", Status::BAD_ARGUMENT)),
    };
    let defined = call.state().metrics.define(kind, name);
    call.write_u32(id, defined)
}

fn increment(call: &mut Call<'_>, id: u32, offset: i64) -> Outcome {
    available(call)?;
    let done = call.state().metrics.increment(id, offset);
    done.map_err(|status| misuse(call, "proxy_increment_metric", status))
}

fn record(call: &mut Call<'_>, id: u32, value: u64) -> Outcome {
    available(call)?;
    let nginx = call.personality() == Personality::Nginx;
    let counter = |metric: &mut Metric| metric.kind == MetricKind::Counter;
    let refused = nginx && call.state().metrics.by_id(id).is_ok_and(counter);
    let done =
        if refused { Err(Status::BAD_ARGUMENT) } else { call.state().metrics.record(id, value) };
    done.map_err(|status| misuse(call, "proxy_record_metric", status))
}

fn get(call: &mut Call<'_>, id: u32, value: u32) -> Outcome {
    available(call)?;
    let read = call.state().metrics.read(id);
    let read = read.map_err(|status| misuse(call, "proxy_get_metric", status))?;
    call.write_u64(value, read)
}
