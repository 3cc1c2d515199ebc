//! The module as an OCI image layout (OCI image specification 1.1), in one tar archive.

use std::collections::BTreeMap;
use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use crate::{Error, sha256};

/// Media type of a layer that is a module by itself.
pub const WASM_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
const WASM_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";
const IMAGE_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The two forms that Istio and Envoy Gateway take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// An image for linux/amd64 with one layer, which holds the file `plugin.wasm`.
    Image,
    /// An artifact of two layers: the module, and what runs it.
    Artifact,
}

/// The archive of a layout with one manifest, tagged with the version.
///
/// # Errors
/// Memory for it cannot be had.
pub fn layout(kind: Kind, wasm: &[u8], version: &str) -> Result<Vec<u8>, Error> {
    let mut blobs = Blobs::default();
    let (config, layers) = match kind {
        Kind::Image => image(wasm, &mut blobs)?,
        Kind::Artifact => artifact(wasm, &mut blobs),
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": layers,
        "annotations": {
            "org.opencontainers.image.title": "jwt-gate",
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.licenses": "Apache-2.0",
        },
    });
    let mut manifest = blobs.add(MANIFEST, manifest.to_string().into_bytes());
    if let Some(entry) = manifest.as_object_mut() {
        let tag = json!({ "org.opencontainers.image.ref.name": version });
        entry.insert("annotations".to_owned(), tag);
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest] });
    let layout = json!({ "imageLayoutVersion": "1.0.0" });
    blobs.0.insert("oci-layout".to_owned(), layout.to_string().into_bytes());
    blobs.0.insert("index.json".to_owned(), index.to_string().into_bytes());
    Ok(archive(&blobs.0)?)
}

/// The files of a layout, by name.
#[derive(Default)]
struct Blobs(BTreeMap<String, Vec<u8>>);

impl Blobs {
    /// Adds a blob; the answer is its descriptor.
    fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let digest = sha256(&bytes);
        let size = bytes.len();
        self.0.insert(format!("blobs/sha256/{digest}"), bytes);
        json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size })
    }
}

fn image(wasm: &[u8], blobs: &mut Blobs) -> Result<(Value, Vec<Value>), Error> {
    let files = BTreeMap::from([("plugin.wasm".to_owned(), wasm.to_vec())]);
    let layer = archive(&files)?;
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", sha256(&layer))] },
    });
    let config = blobs.add(IMAGE_CONFIG, config.to_string().into_bytes());
    // Neither a name nor a time in the header of gzip, and one system for all.
    let builder = GzBuilder::new().mtime(0).operating_system(255);
    let mut packer = builder.write(Vec::new(), Compression::best());
    packer.write_all(&layer)?;
    Ok((config, vec![blobs.add(IMAGE_LAYER, packer.finish()?)]))
}

fn artifact(wasm: &[u8], blobs: &mut Blobs) -> (Value, Vec<Value>) {
    let runtime = json!({ "type": "envoy_proxy", "abiVersions": ["0.2.1"] });
    let config = blobs.add(WASM_CONFIG, runtime.to_string().into_bytes());
    let module = blobs.add(WASM_LAYER, wasm.to_vec());
    (config.clone(), vec![config, module])
}

/// An archive whose entries have no owner, no time, and the order of their names.
fn archive(files: &BTreeMap<String, Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    archive.into_inner()
}
