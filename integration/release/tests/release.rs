//! A release is read back: digests, media types, the module inside, the crates it names.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use jwt_gate_release::{Kind, WASM_LAYER, layout, release, sbom, sha256};
use serde_json::Value;

const WASM: &[u8] = b"\0asm\x01\0\0\0";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn unpack(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mtime().unwrap(), 0);
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
    }
    files
}

/// The blob that a descriptor names; its digest and size are right.
fn blob<'f>(files: &'f BTreeMap<String, Vec<u8>>, descriptor: &Value) -> &'f [u8] {
    let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let bytes = &files[&format!("blobs/sha256/{digest}")];
    assert_eq!(sha256(bytes), digest);
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}

fn manifest(files: &BTreeMap<String, Vec<u8>>) -> Value {
    let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    let name = &index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"];
    assert_eq!(name, "1.2.3");
    serde_json::from_slice(blob(files, &index["manifests"][0])).unwrap()
}

#[test]
fn the_image_has_one_layer_with_the_module_as_plugin_wasm() {
    let files = unpack(&layout(Kind::Image, WASM, "1.2.3").unwrap());
    let manifest = manifest(&files);
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!(layers[0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let mut layer = Vec::new();
    GzDecoder::new(blob(&files, &layers[0])).read_to_end(&mut layer).unwrap();
    assert_eq!(unpack(&layer), BTreeMap::from([("plugin.wasm".to_owned(), WASM.to_vec())]));
    let config: Value = serde_json::from_slice(blob(&files, &manifest["config"])).unwrap();
    assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", sha256(&layer)));
    assert_eq!((&config["os"], &config["architecture"]), (&"linux".into(), &"amd64".into()));
}

#[test]
fn the_artifact_has_two_layers_and_one_is_the_module() {
    let files = unpack(&layout(Kind::Artifact, WASM, "1.2.3").unwrap());
    let manifest = manifest(&files);
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    let modules: Vec<_> = layers.iter().filter(|layer| layer["mediaType"] == WASM_LAYER).collect();
    assert_eq!(modules.len(), 1);
    assert_eq!(blob(&files, modules[0]), WASM);
    blob(&files, &layers[0]);
    blob(&files, &manifest["config"]);
}

/// Compared with what cargo itself prints as a tree.
#[test]
fn the_list_of_components_is_the_build_graph_of_the_module() {
    let document: Value = serde_json::from_slice(&sbom(&workspace(), WASM).unwrap()).unwrap();
    let components = document["components"].as_array().unwrap();
    let listed: BTreeSet<String> = components
        .iter()
        .map(|c| format!("{} v{}", c["name"].as_str().unwrap(), c["version"].as_str().unwrap()))
        .collect();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "-p", "jwt-gate", "--target", "wasm32-wasip1"]);
    cargo.args(["-e", "normal,build", "--prefix", "none", "--format", "{p}", "--no-dedupe"]);
    let output = cargo.current_dir(workspace()).output().unwrap();
    let tree: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(listed, tree);
    for component in components {
        // What is part of this repository has the repository's own version and no checksum.
        let is_own = component["name"].as_str().unwrap().starts_with("jwt-gate-");
        let checksum = component["hashes"][0]["content"].as_str();
        assert!(is_own || checksum.is_some_and(|sum| sum.len() == 64), "{component}");
        assert!(component["licenses"][0]["expression"].is_string(), "{component}");
    }
}

#[test]
fn two_releases_of_one_module_are_equal_and_their_checksums_hold() {
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        let [module, command] = ["jwt-gate.wasm", "jwt-gate"].map(|name| folder.path().join(name));
        fs::write(&module, WASM).unwrap();
        fs::write(&command, "\x7fELF").unwrap();
        let files = release(&module, &command, &workspace(), "1.2.3").unwrap();
        let read = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        };
        files.iter().map(read).collect::<BTreeMap<_, _>>()
    };
    let first = make();
    assert_eq!(first, make());
    let names: Vec<_> = first.keys().map(String::as_str).collect();
    let expected = [
        "SHA256SUMS",
        "jwt-gate",
        "jwt-gate-1.2.3-oci-artifact.tar",
        "jwt-gate-1.2.3-oci-image.tar",
        "jwt-gate-1.2.3.cdx.json",
        "jwt-gate.wasm",
    ];
    assert_eq!(names, expected);
    let sums = String::from_utf8(first["SHA256SUMS"].clone()).unwrap();
    assert_eq!(sums.lines().count(), names.len() - 1);
    for line in sums.lines() {
        let (digest, name) = line.split_once("  ").unwrap();
        assert_eq!(sha256(&first[name]), digest, "{name}");
    }
}
