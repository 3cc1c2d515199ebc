//! What the kernel says about a process: CPU time and memory. And which core it runs on.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use procfs::process::Process;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::error::Error;

/// Two looks with the same result so far apart, and the process is done.
const QUIET: Duration = Duration::from_millis(2);
/// How long it is waited for that.
const QUIET_WITHIN: Duration = Duration::from_secs(1);

/// CPU time of all threads of a process so far; to the nanosecond for threads that do not run at
/// the moment.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration, Error> {
    let mut nanoseconds: u64 = 0;
    for task in process(pid)?.tasks()? {
        nanoseconds = nanoseconds.saturating_add(task?.schedstat()?.sum_exec_runtime);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// CPU time of a process once it has finished what it was asked for.
pub(crate) fn cpu_time_at_rest(pid: u32) -> Result<Duration, Error> {
    #[expect(clippy::disallowed_methods, reason = "the limit is for a process outside this one")]
    let begun = Instant::now();
    let mut before = cpu_time(pid)?;
    loop {
        thread::sleep(QUIET);
        let now = cpu_time(pid)?;
        if now == before || begun.elapsed() >= QUIET_WITHIN {
            return Ok(now);
        }
        before = now;
    }
}

/// Memory that a process has in RAM, in KiB.
pub(crate) fn resident_kib(pid: u32) -> Result<u64, Error> {
    Ok(process(pid)?.status()?.vmrss.unwrap_or_default())
}

fn process(pid: u32) -> Result<Process, Error> {
    // The kernel's own type for it is signed.
    Ok(Process::new(i32::try_from(pid).unwrap_or_default())?)
}

/// The cores for Envoy and for the load. On a machine with one they are the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    count: usize,
    proxy: usize,
    load: usize,
}

impl Cores {
    /// The last two of those that this process may run on: the first ones serve interrupts.
    pub(crate) fn choose() -> Result<Self, Error> {
        let allowed = sched_getaffinity(None).map_err(pin)?;
        let mut cores = (0..CpuSet::MAX_CPU).rev().filter(|core| allowed.is_set(*core));
        let count = cores.clone().count();
        let proxy = cores.next().unwrap_or_default();
        Ok(Self { count, proxy, load: cores.next().unwrap_or(proxy) })
    }

    /// How many there are.
    pub(crate) fn count(self) -> usize {
        self.count
    }

    /// Whether Envoy has a core for itself.
    pub(crate) fn apart(self) -> bool {
        self.proxy != self.load
    }

    /// Starts something on Envoy's core; what it starts in turn stays there.
    pub(crate) fn on_proxy<T>(self, start: impl FnOnce() -> T) -> Result<T, Error> {
        run_on(self.proxy)?;
        let started = start();
        run_on(self.load)?;
        Ok(started)
    }
}

/// From now on this thread, and what it starts, run on that core.
fn run_on(core: usize) -> Result<(), Error> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).map_err(pin)
}

fn pin(error: rustix::io::Errno) -> Error {
    Error::Pin(io::Error::from(error))
}
