//! Envoy with the gate, and what stands around it.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
};

use jwt_gate_envoy::{
    Answer, Behaviour, Bootstrap, Client, Cluster, Envoy, Filter, Idp, Listener, Module, Options,
    Request, Upstream,
};

use crate::{
    Error,
    identity::{self, Identity},
};

/// The gate's configuration.
const POLICY: &str = include_str!("../policy.json");
/// Where the proxy listens if it can.
const PROXY_PORT: u16 = 8080;
/// Where Envoy's admin interface listens if it can.
const ADMIN_PORT: u16 = 9901;

/// All parties, running until this is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    // Before its neighbours, so that it is stopped first.
    envoy: Envoy,
    proxy: SocketAddr,
    idp: Idp,
    identity: Arc<Identity>,
    _upstream: Upstream,
}

impl Stage {
    /// Starts all parties; the proxy on this port if one is given.
    pub(crate) fn start(port: Option<u16>) -> Result<Self, Error> {
        let port = match port {
            Some(port) if is_free(port) => port,
            Some(port) => return Err(Error::PortTaken(port)),
            None => free_or_any(PROXY_PORT),
        };
        let module = Module::new("demo", Envoy::module()?, POLICY);
        let identity = Arc::new(Identity::default());
        let (idp, upstream) = (publish(&identity)?, Upstream::start()?);
        let bootstrap = Bootstrap::new()
            .admin_port(free_or_any(ADMIN_PORT))
            .labelled()
            .cluster(Cluster::new("upstream", upstream.address()))
            .cluster(Cluster::new("idp", idp.address()))
            .listener(Listener::new("demo").port(port).filter(Filter::Wasm(module)));
        let mut options = Options::default();
        options.concurrency = 2;
        let envoy = Envoy::start(&bootstrap, &options)?;
        let proxy = envoy.address("demo")?;
        Ok(Self { envoy, proxy, idp, identity, _upstream: upstream })
    }

    /// Where the proxy listens.
    pub(crate) fn proxy(&self) -> SocketAddr {
        self.proxy
    }

    /// The identity provider's keys.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The identity provider's server.
    pub(crate) fn idp(&self) -> &Idp {
        &self.idp
    }

    /// Sends a request through the proxy.
    pub(crate) fn send(&self, request: &Request) -> Result<Answer, Error> {
        Ok(Client::new(self.proxy).send(request)?)
    }

    /// What Envoy and the gate logged.
    pub(crate) fn log(&self) -> Vec<String> {
        self.envoy.log_since(0)
    }

    /// What to try by hand.
    pub(crate) fn hints(&self) -> String {
        let (proxy, idp, admin) = (self.proxy, self.idp.address(), self.envoy.admin_address());
        let bearer = |name: &str| format!("-H \"authorization: Bearer ${name}\"");
        let token =
            |name: &str, query: &str| format!("{name}=$(curl -s 'http://{idp}/token?{query}')");
        let (user, boss, old) = (bearer("TOKEN"), bearer("ADMIN"), bearer("EXPIRED"));
        let commands = [
            (token("TOKEN", "sub=alice&scope=orders:read"), ""),
            (format!("curl -i http://{proxy}/orders {user}"), "200; see x-user"),
            (format!("curl -i http://{proxy}/orders"), "401"),
            (format!("curl -i http://{proxy}/admin {user}"), "403"),
            (token("ADMIN", "sub=bob&roles=admin"), ""),
            (format!("curl -i http://{proxy}/admin {boss}"), "200"),
            (format!("curl -i --path-as-is 'http://{proxy}/public/..;/admin'"), "400"),
            (token("EXPIRED", "sub=alice&scope=orders:read&exp=-600"), ""),
            (format!("curl -i http://{proxy}/orders {old}"), "401"),
            (format!("curl -s http://{idp}/rotate"), "the next key signs"),
            (
                format!("curl -s http://{admin}/stats/prometheus | grep ^jwt_gate"),
                "the gate's metrics, for Prometheus",
            ),
        ];
        let mut text =
            "\nTry it in another shell; the policy is integration/demo/policy.json.\n\n".to_owned();
        for (command, comment) in commands {
            let line =
                if comment.is_empty() { command } else { format!("{command:<83} # {comment}") };
            text.push_str(&format!("  {line}\n"));
        }
        text
    }
}

fn publish(identity: &Arc<Identity>) -> Result<Idp, Error> {
    let idp = Idp::start()?;
    idp.set("/.well-known/openid-configuration", Behaviour::ok(Identity::discovery()));
    let keys = Arc::clone(identity);
    idp.serve("/jwks.json", move |_| identity::answer(keys.jwks()));
    let keys = Arc::clone(identity);
    idp.serve("/token", move |query| identity::answer(keys.token_for(query)));
    let keys = Arc::clone(identity);
    idp.serve("/rotate", move |_| identity::answer(Ok(format!("{}\n", keys.rotate()))));
    Ok(idp)
}

fn free_or_any(port: u16) -> u16 {
    if is_free(port) { port } else { 0 }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
