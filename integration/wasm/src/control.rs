//! Hostcalls that are about the host itself: log, clock, ticks, contexts, resume and reply.

use std::time::Duration;

use wasmtime::Linker;

use crate::abi::{Call, Span, hostcalls};
use crate::error::{Outcome, Refusal};
use crate::headers::deserialize;
use crate::stream::LocalReply;
use crate::vm_state::{Deferred, Entry, VmState};
use crate::{Level, LogLine, Personality, Status};

pub(crate) fn link(linker: &mut Linker<VmState>, personality: Personality) -> wasmtime::Result<()> {
    hostcalls! { linker, call,
        proxy_log(level: u32, text: u32, len: u32) => log(call, level, Span(text, len));
        proxy_get_current_time_nanoseconds(time: u32) => time_now(call, time);
        proxy_set_tick_period_milliseconds(period: u32) => set_tick(call, period);
        proxy_set_effective_context(context: u32) => set_effective_context(call, context);
        proxy_continue_stream(stream: u32) => continue_stream(call, stream);
        proxy_done() => done(call);
        proxy_send_local_response(status: u32, details: u32, details_len: u32, body: u32,
            body_len: u32, headers: u32, headers_len: u32, grpc: i32)
            => reply(call, &Reply {
                status,
                details: Span(details, details_len),
                body: Span(body, body_len),
                headers: Span(headers, headers_len),
                grpc,
            });
    }
    if personality == Personality::Nginx {
        // Registered there with two parameters, so that a module that imports it does not link.
        hostcalls! { linker, call,
            proxy_get_log_level(level: u32, _more: u32) => log_level(call, level);
        }
    } else {
        hostcalls! { linker, call,
            proxy_get_log_level(level: u32) => log_level(call, level);
        }
    }
    Ok(())
}

fn log(call: &mut Call<'_>, level: u32, text: Span) -> Outcome {
    let level = Level::from_abi(level).ok_or(Status::BAD_ARGUMENT)?;
    let text = String::from_utf8_lossy(&call.read(text)?).into_owned();
    call.state().logs.push(LogLine { level, text });
    Ok(())
}

fn log_level(call: &mut Call<'_>, level: u32) -> Outcome {
    let current = call.world().log_level;
    call.write_u32(level, current)
}

/// The wall clock as the guest reads it: NGINX has a cached one of milliseconds.
pub(crate) fn clock(personality: Personality, wall: Duration) -> u64 {
    let time = match personality {
        Personality::Nginx => {
            wall.saturating_sub(Duration::from_nanos(u64::from(wall.subsec_nanos() % 1_000_000)))
        }
        Personality::Envoy | Personality::Bare => wall,
    };
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn time_now(call: &mut Call<'_>, time: u32) -> Outcome {
    let now = clock(call.personality(), call.world().wall);
    call.write_u64(time, now)
}

fn set_tick(call: &mut Call<'_>, period: u32) -> Outcome {
    let personality = call.personality();
    let in_stream = call.state().stream().is_some();
    let uptime = call.world().uptime;
    let state = call.state();
    let root = state.root_id();
    let root = state.roots.get_mut(&root).ok_or(Status::BAD_ARGUMENT)?;
    match personality {
        Personality::Bare => return Err(Status::UNIMPLEMENTED.into()),
        Personality::Nginx if in_stream => {
            return Err(Refusal::rule("the tick period is set outside of a root context"));
        }
        Personality::Nginx if root.tick.is_some() && period != 0 => {
            return Err(Refusal::rule("the tick period is already set; it must be 0 first"));
        }
        Personality::Nginx | Personality::Envoy => {}
    }
    let period = Duration::from_millis(u64::from(period));
    root.tick = (!period.is_zero()).then(|| (period, uptime.saturating_add(period)));
    Ok(())
}

fn set_effective_context(call: &mut Call<'_>, context: u32) -> Outcome {
    if call.personality() == Personality::Nginx {
        return Ok(());
    }
    if !call.peek().knows_context(context) {
        return Err(Status::BAD_ARGUMENT.into());
    }
    call.state().context = context;
    Ok(())
}

fn continue_stream(call: &mut Call<'_>, direction: u32) -> Outcome {
    let personality = call.personality();
    let state = call.state();
    let context = state.context;
    let Some(stream) = state.stream() else {
        return match personality {
            Personality::Envoy | Personality::Bare => Ok(()),
            Personality::Nginx => Err(Status::BAD_ARGUMENT.into()),
        };
    };
    let deferred = match direction {
        0 => {
            stream.close_request();
            Deferred::ContinueRequest(context)
        }
        1 => {
            stream.close_response();
            Deferred::ContinueResponse(context)
        }
        _ => return Err(Status::BAD_ARGUMENT.into()),
    };
    state.deferred.push(deferred);
    Ok(())
}

/// Ends a context that answered `false` in `proxy_on_done`.
fn done(call: &mut Call<'_>) -> Outcome {
    match call.personality() {
        Personality::Nginx => Err(Refusal::rule("`proxy_done` is not implemented")),
        Personality::Envoy | Personality::Bare if call.entry() == Entry::Done => Ok(()),
        Personality::Envoy | Personality::Bare => Err(Status::NOT_FOUND.into()),
    }
}

/// Where the guest put a reply.
struct Reply {
    status: u32,
    details: Span,
    body: Span,
    headers: Span,
    grpc: i32,
}

fn reply(call: &mut Call<'_>, args: &Reply) -> Outcome {
    let details = call.read(args.details)?;
    let body = call.read(args.body)?;
    let headers = deserialize(&call.read(args.headers)?).ok_or(Status::PARSE_FAILURE)?;
    let grpc = u32::try_from(args.grpc).ok();
    let personality = call.personality();
    let state = call.state();
    let context = state.context;
    let Some(stream) = state.stream() else {
        return match personality {
            Personality::Envoy | Personality::Bare => Ok(()),
            Personality::Nginx => Err(Status::BAD_ARGUMENT.into()),
        };
    };
    if personality == Personality::Nginx && stream.replies > 0 {
        return Err(Refusal::rule("a second local response"));
    }
    stream.replies = stream.replies.saturating_add(1);
    let reply = LocalReply { status: args.status, details, headers, body, grpc };
    let reply = reply.shaped(personality, stream.maps[0].map.as_ref());
    state.deferred.push(Deferred::Reply(context, reply));
    Ok(())
}
