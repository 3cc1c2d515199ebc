//! Envoy with what stands around it: an upstream and an identity provider.

use std::path::PathBuf;

use crate::{
    bootstrap::{Bootstrap, Cluster, Filter, Listener, Module},
    envoy::{Envoy, Options},
    error::Error,
    idp::Idp,
    upstream::Upstream,
};

/// Envoy, the module, an upstream and an identity provider, until it is dropped.
#[derive(Debug)]
pub struct World {
    /// The proxy. Its clusters are `upstream`, `idp` and `nobody`, which has no endpoint.
    pub envoy: Envoy,
    /// What is behind the cluster `idp`.
    pub idp: Idp,
    /// The module's file.
    pub module: PathBuf,
    _upstream: Upstream,
}

impl World {
    /// Starts it, with what else the bootstrap has.
    ///
    /// # Errors
    /// There is no module, no Envoy, or it does not start.
    pub fn open(bootstrap: Bootstrap, options: &Options) -> Result<Self, Error> {
        let module = Envoy::module()?;
        let (upstream, idp) = (Upstream::start()?, Idp::start()?);
        let bootstrap = bootstrap
            .cluster(Cluster::new("upstream", upstream.address()))
            .cluster(Cluster::new("idp", idp.address()))
            .cluster(Cluster::empty("nobody"))
            // Envoy 1.36 and 1.37 crash where a CPU has memory protection keys and the first module
            // comes after the start: V8 has then begun when the workers were there already.
            .listener(
                Listener::new("first").filter(Filter::Wasm(Module::new("first", &module, "{}"))),
            );
        let envoy = Envoy::start(&bootstrap, options)?;
        Ok(Self { envoy, idp, module, _upstream: upstream })
    }
}
