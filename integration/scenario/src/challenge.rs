//! Challenges, read as a client reads them.

/// Parameters of a challenge with one scheme (RFC 9110, section 11.6.1); `None` when it does not
/// follow the grammar.
#[must_use]
pub fn parse(challenge: &str) -> Option<Vec<(&str, String)>> {
    let mut rest = challenge.strip_prefix("Bearer ")?;
    let mut parameters = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let (mut value, mut chars) = (String::new(), after.chars());
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(chars.next()?),
                c if c == ' ' || c.is_ascii_graphic() => value.push(c),
                _ => return None,
            }
        }
        parameters.push((name, value));
        match chars.as_str() {
            "" => return Some(parameters),
            more => rest = more.strip_prefix(", ")?,
        }
    }
}
