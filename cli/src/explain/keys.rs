//! Documents that a proxy would fetch, from files.

use jwt_gate::gate::Gate;
use jwt_gate::remote::SourceId;
use jwt_gate::remote::document::Kind;
use jwt_gate::remote::fetch::Answer;
use jwt_gate::time::Timestamp;
use serde_json::json;

use crate::error::Error;
use crate::source::Source;

/// Gives a gate the keys of `files`, each for one provider (`PROVIDER=FILE`) or for all; lists of
/// revoked tokens are taken for empty. Says what was assumed.
pub(super) fn give(
    gate: &mut Gate,
    now: Timestamp,
    files: &[String],
) -> Result<Vec<String>, Error> {
    let mut assumed = Vec::new();
    let sources: Vec<_> = gate.sources().collect();
    check_names(gate, &sources, files)?;
    for id in sources {
        let Some(remote) = gate.remote(id) else { continue };
        let (provider, kind) = (remote.provider.clone(), remote.kind.clone());
        match kind {
            Kind::Keys => {}
            Kind::Discovery(discovery) => {
                // The keys are given, wherever the issuer says that they are.
                let issuer = discovery.issuer();
                let uri = format!("{}/jwks", issuer.trim_end_matches('/'));
                let document = json!({ "issuer": issuer, "jwks_uri": uri });
                settle(gate, now, id, document.to_string().as_bytes());
                continue;
            }
            Kind::Revocations(_) => {
                settle(gate, now, id, b"{\"revoked\":[]}");
                assumed.push(format!("the list of revoked tokens of `{provider}` is empty"));
                continue;
            }
        }
        let own = |file: &&String| file.split_once('=').is_some_and(|(name, _)| *name == *provider);
        let all = |file: &&String| !file.contains('=');
        let Some(file) = files.iter().find(own).or_else(|| files.iter().find(all)) else {
            assumed.push(format!("the keys of `{provider}` are not there: give them with --jwks"));
            continue;
        };
        let name = file.split_once('=').map_or(file.as_str(), |(_, name)| name);
        let source = Source::read(name)?;
        if let Some(why) = settle(gate, now, id, source.text().as_bytes()) {
            return Err(Error::Keys { name: name.to_owned(), why });
        }
    }
    Ok(assumed)
}

/// Each name must be one of a provider that has its keys behind a URL.
fn check_names(gate: &Gate, sources: &[SourceId], files: &[String]) -> Result<(), Error> {
    let remotes = sources.iter().filter_map(|id| gate.remote(*id));
    let keys = remotes.filter(|remote| matches!(remote.kind, Kind::Keys));
    let known: Vec<&str> = keys.map(|remote| &*remote.provider).collect();
    let mut named = files.iter().filter_map(|file| file.split_once('='));
    let Some((name, _)) = named.find(|(name, _)| !known.contains(name)) else { return Ok(()) };
    let there = match known.as_slice() {
        [] => "there is none".to_owned(),
        known => format!("there is `{}`", known.join("`, `")),
    };
    Err(Error::Argument(format!(
        "--jwks: `{name}` is no provider that has its keys behind a URL; {there}"
    )))
}

/// Tells a source what came; the reason where it is of no use.
fn settle(gate: &mut Gate, now: Timestamp, id: SourceId, body: &[u8]) -> Option<String> {
    _ = gate.tick(now, id);
    let answer = Answer { status: 200, body, fresh_for: None };
    let settled = gate.settle(now, id, Ok(answer));
    let failed = gate.health(now, id).entries == 0 && body != b"{\"revoked\":[]}";
    failed.then(|| settled.note.map(|note| note.to_string()).unwrap_or_default())
}
