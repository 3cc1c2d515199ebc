//! What the module is built from, as a CycloneDX 1.5 document.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::{Error, sha256};

/// The crates that are compiled into the module or run while it is built, each with its version,
/// licence, checksum and dependencies. It names no time, so that two of one module are equal.
///
/// # Errors
/// `cargo metadata` fails in the workspace.
pub fn sbom(workspace: &Path, wasm: &[u8]) -> Result<Vec<u8>, Error> {
    let metadata = metadata(workspace)?;
    let packages: BTreeMap<&str, &Value> = list(&metadata, "packages")
        .filter_map(|package| Some((text(package, "id")?, package)))
        .collect();
    let graph: BTreeMap<&str, BTreeSet<&str>> = metadata
        .get("resolve")
        .into_iter()
        .flat_map(|resolve| list(resolve, "nodes"))
        .filter_map(|node| Some((text(node, "id")?, needed(node))))
        .collect();
    let root = packages.iter().find(|(_, package)| text(package, "name") == Some("jwt-gate"));
    let (root, module) = root.ok_or_else(|| Error::Metadata("no package jwt-gate".to_owned()))?;
    let checksums = checksums(workspace)?;
    // The metadata has the features that any member of the workspace asks for, the tree the module's.
    let built = built(workspace)?;
    let is_built =
        |id: &&str| packages.get(id).is_some_and(|package| built.contains(&label(package)));
    let used: BTreeSet<&str> = reachable(root, &graph).into_iter().filter(is_built).collect();
    let others = used.iter().filter(|id| *id != root).filter_map(|id| packages.get(id));
    let name = |id: &&str| packages.get(id).map_or_else(String::new, |package| purl(package));
    let dependencies = used.iter().map(|id| {
        let on = graph.get(id).into_iter().flatten().filter(|on| used.contains(*on));
        let on: Vec<_> = on.map(&name).collect();
        json!({ "ref": name(id), "dependsOn": on })
    });
    let mut subject = component(module, "library", &checksums);
    if let Some(subject) = subject.as_object_mut() {
        subject.insert("hashes".to_owned(), hash(&sha256(wasm)));
    }
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": subject },
        "components": others.map(|p| component(p, "library", &checksums)).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    });
    let mut bytes =
        serde_json::to_vec_pretty(&document).map_err(|error| Error::Metadata(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn metadata(workspace: &Path) -> Result<Value, Error> {
    let arguments = ["--format-version", "1", "--filter-platform", "wasm32-wasip1"];
    let output = cargo(workspace, "metadata", &arguments)?;
    serde_json::from_slice(&output).map_err(|error| Error::Metadata(error.to_string()))
}

/// What the module is built of, as [`label`] has it.
fn built(workspace: &Path) -> Result<BTreeSet<String>, Error> {
    let package = ["-p", "jwt-gate", "--target", "wasm32-wasip1", "-e", "normal,build"];
    let form = ["--prefix", "none", "--format", "{p}", "--no-dedupe"];
    let output = cargo(workspace, "tree", &[&package[..], &form].concat())?;
    let words = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Ok(String::from_utf8_lossy(&output).lines().map(words).collect())
}

/// Name and version of a package, as cargo prints them.
fn label(package: &Value) -> String {
    let member = |name| text(package, name).unwrap_or_default();
    format!("{} v{}", member("name"), member("version"))
}

/// What cargo prints.
fn cargo(workspace: &Path, subcommand: &str, arguments: &[&str]) -> Result<Vec<u8>, Error> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args([subcommand, "--locked"]).args(arguments).current_dir(workspace);
    let output = command.output().map_err(|error| Error::Metadata(error.to_string()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Metadata(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

/// The checksums of `Cargo.lock`, by name and version.
fn checksums(workspace: &Path) -> Result<BTreeMap<(String, String), String>, Error> {
    let path = workspace.join("Cargo.lock");
    let lock = std::fs::read_to_string(&path).map_err(Error::at(&path))?;
    let of = |package: &str, key: &str| {
        let mut lines = package.lines();
        let line = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
        Some(line.trim_matches('"').to_owned())
    };
    let entry =
        |package| Some(((of(package, "name")?, of(package, "version")?), of(package, "checksum")?));
    Ok(lock.split("[[package]]").filter_map(entry).collect())
}

/// What a package needs to be built, tests aside.
fn needed(node: &Value) -> BTreeSet<&str> {
    let builds = |kind: &Value| matches!(text(kind, "kind"), None | Some("build"));
    let needs = |dep: &&Value| list(dep, "dep_kinds").any(builds);
    list(node, "deps").filter(needs).filter_map(|dep| text(dep, "pkg")).collect()
}

fn reachable<'m>(root: &'m str, graph: &BTreeMap<&'m str, BTreeSet<&'m str>>) -> BTreeSet<&'m str> {
    let mut used = BTreeSet::new();
    let mut left = vec![root];
    while let Some(id) = left.pop() {
        if used.insert(id) {
            left.extend(graph.get(id).into_iter().flatten());
        }
    }
    used
}

fn component(package: &Value, kind: &str, checksums: &BTreeMap<(String, String), String>) -> Value {
    let of = |key| text(package, key).unwrap_or_default();
    let mut component = json!({
        "type": kind, "bom-ref": purl(package), "name": of("name"), "version": of("version"),
        "purl": purl(package),
    });
    let (licence, key) = (of("license"), (of("name").to_owned(), of("version").to_owned()));
    if let Some(members) = component.as_object_mut() {
        if !licence.is_empty() {
            // An old way to write OR.
            let expression = licence.replace('/', " OR ");
            members.insert("licenses".to_owned(), json!([{ "expression": expression }]));
        }
        if let Some(sum) = checksums.get(&key) {
            members.insert("hashes".to_owned(), hash(sum));
        }
    }
    component
}

fn hash(sum: &str) -> Value {
    json!([{ "alg": "SHA-256", "content": sum }])
}

fn purl(package: &Value) -> String {
    let of = |key| text(package, key).unwrap_or_default();
    format!("pkg:cargo/{}@{}", of("name"), of("version"))
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}
