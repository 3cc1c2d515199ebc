//! What the identity provider's endpoints do, before their placeholders are expanded.

use std::collections::BTreeMap;

use super::{StepProblem, raw};
use crate::driver::{Body, Document, Endpoint, Fault};
use crate::expand::{ExpandError, Expansion};

/// An endpoint with placeholders.
#[derive(Clone, Debug)]
pub(crate) struct EndpointText {
    status: u16,
    headers: Vec<(String, String)>,
    body: BodyText,
    fault: Option<Fault>,
}

#[derive(Clone, Debug)]
enum BodyText {
    Keys(Vec<String>),
    Text(String),
    Size(u64),
}

/// What endpoints do, of those that are named.
pub(crate) type Endpoints = BTreeMap<Document, EndpointText>;

/// Reads what endpoints do.
pub(super) fn endpoints(
    raw: [(Document, Option<raw::Endpoint>); 4],
) -> Result<Endpoints, StepProblem> {
    let named = raw.into_iter().filter_map(|(document, raw)| Some((document, raw?)));
    named.map(|(document, raw)| Ok((document, EndpointText::read(raw)?))).collect()
}

impl Default for EndpointText {
    fn default() -> Self {
        Self { status: 200, headers: Vec::new(), body: BodyText::default(), fault: None }
    }
}

impl Default for BodyText {
    fn default() -> Self {
        Self::Keys(vec!["rsa-1".to_owned()])
    }
}

impl EndpointText {
    /// Whether it is a set of keys with nothing to say of how it came.
    pub(super) fn is_one_set(&self) -> bool {
        let body = !matches!(self.body, BodyText::Size(_));
        self.status == 200 && self.headers.is_empty() && self.fault.is_none() && body
    }

    pub(super) fn read(raw: raw::Endpoint) -> Result<Self, StepProblem> {
        let fault = raw.fault.as_deref().map(fault).transpose()?;
        let answers = raw.keys.is_some()
            || raw.jwks.is_some()
            || raw.status.is_some()
            || raw.body.is_some()
            || raw.headers.is_some()
            || raw.size.is_some();
        if answers && matches!(fault, Some(Fault::Refused | Fault::Reset | Fault::Timeout)) {
            return Err(StepProblem::FaultAnswer);
        }
        if fault.is_some() && raw.size.is_some() {
            return Err(StepProblem::FaultSize);
        }
        let body = match (raw.keys, raw.jwks, raw.body, raw.size) {
            (Some(keys), None, None, None) => BodyText::Keys(keys),
            (None, Some(text), None, None) | (None, None, Some(text), None) => BodyText::Text(text),
            (None, None, None, Some(size)) => BodyText::Size(size),
            // A status by itself is an answer without a body.
            (None, None, None, None) if raw.status.is_some() => BodyText::Text(String::new()),
            (None, None, None, None) => BodyText::default(),
            _ => return Err(StepProblem::Bodies),
        };
        let headers = raw.headers.unwrap_or_default();
        Ok(Self { status: raw.status.unwrap_or(200), headers, body, fault })
    }

    /// The endpoint with its placeholders expanded.
    pub(crate) fn expand(&self, expansion: &mut Expansion<'_>) -> Result<Endpoint, ExpandError> {
        let body = match &self.body {
            BodyText::Keys(names) => {
                Body::Bytes(expansion.bytes(&format!("${{jwks {}}}", names.join(" ")))?)
            }
            BodyText::Text(text) => Body::Bytes(expansion.bytes(text)?),
            BodyText::Size(size) => Body::Size(*size),
        };
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            headers.push((name.clone(), expansion.text(value)?));
        }
        Ok(Endpoint { status: self.status, headers, body, fault: self.fault })
    }
}

fn fault(name: &str) -> Result<Fault, StepProblem> {
    match name {
        "refused" => Ok(Fault::Refused),
        "reset" => Ok(Fault::Reset),
        "timeout" => Ok(Fault::Timeout),
        "truncated" => Ok(Fault::Truncated),
        _ => Err(StepProblem::Fault(name.to_owned())),
    }
}
