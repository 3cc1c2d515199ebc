//! Cases written by hand: configurations, requests, and what comes of them on both sides.
//!
//! `cases/README.md` is the format.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    configuration: Vec<Configuration>,
}

/// A configuration, and requests for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The file that it stands in, without its ending.
    #[serde(skip)]
    pub file: String,
    /// What it is about; unique in its file.
    pub name: String,
    /// JSON text with placeholders: the same for both sides.
    pub config: String,
    /// Members that only ours gets: what the difference is about.
    pub ours_has: Option<OursHas>,
    /// What the identity provider answers.
    #[serde(default)]
    pub idp: Idp,
    /// Which side refuses the configuration, where one does.
    pub refused: Option<Refused>,
    /// The requests.
    #[serde(default)]
    pub cases: Vec<Case>,
}

/// What only our configuration has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OursHas {
    /// The divergence that this is about.
    pub divergence: String,
    /// Members added to the document, as JSON text.
    pub members: String,
}

/// What the identity provider answers; by default 404.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idp {
    /// The status; 200 where there is a body.
    pub status: Option<u16>,
    /// The body, with placeholders.
    pub body: Option<String>,
    /// Whether it closes the connection instead.
    #[serde(default)]
    pub reset: bool,
    /// Whether it says nothing.
    #[serde(default)]
    pub silent: bool,
}

/// A configuration that is not taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// A part of what Envoy says about its own filter; absent where that takes it.
    pub native: Option<String>,
    /// A part of what the gate says; absent where that takes it.
    pub ours: Option<String>,
    /// Why only one refuses it.
    pub divergence: Option<String>,
}

/// A request and what comes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Row of the behaviour table, or a name; unique in the file.
    pub id: String,
    /// Method and target.
    #[serde(default = "default_line")]
    pub send: String,
    /// Words of a token in `authorization`, after `Bearer `.
    pub bearer: Option<String>,
    /// Header lines.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Whether it can only be sent by HTTP/1.1; otherwise it is sent again by HTTP/2.
    #[serde(default)]
    pub http1: bool,
    /// The body of the request.
    pub body: Option<String>,
    /// What both say: `pass`, or status and body.
    pub both: Option<String>,
    /// What the native filter says, where ours says something else or the fields differ.
    pub native: Option<String>,
    /// What ours says.
    pub ours: Option<String>,
    /// The divergence that shows.
    pub divergence: Option<String>,
    /// Fields on both sides: headers, `:path`, `:body`; `""` is an absent one.
    #[serde(default)]
    pub with: Fields,
    /// Fields that differ, as they are on the native side.
    #[serde(default)]
    pub native_with: Fields,
    /// The same fields as they are on ours.
    #[serde(default)]
    pub ours_with: Fields,
}

/// Expected fields.
pub type Fields = BTreeMap<String, Values>;

/// One value, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// One; the empty text stands for none.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

/// Why the cases cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder that cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that is not in the format.
    #[error("{file}: {error}")]
    Format {
        /// Which one.
        file: String,
        /// What is wrong.
        error: Box<toml::de::Error>,
    },
    /// A name that occurs twice.
    #[error("{file}: `{name}` is there twice")]
    Twice {
        /// The file.
        file: String,
        /// The name.
        name: String,
    },
    /// A case whose expectation makes no sense.
    #[error("{file}: {id}: {problem}")]
    Case {
        /// The file.
        file: String,
        /// The case.
        id: String,
        /// What is wrong.
        problem: &'static str,
    },
}

fn default_line() -> String {
    "GET /".to_owned()
}

impl Values {
    /// The values, without an empty one that stands for none.
    #[must_use]
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(none) if none.is_empty() => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl Case {
    /// What the native filter says.
    #[must_use]
    pub fn native(&self) -> &str {
        self.native.as_deref().or(self.both.as_deref()).unwrap_or_default()
    }

    /// What ours says.
    #[must_use]
    pub fn ours(&self) -> &str {
        self.ours.as_deref().or(self.both.as_deref()).unwrap_or_default()
    }

    fn problem(&self) -> Option<&'static str> {
        let sides = (self.native.is_some(), self.ours.is_some());
        let fields = !self.native_with.is_empty() || !self.ours_with.is_empty();
        let differs = sides.0 || fields;
        match (self.both.is_some(), sides) {
            (true, (false, false)) | (false, (true, true)) => {}
            _ => return Some("either `both`, or `native` and `ours`"),
        }
        if differs != self.divergence.is_some() {
            return Some("a difference and its `divergence` go together");
        }
        if sides.0 && self.native == self.ours {
            return Some("`native` and `ours` are the same: say `both`");
        }
        (!self.native_with.keys().eq(self.ours_with.keys()))
            .then_some("`native_with` and `ours_with` must name the same fields")
    }
}

/// Reads all files of a folder, in the order of their names.
///
/// # Errors
/// A file cannot be read, or is not in the format.
pub fn load(folder: &Path) -> Result<Vec<Configuration>, LoadError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| LoadError::Io { path, error }
    };
    let entries = fs::read_dir(folder).map_err(unreadable(folder))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        all.extend(parse(&file, &text)?);
    }
    Ok(all)
}

/// Reads the text of one file.
///
/// # Errors
/// It is not in the format.
pub fn parse(file: &str, text: &str) -> Result<Vec<Configuration>, LoadError> {
    let read: Result<File, _> = toml::from_str(text);
    let format = |error| LoadError::Format { file: file.to_owned(), error: Box::new(error) };
    let mut configurations = read.map_err(format)?.configuration;
    let mut names = Vec::new();
    for configuration in &mut configurations {
        file.clone_into(&mut configuration.file);
        names.push(configuration.name.clone());
        for case in &configuration.cases {
            names.push(case.id.clone());
            if let Some(problem) = case.problem() {
                let (file, id) = (file.to_owned(), case.id.clone());
                return Err(LoadError::Case { file, id, problem });
            }
        }
    }
    names.sort();
    match names.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
        Some(pair) => {
            let name = pair.first().cloned().unwrap_or_default();
            Err(LoadError::Twice { file: file.to_owned(), name })
        }
        None => Ok(configurations),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of the native filter's messages and of those within them, but for those of
    /// `PerRouteConfig`.
    const FIELDS: &str = "providers rules filter_state_rules bypass_cors_preflight requirement_map \
        strip_failure_response stat_prefix issuer audiences subjects require_expiration \
        max_lifetime remote_jwks local_jwks forward from_headers from_params from_cookies \
        forward_payload_header pad_forward_payload_header payload_in_metadata \
        normalize_payload_in_metadata space_delimited_claims header_in_metadata \
        failed_status_in_metadata clock_skew_seconds jwt_cache_config jwt_cache_size \
        jwt_max_token_size claim_to_headers clear_route_cache http_uri cache_duration async_fetch \
        fast_listener failed_refetch_duration retry_policy num_retries retry_back_off \
        inline_string inline_bytes filename environment_variable name value_prefix header_name \
        claim_name claim_path match requires requirement_name provider_name \
        provider_and_audiences requires_any requires_all allow_missing allow_missing_or_failed \
        extract_only_without_validation verification_status_header prefix path safe_regex \
        connect_matcher path_separated_prefix path_match_policy path_template case_sensitive headers \
        query_parameters runtime_fraction string_match present_match range_match invert_match \
        treat_missing_header_as_empty exact_match prefix_match suffix_match contains_match \
        safe_regex_match exact suffix contains ignore_case regex uri cluster timeout seconds \
        base_interval max_interval watched_directory";

    #[test]
    fn each_field_of_the_native_filter_is_in_some_configuration() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let configurations = load(&folder).unwrap_or_else(|error| panic!("{error}"));
        let texts: String = configurations.into_iter().map(|c| c.config).collect();
        let is_there = |field: &str| {
            [format!("\"{field}\":"), format!("{field}: ")].iter().any(|t| texts.contains(t))
        };
        let lacking: Vec<&str> =
            FIELDS.split_whitespace().filter(|field| !is_there(field)).collect();
        assert!(lacking.is_empty(), "{lacking:?}");
    }
}
