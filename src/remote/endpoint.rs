//! Endpoints: URLs, and the proxy's name for the way there.

use std::fmt;

/// An endpoint and the way to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// The cluster that leads to it.
    pub cluster: Box<str>,
    /// `https` or `http`.
    pub scheme: &'static str,
    /// Host and port.
    pub authority: Box<str>,
    /// Path and query.
    pub path: Box<str>,
}

impl Endpoint {
    /// The endpoint behind an absolute `http` or `https` URL without a user and a fragment.
    pub fn parse(url: &str, cluster: &str) -> Option<Self> {
        let (scheme, rest) = match url.split_once("://")? {
            ("https", rest) => ("https", rest),
            ("http", rest) => ("http", rest),
            _ => return None,
        };
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(at)?;
        let path = if path.is_empty() { "/" } else { path };
        let legal = |s: &str| s.bytes().all(|b| b.is_ascii_graphic());
        let is_host = !authority.is_empty() && !authority.contains('@') && legal(authority);
        let is_path = path.starts_with('/') && legal(path) && !path.contains('#');
        (is_host && is_path).then(|| Self {
            cluster: cluster.into(),
            scheme,
            authority: authority.into(),
            path: path.into(),
        })
    }

    /// Host and port in the one form in which they are compared: small letters, and no port where
    /// it is the scheme's own (RFC 9110, 4.2.3).
    pub fn host(&self) -> String {
        let port = if self.scheme == "https" { ":443" } else { ":80" };
        let host = self.authority.strip_suffix(port).unwrap_or(&self.authority);
        host.to_ascii_lowercase()
    }
}

/// The URL without its query, which may hold a secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "{}://{}{path}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_absolute_url() {
        let cases = [
            ("https://a.example/x?y", Some(("https", "a.example", "/x?y"))),
            ("http://a:80", Some(("http", "a:80", "/"))),
            ("a.example/x", None),
            ("ftp://a/x", None),
            ("HTTPS://a/x", None),
            ("https:///x", None),
            ("https://u@a/x", None),
            ("https://a/x y", None),
            ("https://a/x#f", None),
            ("https://a?x", None),
        ];
        for (text, expected) in cases {
            let endpoint = Endpoint::parse(text, "c");
            let parts = endpoint.as_ref().map(|e| (e.scheme, &*e.authority, &*e.path));
            assert_eq!(parts, expected, "{text}");
        }
    }

    #[test]
    fn a_host_is_the_same_in_either_case_and_with_its_own_port() {
        let cases = [
            ("https://A.Example/", "a.example"),
            ("https://a.example:443/", "a.example"),
            ("https://a.example:80/", "a.example:80"),
            ("http://a.example:80/", "a.example"),
            ("https://a.example:8443/", "a.example:8443"),
            ("https://a.example./", "a.example."),
        ];
        for (text, expected) in cases {
            assert_eq!(Endpoint::parse(text, "c").unwrap().host(), expected, "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_shown_without_its_query() {
        let endpoint = Endpoint::parse("https://a.example:8443/k?key=secret", "c").unwrap();
        assert_eq!(endpoint.to_string(), "https://a.example:8443/k");
    }
}
