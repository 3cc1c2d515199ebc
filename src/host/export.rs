//! Values for later filters: filter state on Envoy, variables on NGINX.

use super::abi::{self, Status};
use crate::effects::Export;
use crate::policy::HostKind;
use crate::wire::{put_number, put_octets};

/// Envoy's type of a property that is text: access logs, CEL and Lua then read it as such.
const STRING: u8 = 1;

/// Tells Envoy that this name will hold text. It takes that once for each root; a second time it
/// refuses, and all is as it was.
pub(super) fn declare(name: &str) {
    let mut arguments = Vec::new();
    put_octets(1, name.as_bytes(), &mut arguments);
    put_number(3, STRING, &mut arguments);
    let _ = abi::call_foreign_function("declare_property", &arguments);
}

/// Leaves a value for later filters of the request of the effective context.
pub(super) fn leave(kind: HostKind, Export { name, value }: &Export) -> Result<(), Status> {
    match kind {
        HostKind::Envoy => abi::set_property(name, value),
        HostKind::Nginx => {
            // A variable that nobody declared is one that nobody reads.
            if let Err(Status(status)) = abi::set_property(&format!("ngx\0{name}"), value) {
                log::debug!("there is no variable `${name}` to set (status {status})");
            }
            Ok(())
        }
        // A configuration that asks for this is not taken there.
        HostKind::Bare => Ok(()),
    }
}
