//! Our own hostcalls.
//!
//! The SDK's wrappers panic on statuses that ordinary failures bring (a JWKS answer cut off in the
//! middle) and read integers that the host chose as Rust enums. A panic is a trap, and a trap ends
//! every request of the worker; on NGINX it lets one through. Here each status is a number, and
//! what is not understood is an error. All `unsafe` of the project is in this file.

#![expect(unsafe_code, reason = "hostcalls are foreign functions")]

use std::ptr::{null, null_mut};

/// Status of a hostcall that did not succeed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Status(pub(super) u32);

impl Status {
    /// There is no such thing.
    pub(super) const NOT_FOUND: Self = Self(1);
    /// A value has been changed by somebody else meanwhile.
    pub(super) const CAS_MISMATCH: Self = Self(8);
    /// What hosts answer to a property that they cannot give at this place.
    pub(super) const INTERNAL_FAILURE: Self = Self(10);

    const fn check(status: u32) -> Result<(), Self> {
        if status == 0 { Ok(()) } else { Err(Self(status)) }
    }
}

/// A header map.
#[derive(Clone, Copy, Debug)]
pub(super) enum Map {
    /// Of the request.
    Request,
    /// What follows the request's body.
    RequestTrailers,
    /// Of an answer to a callout.
    CalloutAnswer,
}

impl Map {
    const fn code(self) -> u32 {
        match self {
            Self::Request => 0,
            Self::RequestTrailers => 1,
            Self::CalloutAnswer => 6,
        }
    }
}

/// A buffer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Buffer {
    /// Body of an answer to a callout.
    CalloutAnswer,
    /// The plugin's configuration.
    Configuration,
}

impl Buffer {
    const fn code(self) -> u32 {
        match self {
            Self::CalloutAnswer => 4,
            Self::Configuration => 7,
        }
    }
}

/// A sort of metric.
#[derive(Clone, Copy, Debug)]
pub(super) enum Metric {
    /// Only grows.
    Counter,
    /// Shows a value.
    Gauge,
    /// Keeps how often which values came.
    Histogram,
}

impl Metric {
    const fn code(self) -> u32 {
        match self {
            Self::Counter => 0,
            Self::Gauge => 1,
            Self::Histogram => 2,
        }
    }
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, text: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(nanos: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_continue_stream(kind: u32) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        data: *const u8,
        size: usize,
        cas: u32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

/// Bytes that the host put into our memory; `None` when it gave none.
fn taken(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Option<Vec<u8>>, Status> {
    let mut data: *mut u8 = null_mut();
    let mut size: usize = 0;
    Status::check(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(None);
    }
    // SAFETY: the host got `data` from our `proxy_on_memory_allocate`, which leaks a boxed slice
    // of exactly `size` bytes, and it hands it over here, once.
    Ok(Some(unsafe { Vec::from_raw_parts(data, size, size) }))
}

/// Writes a line to the proxy's log. It may be lost; there is nowhere to say so.
pub(super) fn log(level: u32, text: &str) {
    // SAFETY: pointer and size are those of a live string, which the host only reads.
    let _ = unsafe { proxy_log(level, text.as_ptr(), text.len()) };
}

/// Nanoseconds since the Unix epoch.
pub(super) fn now() -> Result<u64, Status> {
    let mut nanos = 0;
    // SAFETY: the pointer is to a live integer.
    Status::check(unsafe { proxy_get_current_time_nanoseconds(&raw mut nanos) })?;
    Ok(nanos)
}

/// Sets the time between two ticks, in milliseconds.
pub(super) fn set_tick_period(millis: u32) -> Result<(), Status> {
    // SAFETY: only integers are passed.
    Status::check(unsafe { proxy_set_tick_period_milliseconds(millis) })
}

/// At most `max` bytes of a buffer, from its beginning.
pub(super) fn buffer(buffer: Buffer, max: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: the pointers are to live variables of `taken`.
    let bytes =
        taken(|data, size| unsafe { proxy_get_buffer_bytes(buffer.code(), 0, max, data, size) })?;
    Ok(bytes.unwrap_or_default())
}

/// The value of a header: of the first one where there are several, or all joined by commas, as
/// the host likes.
pub(super) fn header(map: Map, name: &str) -> Result<Option<Vec<u8>>, Status> {
    // SAFETY: as in `log` and `taken`.
    taken(|data, size| unsafe {
        proxy_get_header_map_value(map.code(), name.as_ptr(), name.len(), data, size)
    })
}

/// All headers, serialised: see [`super::view::HostView`].
pub(super) fn headers(map: Map) -> Result<Vec<u8>, Status> {
    // SAFETY: the pointers are to live variables of `taken`.
    let bytes = taken(|data, size| unsafe { proxy_get_header_map_pairs(map.code(), data, size) })?;
    Ok(bytes.unwrap_or_default())
}

/// Adds a request header.
pub(super) fn add_header(name: &str, value: &[u8]) -> Result<(), Status> {
    let map = Map::Request.code();
    // SAFETY: pointers and sizes are those of live slices, which the host only reads.
    Status::check(unsafe {
        proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Replaces a request header: the first one where there are several.
pub(super) fn replace_header(name: &str, value: &[u8]) -> Result<(), Status> {
    let map = Map::Request.code();
    // SAFETY: as in `add_header`.
    Status::check(unsafe {
        proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes a header of the request, or of its trailers.
pub(super) fn remove_header(map: Map, name: &str) -> Result<(), Status> {
    // SAFETY: as in `add_header`.
    Status::check(unsafe { proxy_remove_header_map_value(map.code(), name.as_ptr(), name.len()) })
}

/// A property; `path` has its segments parted by NUL.
pub(super) fn property(path: &str) -> Result<Option<Vec<u8>>, Status> {
    // SAFETY: as in `header`.
    taken(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Sets a property; `path` has its segments parted by NUL.
pub(super) fn set_property(path: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: as in `add_header`.
    Status::check(unsafe {
        proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len())
    })
}

/// Lets the request of the effective context go on.
pub(super) fn resume_request() -> Result<(), Status> {
    // SAFETY: only integers are passed.
    Status::check(unsafe { proxy_continue_stream(0) })
}

/// Answers the request of the effective context. `headers` are serialised pairs.
pub(super) fn reply(status: u16, details: &str, headers: &[u8], body: &str) -> Result<(), Status> {
    let details_at = if details.is_empty() { null() } else { details.as_ptr() };
    // SAFETY: pointers and sizes are those of live slices, which the host only reads.
    Status::check(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details_at,
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    })
}

/// Makes the hostcalls that follow speak of another context.
pub(super) fn set_effective_context(context: u32) -> Result<(), Status> {
    // SAFETY: only integers are passed.
    Status::check(unsafe { proxy_set_effective_context(context) })
}

/// A value that all VMs share, and the number that a change of it has to name.
pub(super) fn shared_data(key: &str) -> Result<(Vec<u8>, u32), Status> {
    let mut cas = 0;
    // SAFETY: as in `header`; the last pointer is to a live integer.
    let bytes = taken(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut cas)
    })?;
    Ok((bytes.unwrap_or_default(), cas))
}

/// Changes a value that all VMs share, if it is still the one that `cas` names (0: none yet).
pub(super) fn set_shared_data(key: &str, value: &[u8], cas: u32) -> Result<(), Status> {
    // SAFETY: pointers and sizes are those of live slices, which the host only reads.
    Status::check(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas)
    })
}

/// Calls a function that this host has beyond the ABI. Where it has none of this name the answer is
/// a status on Envoy and a trap on NGINX.
pub(super) fn call_foreign_function(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    // SAFETY: as in `header`; the argument is live and only read, too.
    let bytes = taken(|data, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            data,
            size,
        )
    })?;
    Ok(bytes.unwrap_or_default())
}

/// Defines a metric.
pub(super) fn define_metric(kind: Metric, name: &str) -> Result<u32, Status> {
    let (kind, mut id) = (kind.code(), 0);
    // SAFETY: the string is live and only read; the pointer is to a live integer.
    Status::check(unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

/// Adds to a counter.
pub(super) fn count(id: u32, by: u32) -> Result<(), Status> {
    // SAFETY: only integers are passed.
    Status::check(unsafe { proxy_increment_metric(id, i64::from(by)) })
}

/// Sets a gauge, or gives a histogram a value.
pub(super) fn record(id: u32, value: u64) -> Result<(), Status> {
    // SAFETY: only integers are passed.
    Status::check(unsafe { proxy_record_metric(id, value) })
}
