//! A small HTTP/1.1 server whose answers may be as broken as a test wants them.

use std::{
    io::{self, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    error::Error,
    message::{self, Headers, Incoming},
    port::Port,
};

/// What the server does with a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Answers, and keeps the connection.
    Full(Response),
    /// Announces the whole body, sends one half of it and closes.
    Cut(Response),
    /// Closes in the middle of the headers.
    CutHeaders(Response),
    /// Sends the whole answer, one byte in this time.
    Drip(Response, Duration),
    /// Closes without a byte.
    Close,
    /// Sends nothing until the peer gives up.
    Silence,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Arc<[u8]>,
}

/// A server on a port of 127.0.0.1, until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
    connections: Connections,
}

/// Connections that are open, or were.
type Connections = Arc<Mutex<Vec<TcpStream>>>;

impl Server {
    /// Listens, and has each request decided by `handle`, on a thread for each connection.
    pub(crate) fn start<H>(handle: H) -> Result<Self, Error>
    where
        H: Fn(&Incoming) -> Reply + Send + Sync + 'static,
    {
        Self::start_at(&Port::claim()?, handle)
    }

    /// The same on this port.
    pub(crate) fn start_at<H>(port: &Port, handle: H) -> Result<Self, Error>
    where
        H: Fn(&Incoming) -> Reply + Send + Sync + 'static,
    {
        let (address, listener) = (port.address(), port.listen()?);
        let connections = Connections::default();
        let known = Arc::clone(&connections);
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let handle = Arc::new(handle);
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let handle = Arc::clone(&handle);
                let copy = stream.as_ref().ok().and_then(|stream| stream.try_clone().ok());
                known.lock().unwrap_or_else(PoisonError::into_inner).extend(copy);
                // The peer sees a connection that broke; nobody else is waiting for the error.
                thread::spawn(move || stream.and_then(|stream| serve(&stream, handle.as_ref())));
            }
        });
        Ok(Self { address, stopping, acceptor: Some(acceptor), connections })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // `accept` has no time limit: one more connection ends it.
        if TcpStream::connect(self.address).is_ok()
            && let Some(acceptor) = self.acceptor.take()
        {
            _ = acceptor.join();
        }
        for connection in self.connections.lock().unwrap_or_else(PoisonError::into_inner).drain(..)
        {
            // It may be closed already.
            _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn serve(stream: &TcpStream, handle: &impl Fn(&Incoming) -> Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = message::read_request(&mut reader)? {
        match handle(&request) {
            Reply::Full(response) => send(stream, &request, &response, response.body.len())?,
            Reply::Cut(response) => {
                send(stream, &request, &response, response.body.len() / 2)?;
                return stream.shutdown(Shutdown::Both);
            }
            Reply::CutHeaders(response) => {
                let head = head(&response);
                let half = head.get(..head.len() / 2).unwrap_or_default();
                (&*stream).write_all(half)?;
                return stream.shutdown(Shutdown::Both);
            }
            Reply::Drip(response, pause) => {
                for byte in head(&response).iter().chain(response.body.iter()) {
                    (&*stream).write_all(&[*byte])?;
                    thread::sleep(pause);
                }
            }
            Reply::Close => return stream.shutdown(Shutdown::Both),
            Reply::Silence => _ = reader.read(&mut [0])?,
        }
    }
    Ok(())
}

fn send(
    mut stream: &TcpStream,
    request: &Incoming,
    response: &Response,
    length: usize,
) -> io::Result<()> {
    let mut bytes = head(response);
    if request.method != "HEAD" {
        bytes.extend_from_slice(response.body.get(..length).unwrap_or_default());
    }
    stream.write_all(&bytes)
}

/// Status line and headers.
fn head(response: &Response) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} \r\n", response.status).into_bytes();
    for (name, value) in &response.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", response.body.len()).as_bytes());
    bytes
}
