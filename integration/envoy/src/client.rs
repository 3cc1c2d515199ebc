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

    /// With this body in one chunk, and a trailer behind it.
    #[must_use]
    pub fn chunk_and_trailer(mut self, body: &str, trailer: (&str, &str)) -> Self {
        let (name, value) = trailer;
        let size = body.len();
        self.body = format!("{size:x}\r\n{body}\r\n0\r\n{name}: {value}\r\n\r\n").into_bytes();
        self.header("transfer-encoding", "chunked")
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

    /// A connection that is kept from one request to the next.
    #[must_use]
    pub fn keep_alive(&self) -> Connection {
        Connection { client: *self, open: None }
    }

    fn exchange(&self, request: &Request) -> io::Result<Answer> {
        exchange(&mut self.connect()?, request)
    }

    fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let connected = wait::until(CONNECT_WITHIN, || match TcpStream::connect(self.address) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => None,
            connected => Some(connected),
        });
        let stream = connected.unwrap_or_else(|| Err(io::ErrorKind::ConnectionRefused.into()))?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_nodelay(true)?;
        Ok(BufReader::new(stream))
    }
}

/// A connection to one address, opened when it is needed, and again after the peer closed it.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    open: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// There was no connection, or no whole answer in time.
    pub fn send(&mut self, request: &Request) -> Result<Answer, Error> {
        let address = self.client.address;
        self.exchange(request).map_err(|error| Error::Exchange { address, error })
    }

    fn exchange(&mut self, request: &Request) -> io::Result<Answer> {
        let used = self.open.take();
        let answered = used.map(|mut stream| (exchange(&mut stream, request), stream));
        let (answer, stream) = match answered {
            Some((Ok(answer), stream)) => (answer, stream),
            // The peer may have closed it after the last answer.
            Some((Err(_), _)) | None => {
                let mut stream = self.client.connect()?;
                (exchange(&mut stream, request)?, stream)
            }
        };
        let ends = |value: &&str| value.eq_ignore_ascii_case("close");
        if !answer.values("connection").iter().any(ends) {
            self.open = Some(stream);
        }
        Ok(answer)
    }
}

fn exchange(stream: &mut BufReader<TcpStream>, request: &Request) -> io::Result<Answer> {
    stream.get_mut().write_all(&request.bytes())?;
    let (status, headers, body) = message::read_response(stream, &request.method)?;
    Ok(Answer { status, headers, body })
}
