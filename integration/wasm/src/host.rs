//! The proxy around the VMs: clock, clusters, shared data, configuration.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};
use std::time::Duration;

use crate::faults::Faults;
use crate::headers::ProxySetHeader;
use crate::shared_data::{SharedData, Store};
use crate::vm::{Inner, Vm};
use crate::{LoadError, Module, Personality, Status, Times, Trap};

/// A target of HTTP callouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cluster {
    /// Takes calls; the test says what becomes of each.
    Healthy,
    /// Known, but without an endpoint: Envoy refuses the call at once.
    NoEndpoints,
}

/// What all VMs of a host share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) personality: Personality,
    /// Time since the host started: what timers run by.
    pub(crate) uptime: Duration,
    /// Time since 1970: what the guest reads.
    pub(crate) wall: Duration,
    pub(crate) shared: Store,
    pub(crate) shared_memory: bool,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) faults: Faults,
    pub(crate) stop_iteration: bool,
    pub(crate) directives: Vec<ProxySetHeader>,
    pub(crate) variables: BTreeSet<String>,
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) log_level: u32,
    pub(crate) random: u64,
}

/// A proxy with a clock that stands still until it is told otherwise.
///
/// Several VMs on one host share its clock and its shared data, as Envoy's workers do.
#[derive(Debug)]
pub struct Host {
    world: Rc<RefCell<World>>,
    vms: RefCell<Vec<Weak<RefCell<Inner>>>>,
}

/// Where the clock starts: 2026-01-01T00:00:00Z.
const START: Duration = Duration::from_secs(1_767_225_600);

impl Host {
    /// A host without clusters, properties or shared data.
    #[must_use]
    pub fn new(personality: Personality) -> Self {
        let world = World {
            personality,
            uptime: Duration::ZERO,
            wall: START,
            shared: Store::default(),
            shared_memory: true,
            clusters: BTreeMap::new(),
            faults: Faults::default(),
            stop_iteration: false,
            directives: Vec::new(),
            variables: BTreeSet::new(),
            properties: BTreeMap::new(),
            log_level: 2,
            random: 0x9E37_79B9_7F4A_7C15,
        };
        Self { world: Rc::new(RefCell::new(world)), vms: RefCell::new(Vec::new()) }
    }

    /// Which proxy this is.
    #[must_use]
    pub fn personality(&self) -> Personality {
        self.world.borrow().personality
    }

    /// Time since 1970.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.world.borrow().wall
    }

    /// Sets the wall clock, as an administrator would: timers do not notice.
    pub fn set_time(&self, since_epoch: Duration) {
        self.world.borrow_mut().wall = since_epoch;
    }

    /// Lets time pass and fires the ticks that are due, in order, over all VMs.
    ///
    /// # Errors
    /// The first trap; the time has passed nevertheless, and the other VMs have had their ticks.
    pub fn advance(&self, time: Duration) -> Result<(), Trap> {
        let end = self.world.borrow().uptime.saturating_add(time);
        let mut first = Ok(());
        while let Some((due, vm)) = self.next_tick().filter(|(due, _)| *due <= end) {
            self.pass_until(due);
            let ticked = vm.borrow_mut().tick(due);
            first = first.and(ticked);
        }
        self.pass_until(end);
        first
    }

    /// Time until the next tick of any VM.
    #[must_use]
    pub fn until_next_tick(&self) -> Option<Duration> {
        let (due, _) = self.next_tick()?;
        Some(due.saturating_sub(self.world.borrow().uptime))
    }

    fn next_tick(&self) -> Option<(Duration, Rc<RefCell<Inner>>)> {
        self.vms.borrow_mut().retain(|vm| vm.strong_count() > 0);
        let vms = self.vms.borrow();
        let due = vms.iter().filter_map(Weak::upgrade).filter_map(|vm| {
            let due = vm.borrow().next_tick()?;
            Some((due, vm))
        });
        due.min_by_key(|(due, _)| *due)
    }

    fn pass_until(&self, uptime: Duration) {
        let mut world = self.world.borrow_mut();
        let passed = uptime.saturating_sub(world.uptime);
        world.uptime = world.uptime.saturating_add(passed);
        world.wall = world.wall.saturating_add(passed);
    }

    /// A VM of its own for this module; the compiled code is shared.
    ///
    /// # Errors
    /// The module asks for an import that this host lacks, or its start function traps.
    pub fn vm(&self, module: &Module) -> Result<Vm, LoadError> {
        let vm = Vm::start(module, &self.world)?;
        self.vms.borrow_mut().push(Rc::downgrade(&vm.inner));
        Ok(vm)
    }

    /// Adds a cluster (on NGINX: a host name that resolves), or changes it.
    pub fn set_cluster(&self, name: &str, cluster: Cluster) {
        self.world.borrow_mut().clusters.insert(name.to_owned(), cluster);
    }

    /// Removes a cluster: calls to it are refused from now on.
    pub fn remove_cluster(&self, name: &str) {
        self.world.borrow_mut().clusters.remove(name);
    }

    /// The shared data, from outside.
    #[must_use]
    pub fn shared_data(&self) -> SharedData {
        SharedData { world: Rc::clone(&self.world) }
    }

    /// Whether NGINX has a `shm_kv` zone (it has at first); without one each access traps.
    pub fn set_shared_memory(&self, configured: bool) {
        self.world.borrow_mut().shared_memory = configured;
    }

    /// Envoy's `allow_on_headers_stop_iteration`: a body is shown to a filter that paused the headers.
    pub fn allow_on_headers_stop_iteration(&self, allowed: bool) {
        self.world.borrow_mut().stop_iteration = allowed;
    }

    /// Adds NGINX's `set $<variable> "";`: only a variable that the configuration names can be set.
    pub fn set_variable(&self, variable: &str) {
        self.world.borrow_mut().variables.insert(variable.to_owned());
    }

    /// Adds NGINX's `proxy_set_header <name> $<variable>`.
    pub fn proxy_set_header(&self, name: &str, variable: &str) {
        let directive = ProxySetHeader { name: name.to_owned(), variable: variable.to_owned() };
        self.world.borrow_mut().directives.push(directive);
    }

    /// Sets a property of every stream, such as `source.address`; the path in its parts.
    pub fn set_property(&self, path: &[&str], value: &[u8]) {
        let path = path.join("\0").into_bytes();
        self.world.borrow_mut().properties.insert(path, value.to_vec());
    }

    /// The proxy's log level, 0 (trace) to 5 (critical): what `proxy_get_log_level` answers.
    ///
    /// Everything is recorded, whatever the level.
    pub fn set_log_level(&self, level: u32) {
        self.world.borrow_mut().log_level = level;
    }

    /// Makes a hostcall return this status without doing anything.
    pub fn fail(&self, hostcall: &str, status: Status, times: Times) {
        self.world.borrow_mut().faults.add(hostcall, status, times);
    }

    /// Makes one answer in four another one than it should be: cut off, empty, with wrong lengths.
    pub fn lie(&self, seed: u64) {
        self.world.borrow_mut().faults.lie(seed);
    }

    /// Takes all injected failures back.
    pub fn heal(&self) {
        self.world.borrow_mut().faults = Faults::default();
    }
}
