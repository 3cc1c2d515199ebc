//! A port of 127.0.0.1 that stays ours while nobody listens there.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::fd::OwnedFd,
};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};

use crate::error::Error;

/// The port. A connection to it is refused until somebody listens.
#[derive(Debug)]
pub(crate) struct Port {
    address: SocketAddr,
    /// Bound and never listening, so that nobody else is given the port; where a system lets
    /// nobody listen beside it, it is given up at once.
    _claim: Option<OwnedFd>,
}

impl Port {
    /// Takes a free port.
    pub(crate) fn claim() -> Result<Self, Error> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let failed = |error: rustix::io::Errno| Error::Listen { address: any, error: error.into() };
        let claim = socket(AddressFamily::INET, SocketType::STREAM, None).map_err(failed)?;
        sockopt::set_socket_reuseaddr(&claim, true).map_err(failed)?;
        bind(&claim, &any).map_err(failed)?;
        let address = getsockname(&claim).and_then(SocketAddr::try_from).map_err(failed)?;
        Ok(Self { address, _claim: cfg!(target_os = "linux").then_some(claim) })
    }

    /// Where it is.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens there.
    pub(crate) fn listen(&self) -> Result<TcpListener, Error> {
        let address = self.address;
        TcpListener::bind(address).map_err(|error| Error::Listen { address, error })
    }
}
