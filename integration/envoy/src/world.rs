//! Envoy with what stands around it: an upstream and an identity provider.

use std::path::PathBuf;

use crate::{
    bootstrap::{Bootstrap, Cluster},
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
            .cluster(Cluster::empty("nobody"));
        let envoy = Envoy::start(&bootstrap, options)?;
        Ok(Self { envoy, idp, module, _upstream: upstream })
    }
}
