//! What NGINX needs: identity goes to the upstream by variables.
//!
//! There a removed header still reaches the upstream, and replacing one leaves its repetitions. What
//! the upstream must be able to trust is therefore set by the NGINX configuration, from a variable
//! that the gate writes: `proxy_set_header x-user $jwt_gate_x_user;`.

use super::abi::{self, Status};
use super::apply::Failure;
use super::view::HostView;
use crate::effects::HeaderOp;
use crate::rejection::Rejection;
use crate::request::{HeaderName, Lines, RequestView};

/// Changes the request. A header that has to go is emptied, so that nothing of the client's is left
/// in it even where the configuration does not set it; with two lines of it the request is refused.
pub(super) fn forward(
    view: &HostView,
    owned: &[HeaderName],
    ops: &[HeaderOp],
) -> Result<(), Failure> {
    let repeated = |op: &HeaderOp| match op {
        HeaderOp::Remove(name) => matches!(view.lines(name), Lines::Many(_)),
        HeaderOp::Add(..) | HeaderOp::SetPath(_) => false,
    };
    if ops.iter().any(repeated) {
        return Err(Failure::Request(Rejection::RepeatedOwnedHeader));
    }
    for op in ops {
        match op {
            HeaderOp::Remove(name) => abi::replace_header(name.as_str(), b"")?,
            HeaderOp::Add(name, value) if !owned.contains(name) => {
                abi::replace_header(name.as_str(), value)?;
            }
            HeaderOp::Add(..) => {}
            // What stands in `:path` does not reach the upstream, `$args` does. With it NGINX sends its own
            // reading of the path, which falls under the same rule.
            HeaderOp::SetPath(path) => abi::set_property("ngx\0args", query(path))?,
        }
    }
    owned.iter().try_for_each(|name| tell(name, ops))?;
    Ok(())
}

/// What stands behind the first `?`.
fn query(target: &[u8]) -> &[u8] {
    let query = target.iter().position(|b| *b == b'?').and_then(|at| at.checked_add(1));
    query.and_then(|at| target.get(at..)).unwrap_or_default()
}

/// Sets the variable of a header that only the gate may write, to nothing where there is nothing to
/// tell: it could hold the value of an earlier pass of the same request.
fn tell(name: &HeaderName, ops: &[HeaderOp]) -> Result<(), Status> {
    let value = ops.iter().find_map(|op| match op {
        HeaderOp::Add(added, value) if added == name => Some(value.as_slice()),
        HeaderOp::Add(..) | HeaderOp::Remove(_) | HeaderOp::SetPath(_) => None,
    });
    let variable = variable(name);
    abi::set_property(&format!("ngx\0{variable}"), value.unwrap_or_default()).inspect_err(|_| {
        log::error!(
            "NGINX has no variable `${variable}`: add `set ${variable} \"\";` and \
             `proxy_set_header {name} ${variable};` to its configuration"
        );
    })
}

/// The variable for a header: its name with `jwt_gate_` before it, and `_` for what is neither
/// letter nor digit.
fn variable(name: &HeaderName) -> String {
    let part = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("jwt_gate_{}", name.as_str().chars().map(part).collect::<String>())
}
