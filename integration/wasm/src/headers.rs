//! A map of headers: what the filter reads of it, and what goes on to the upstream.

use crate::{Personality, uri};

/// Headers in order, with repetitions, as bytes.
pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// What NGINX answers for `:authority`: its own name and port, whatever the client asked for.
pub const NGINX_AUTHORITY: &[u8] = b"nginx.internal:8080";

#[derive(Clone, Debug)]
struct Field {
    name: Vec<u8>,
    value: Vec<u8>,
    /// The filter no longer sees it, although the upstream does.
    hidden: bool,
    /// A directive of the proxy's own can no longer take it away.
    stuck: bool,
}

impl Field {
    fn new(name: &[u8], value: &[u8]) -> Self {
        Self { name: name.to_vec(), value: value.to_vec(), hidden: false, stuck: false }
    }
}

/// A directive of NGINX's configuration: `proxy_set_header <name> $<variable>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySetHeader {
    /// Header that the upstream gets instead of the client's.
    pub name: String,
    /// NGINX variable with its value; where it is unset or empty the header is left out.
    pub variable: String,
}

#[derive(Clone, Debug)]
pub(crate) struct HeaderMap {
    fields: Vec<Field>,
    personality: Personality,
    /// The target as the client sent it, where that is not what filters see in `:path`.
    target: Vec<u8>,
    /// NGINX's `$args`, once a filter wrote it.
    args: Option<Vec<u8>>,
}

impl HeaderMap {
    /// The headers as the proxy's codec hands them to its filters.
    pub(crate) fn arrived(personality: Personality, headers: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let mut map = Self { fields: Vec::new(), personality, target: Vec::new(), args: None };
        for (name, value) in headers {
            map.arrive(name, value);
        }
        map
    }

    fn arrive(&mut self, name: &[u8], value: &[u8]) {
        if self.personality == Personality::Nginx {
            let authority = name.eq_ignore_ascii_case(b":authority");
            let name = if authority { b"Host" } else { name };
            if name == b":path" {
                self.target = value.to_vec();
                self.fields.push(Field::new(name, &uri::seen(value)));
            } else if is_read_by_nginx(name) && !(authority && self.position(b"host").is_some()) {
                self.fields.push(Field::new(name, value));
            }
            return;
        }
        let name = self.canonical(name);
        let joined = name == b"authorization";
        if let Some(first) = self.fields.iter_mut().find(|field| joined && field.name == name) {
            first.value.push(b',');
            first.value.extend_from_slice(value);
        } else if !(name == b":authority" && self.position(&name).is_some()) {
            self.fields.push(Field::new(&name, value));
        }
    }

    fn canonical(&self, name: &[u8]) -> Vec<u8> {
        match self.personality {
            Personality::Nginx => name.to_vec(),
            Personality::Envoy | Personality::Bare => {
                let name = name.to_ascii_lowercase();
                if name == b"host" { b":authority".to_vec() } else { name }
            }
        }
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        let visible = |field: &Field| !field.hidden && field.name.eq_ignore_ascii_case(name);
        self.fields.iter().position(visible)
    }

    /// The first value under this name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let request = || self.position(b":method").is_some();
        if self.personality == Personality::Nginx && name == b":authority" && request() {
            return Some(NGINX_AUTHORITY);
        }
        let found = self.position(&self.canonical(name))?;
        self.fields.get(found).map(|field| field.value.as_slice())
    }

    /// The target as the client sent it: NGINX's `$request_uri`.
    pub(crate) fn target(&self) -> &[u8] {
        &self.target
    }

    /// Writes NGINX's `$args`.
    pub(crate) fn set_args(&mut self, args: &[u8]) {
        self.args = Some(args.to_vec());
    }

    /// What NGINX sends as target: what came, or its own reading with other arguments.
    fn sent_target(&self) -> Vec<u8> {
        self.args.as_ref().map_or_else(|| self.target.clone(), |args| uri::sent(&self.target, args))
    }

    /// All that the filter sees.
    pub(crate) fn pairs(&self) -> Headers {
        let visible = self.fields.iter().filter(|field| !field.hidden);
        visible.map(|field| (field.name.clone(), field.value.clone())).collect()
    }

    pub(crate) fn add(&mut self, name: &[u8], value: &[u8]) {
        let field = Field::new(&self.canonical(name), &self.escaped(value));
        self.fields.push(field);
    }

    /// Sets a header: Envoy leaves one, NGINX changes the first and leaves the others.
    pub(crate) fn replace(&mut self, name: &[u8], value: &[u8]) {
        let name = self.canonical(name);
        let value = self.escaped(value);
        let Some(first) = self.position(&name) else {
            self.fields.push(Field::new(&name, &value));
            return;
        };
        if let Some(field) = self.fields.get_mut(first) {
            field.value = value;
        }
        let nginx = self.personality == Personality::Nginx;
        let mut index = 0_usize;
        self.fields.retain_mut(|field| {
            let other = index != first && !field.hidden && field.name.eq_ignore_ascii_case(&name);
            index = index.saturating_add(1);
            field.stuck |= other;
            nginx || !other
        });
    }

    /// Removes a header: on NGINX from the filter's sight alone.
    pub(crate) fn remove(&mut self, name: &[u8]) {
        let name = self.canonical(name);
        let nginx = self.personality == Personality::Nginx;
        self.fields.retain_mut(|field| {
            let same = field.name.eq_ignore_ascii_case(&name);
            field.hidden |= same;
            field.stuck |= same;
            nginx || !same
        });
    }

    /// Replaces the whole map: on NGINX what was there stays for the upstream.
    pub(crate) fn set_all(&mut self, headers: &[(Vec<u8>, Vec<u8>)]) {
        if self.personality == Personality::Nginx {
            for field in &mut self.fields {
                field.hidden = true;
                field.stuck = true;
            }
        } else {
            self.fields.clear();
        }
        for (name, value) in headers {
            self.add(name, value);
        }
    }

    /// What the upstream gets, after the proxy's own directives.
    pub(crate) fn upstream(
        &self,
        directives: &[ProxySetHeader],
        variable: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Headers {
        let replaced = |field: &Field| {
            let named = |d: &ProxySetHeader| field.name.eq_ignore_ascii_case(d.name.as_bytes());
            !field.stuck && directives.iter().any(named)
        };
        let kept = self.fields.iter().filter(|field| !replaced(field));
        let mut headers: Headers =
            kept.map(|field| (field.name.clone(), field.value.clone())).collect();
        let path = headers.iter_mut().find(|(name, _)| name == b":path");
        if let Some((_, path)) = path.filter(|_| self.personality == Personality::Nginx) {
            *path = self.sent_target();
        }
        for directive in directives {
            let value = variable(&directive.variable).unwrap_or_default();
            if !value.is_empty() {
                headers.push((directive.name.clone().into_bytes(), value));
            }
        }
        headers
    }

    /// A header that no proxy can send: Envoy finds out at its router.
    pub(crate) fn unsendable(&self) -> Option<&[u8]> {
        let broken = |field: &&Field| field.value.iter().any(|byte| LINE_BREAKERS.contains(byte));
        self.fields.iter().find(broken).map(|field| field.name.as_slice())
    }

    fn escaped(&self, value: &[u8]) -> Vec<u8> {
        if self.personality != Personality::Nginx {
            return value.to_vec();
        }
        let mut escaped = Vec::with_capacity(value.len());
        for &byte in value {
            if LINE_BREAKERS.contains(&byte) {
                escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
            } else {
                escaped.push(byte);
            }
        }
        escaped
    }
}

/// Whether NGINX keeps a header of this name: `ignore_invalid_headers on` and
/// `underscores_in_headers off` are its defaults. Names of its own begin with a colon.
fn is_read_by_nginx(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    name.starts_with(b":") || name.iter().all(plain)
}

const LINE_BREAKERS: [u8; 3] = [b'\r', b'\n', 0];

/// Writes a list of pairs in the ABI's form; an empty one is no bytes at all.
pub(crate) fn serialize(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    if pairs.is_empty() {
        return Vec::new();
    }
    let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = size(pairs.len()).to_vec();
    for (name, value) in pairs {
        bytes.extend_from_slice(&size(name.len()));
        bytes.extend_from_slice(&size(value.len()));
    }
    for part in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(part);
        bytes.push(0);
    }
    bytes
}

/// Reads a list of pairs in the ABI's form.
pub(crate) fn deserialize(bytes: &[u8]) -> Option<Headers> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (count, mut rest) = take_size(bytes)?;
    let mut sizes = Vec::new();
    for _ in 0..count {
        let (name, after) = take_size(rest)?;
        let (value, after) = take_size(after)?;
        sizes.push((name, value));
        rest = after;
    }
    let mut pairs = Vec::with_capacity(sizes.len());
    for (name, value) in sizes {
        let (name, after) = take_part(rest, name)?;
        let (value, after) = take_part(after, value)?;
        pairs.push((name, value));
        rest = after;
    }
    Some(pairs)
}

fn take_size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*size)).ok()?, rest))
}

fn take_part(bytes: &[u8], len: usize) -> Option<(Vec<u8>, &[u8])> {
    let (part, rest) = bytes.split_at_checked(len)?;
    let (&0, rest) = rest.split_first()? else { return None };
    Some((part.to_vec(), rest))
}
