//! HTTP/1.1 messages on a stream, byte for byte.
//!
//! A library would hand over what it understood; the tests are about what was sent. Bytes become
//! text one to one (ISO 8859-1), so that nothing is lost where they are not UTF-8.

use std::io::{self, BufRead, Read};

/// Headers of a message at most.
const MAX_HEADERS: usize = 256;
/// Bytes of a head at most.
const MAX_HEAD: u64 = 1 << 20;

/// Header names and values, in order, with repetitions.
pub(crate) type Headers = Vec<(String, String)>;

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// Reads a request; `None` where the peer closed instead.
pub(crate) fn read_request(stream: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let Some(head) = read_head(stream)? else { return Ok(None) };
    // By hand, as httparse refuses a target that is not UTF-8.
    let malformed_head = || io::Error::from(io::ErrorKind::InvalidData);
    let end = head.iter().position(|byte| *byte == b'\n').ok_or_else(malformed_head)?;
    let (line, rest) = head.split_at_checked(end.saturating_add(1)).ok_or_else(malformed_head)?;
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(_version)) = (words.next(), words.next(), words.next())
    else {
        return Err(malformed_head());
    };
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let headers = match httparse::parse_headers(rest, &mut headers).map_err(malformed)? {
        httparse::Status::Complete((_, headers)) => owned(headers),
        httparse::Status::Partial => return Err(malformed_head()),
    };
    let body = read_body(stream, Framing::of(&headers, Framing::Empty)?)?;
    Ok(Some(Incoming { method: text(method), target: text(target), headers, body }))
}

/// Reads a response to a request with this method: status, headers, body.
pub(crate) fn read_response(
    stream: &mut impl BufRead,
    method: &str,
) -> io::Result<(u16, Headers, Vec<u8>)> {
    let head = read_head(stream)?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let _: httparse::Status<usize> = parsed.parse(&head).map_err(malformed)?;
    let status = parsed.code.unwrap_or_default();
    let headers = owned(parsed.headers);
    let framing = match status {
        204 | 304 => Framing::Empty,
        _ if method == "HEAD" => Framing::Empty,
        _ => Framing::of(&headers, Framing::ToEnd)?,
    };
    let body = read_body(stream, framing)?;
    Ok((status, headers, body))
}

/// Bytes as text, each byte one character.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[derive(Clone, Copy)]
enum Framing {
    Empty,
    Length(u64),
    Chunked,
    ToEnd,
}

impl Framing {
    fn of(headers: &Headers, otherwise: Self) -> io::Result<Self> {
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("transfer-encoding") {
                return Ok(Self::Chunked);
            }
            if name.eq_ignore_ascii_case("content-length") {
                return value.parse().map(Self::Length).map_err(malformed);
            }
        }
        Ok(otherwise)
    }
}

fn read_head(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let mut limited = stream.take(MAX_HEAD);
    loop {
        let before = head.len();
        if limited.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
        if matches!(head.get(before..), Some(b"\r\n" | b"\n")) {
            return Ok(Some(head));
        }
    }
}

fn read_body(stream: &mut impl BufRead, framing: Framing) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match framing {
        Framing::Empty => {}
        Framing::Length(length) => read_part(stream, length, &mut body)?,
        Framing::Chunked => read_chunks(stream, &mut body)?,
        Framing::ToEnd => _ = stream.read_to_end(&mut body)?,
    }
    Ok(body)
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(stream)?;
        let Ok(httparse::Status::Complete((_, size))) = httparse::parse_chunk_size(&line) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        if size == 0 {
            while read_line(stream)? != b"\r\n" {}
            return Ok(());
        }
        read_part(stream, size, body)?;
        read_line(stream)?;
    }
}

fn read_line(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    match stream.read_until(b'\n', &mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}

fn read_part(stream: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    match stream.take(length).read_to_end(body)? {
        read if u64::try_from(read).is_ok_and(|read| read == length) => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Headers {
    headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect()
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::{read_request, read_response};

    #[test]
    fn a_request_keeps_its_bytes_its_order_and_its_repetitions() {
        let sent = b"POST //a/%2e\\b?x=<\xfe> HTTP/1.1\r\nX-B: 1\r\nx-a: \xff\r\nX-B: 2\r\n\
                     transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let seen = read_request(&mut sent.as_slice()).unwrap().unwrap();
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "//a/%2e\\b?x=<\u{fe}>"));
        let headers: Vec<_> = seen.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let expected =
            [("X-B", "1"), ("x-a", "\u{ff}"), ("X-B", "2"), ("transfer-encoding", "chunked")];
        assert_eq!(headers, expected);
        assert_eq!(seen.body, b"abcde");
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        for (head, body, method, expected) in [
            ("200 OK\r\ncontent-length: 2", "abc", "GET", Some("ab")),
            ("200 OK\r\ncontent-length: 2", "a", "GET", None),
            ("200 OK\r\ncontent-length: 2", "", "HEAD", Some("")),
            ("200 OK\r\nx: y", "abc", "GET", Some("abc")),
            ("204 No Content\r\nx: y", "abc", "GET", Some("")),
            ("200 OK\r\ntransfer-encoding: chunked", "1\r\na\r\n0\r\n\r\n", "GET", Some("a")),
            ("200 OK\r\ntransfer-encoding: chunked", "1\r\na\r\n", "GET", None),
        ] {
            let sent = format!("HTTP/1.1 {head}\r\n\r\n{body}");
            let read = read_response(&mut sent.as_bytes(), method).ok().map(|(_, _, body)| body);
            assert_eq!(read.as_deref(), expected.map(str::as_bytes), "{sent:?}");
        }
    }

    #[test]
    fn a_connection_that_is_closed_is_no_request() {
        assert!(read_request(&mut b"".as_slice()).unwrap().is_none());
        assert!(read_request(&mut b"GET / HT".as_slice()).is_err());
    }
}
