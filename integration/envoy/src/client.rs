//! A client that sends what it is told to, byte for byte.

use std::{
    io::{self, BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::{error::Error, message, upstream, wait};

/// How long a connection that is refused is tried again: a listener that was just announced may
/// not have reached its workers.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// A request, sent as it stands: nothing is added, checked or normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    method: String,
    target: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    /// A request without any header.
    #[must_use]
    pub fn new(method: &str, target: impl Into<Vec<u8>>) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { method: method.to_owned(), target: target.into(), headers, body }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With this body, and a `content-length` for it.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-length", length)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        for (name, value) in &self.headers {
            for part in [name.as_slice(), b": ", value.as_slice(), b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// An answer as it came; bytes beyond ASCII are the characters U+0080 to U+00FF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, in order, with repetitions.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The values of a header, in order.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        upstream::values(&self.headers, name)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        message::text(&self.body)
    }
}

/// Who sends requests to one address, each on a connection of its own.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    address: SocketAddr,
    patience: Duration,
}

impl Client {
    /// A client of this address that waits 10 s for each part of an answer.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, patience: Duration::from_secs(10) }
    }

    /// With this time limit for each part of an answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// There was no connection, or no whole answer in time.
    pub fn send(&self, request: &Request) -> Result<Answer, Error> {
        self.exchange(request).map_err(|error| Error::Exchange { address: self.address, error })
    }

    fn exchange(&self, request: &Request) -> io::Result<Answer> {
        let mut stream = self.connect()?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_nodelay(true)?;
        stream.write_all(&request.bytes())?;
        let mut reader = BufReader::new(stream);
        let (status, headers, body) = message::read_response(&mut reader, &request.method)?;
        Ok(Answer { status, headers, body })
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let connected = wait::until(CONNECT_WITHIN, || match TcpStream::connect(self.address) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => None,
            connected => Some(connected),
        });
        connected.unwrap_or_else(|| Err(io::ErrorKind::ConnectionRefused.into()))
    }
}
