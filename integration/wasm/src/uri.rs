//! NGINX's reading of a request target: escapes decoded once, slashes merged, dot segments resolved.

/// What a filter sees in `:path`: the path as NGINX reads it, and the arguments as they came.
pub(crate) fn seen(target: &[u8]) -> Vec<u8> {
    let (path, args) = split(target);
    let mut seen = read(path);
    if let Some(args) = args {
        seen.push(b'?');
        seen.extend_from_slice(args);
    }
    seen
}

/// What NGINX sends once a filter has written `$args`: its reading, escaped again, and these.
pub(crate) fn sent(target: &[u8], args: &[u8]) -> Vec<u8> {
    let mut sent = Vec::new();
    for byte in read(split(target).0) {
        if byte <= b' ' || byte >= 0x7F || matches!(byte, b'%' | b'?' | b'#') {
            sent.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            sent.push(byte);
        }
    }
    if !args.is_empty() {
        sent.push(b'?');
        sent.extend_from_slice(args);
    }
    sent
}

fn split(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

fn read(path: &[u8]) -> Vec<u8> {
    if path.first() != Some(&b'/') {
        return path.to_vec();
    }
    let path = decode(path);
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut is_open = true;
    for segment in path.split(|byte| *byte == b'/') {
        is_open = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut read: Vec<u8> =
        kept.iter().flat_map(|segment| [b"/".as_slice(), segment].concat()).collect();
    if is_open || read.is_empty() {
        read.push(b'/');
    }
    read
}

fn decode(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = path;
    while let Some((first, others)) = rest.split_first() {
        let escape = others.first_chunk::<2>().filter(|_| *first == b'%');
        let byte =
            escape.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { others.get(2..).unwrap_or_default() } else { others };
    }
    decoded
}
