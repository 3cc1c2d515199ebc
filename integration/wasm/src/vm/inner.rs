//! Calls into the guest, and what the host does around each.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use wasmtime::{Instance, Store, Val};

use crate::callout::{Answer, Context};
use crate::error::BrokenRule;
use crate::headers::HeaderMap;
use crate::host::World;
use crate::stream::{Stream, Waiting};
use crate::vm_state::{Deferred, Entry, Root, VmState};
use crate::{
    CalloutResult, Headers, Level, LoadError, LocalReply, LogLine, Module, Personality, Phase,
    Request, RootId, StreamId, Token, Trap,
};

/// A VM behind its handle.
#[derive(Debug)]
pub(crate) struct Inner {
    store: Store<VmState>,
    instance: Instance,
    metered: bool,
    fuel: u64,
    /// The sum of all calls.
    spent: u64,
    dead: Option<Trap>,
}

impl Inner {
    pub(crate) fn start(module: &Module, world: &Rc<RefCell<World>>) -> Result<Self, LoadError> {
        let failed = |error: wasmtime::Error| LoadError::Link(format!("{error:#}"));
        let mut store = Store::new(module.module.engine(), VmState::new(world));
        let linker = module.linker(store.data().personality).map_err(failed)?;
        if module.metered {
            store.set_fuel(u64::MAX).map_err(failed)?;
        }
        let instance = linker.instantiate(&mut store, &module.module).map_err(failed)?;
        if instance.get_memory(&mut store, "memory").is_none() {
            return Err(LoadError::NoMemory);
        }
        let metered = module.metered;
        let mut inner = Self { store, instance, metered, fuel: 0, spent: 0, dead: None };
        inner.run(Entry::Initialize, 0, &[])?;
        Ok(inner)
    }

    pub(crate) fn state(&self) -> &VmState {
        self.store.data()
    }

    pub(crate) fn state_mut(&mut self) -> &mut VmState {
        self.store.data_mut()
    }

    pub(crate) fn fuel(&self) -> Option<u64> {
        self.metered.then_some(self.fuel)
    }

    pub(crate) fn fuel_spent(&self) -> Option<u64> {
        self.metered.then_some(self.spent)
    }

    pub(crate) fn trap(&self) -> Option<Trap> {
        self.dead.clone()
    }

    pub(crate) fn memory_pages(&mut self) -> u64 {
        let memory = self.instance.get_memory(&mut self.store, "memory");
        memory.map_or(0, |memory| memory.size(&self.store))
    }

    /// Calls an export; `None`: the guest has none of that name.
    pub(super) fn run(
        &mut self,
        entry: Entry,
        context: u32,
        args: &[u32],
    ) -> Result<Option<i32>, Trap> {
        if self.dead.is_some() {
            return Err(Trap::Dead { entry: entry.export() });
        }
        let state = self.state_mut();
        state.entry = entry;
        state.context = context;
        let called = self.call(entry, args);
        called.map_err(|error| {
            let trap = describe(entry, &error, self.state().logs.last());
            self.kill(trap.clone());
            trap
        })
    }

    fn call(&mut self, entry: Entry, args: &[u32]) -> wasmtime::Result<Option<i32>> {
        let Some(func) = self.instance.get_func(&mut self.store, entry.export()) else {
            return Ok(None);
        };
        let args: Vec<Val> = args.iter().map(|arg| Val::I32(arg.cast_signed())).collect();
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        if self.metered {
            self.store.set_fuel(u64::MAX)?;
        }
        let called = func.call(&mut self.store, &args, &mut results);
        if self.metered {
            self.fuel = u64::MAX.saturating_sub(self.store.get_fuel()?);
            self.spent = self.spent.saturating_add(self.fuel);
        }
        called?;
        Ok(results.first().and_then(Val::i32).or(Some(0)))
    }

    /// Ends the VM; what the host had under way for it is dropped.
    pub(super) fn kill(&mut self, trap: Trap) {
        self.dead = Some(trap);
        let state = self.state_mut();
        state.deferred.clear();
        state.callouts.clear();
        state.answer = None;
    }

    pub(crate) fn configure(&mut self, configuration: &[u8]) -> Result<Option<RootId>, Trap> {
        let state = self.state_mut();
        let id = state.new_context(true);
        let root = Root { configuration: configuration.to_vec(), ..Root::default() };
        state.roots.insert(id, root);
        self.run(Entry::ContextCreate, id, &[id, 0])?;
        let size = u32::try_from(configuration.len()).unwrap_or(u32::MAX);
        let accepted = self.run(Entry::VmStart, id, &[id, 0])? != Some(0)
            && self.run(Entry::Configure, id, &[id, size])? != Some(0);
        self.settle()?;
        if !accepted {
            self.forget_root(id);
        }
        Ok(accepted.then_some(RootId(id)))
    }

    fn forget_root(&mut self, id: u32) {
        let state = self.state_mut();
        state.roots.remove(&id);
        state.callouts.retain(|_, callout| callout.context != Context::Root(RootId(id)));
    }

    pub(crate) fn remove_root(&mut self, root: RootId) -> Result<(), Trap> {
        self.run(Entry::Done, root.0, &[root.0])?;
        self.run(Entry::Delete, root.0, &[root.0])?;
        self.forget_root(root.0);
        self.settle()
    }

    pub(crate) fn next_tick(&self) -> Option<Duration> {
        let ticks = self.state().roots.values().filter_map(|root| root.tick);
        ticks.map(|(_, due)| due).min().filter(|_| self.dead.is_none())
    }

    /// Fires the tick of the one root context whose turn it is.
    pub(crate) fn tick(&mut self, now: Duration) -> Result<(), Trap> {
        let is_due = |root: &Root| root.tick.is_some_and(|(_, due)| due <= now);
        let found = self.state_mut().roots.iter_mut().find(|(_, root)| is_due(root));
        let Some((id, root)) = found else { return Ok(()) };
        let id = *id;
        root.tick = root.tick.map(|(period, _)| (period, now.saturating_add(period)));
        self.run(Entry::Tick, id, &[id])?;
        self.settle()
    }

    pub(crate) fn request(&mut self, root: RootId, request: &Request) -> Result<StreamId, Trap> {
        if !self.state().roots.contains_key(&root.0) {
            return Err(Trap::Misuse(format!("no {root:?} in this VM")));
        }
        let state = self.state_mut();
        let personality = state.personality;
        let id = state.new_context(false);
        let stream = Stream::new(root.0, personality, request);
        let count = stream.maps[0].map.as_ref().map_or(0, |map| map.pairs().len());
        state.streams.insert(id, stream);
        if self.refused_by_proxy(id) {
            return Ok(StreamId(id));
        }
        self.run(Entry::ContextCreate, id, &[id, root.0])?;
        let end = request.end_of_stream && personality != Personality::Nginx;
        let args = [id, u32::try_from(count).unwrap_or(u32::MAX), u32::from(end)];
        self.request_callback(Entry::RequestHeaders, id, &args)?;
        Ok(StreamId(id))
    }

    /// NGINX answers a request with two `Authorization` headers itself; no filter sees it.
    fn refused_by_proxy(&mut self, id: u32) -> bool {
        let nginx = self.state().personality == Personality::Nginx;
        let Some(stream) = self.state_mut().streams.get_mut(&id).filter(|_| nginx) else {
            return false;
        };
        let pairs = stream.maps[0].map.as_ref().map(HeaderMap::pairs).unwrap_or_default();
        let named = pairs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"authorization"));
        let refused = named.count() > 1;
        if refused {
            stream.phase = Some(Phase::Replied(LocalReply::of_proxy(400, "")));
            stream.alive = false;
        }
        refused
    }

    /// A callback of the request direction: its result holds the request or lets it go.
    pub(super) fn request_callback(
        &mut self,
        entry: Entry,
        id: u32,
        args: &[u32],
    ) -> Result<(), Trap> {
        if let Some(stream) = self.state_mut().streams.get_mut(&id) {
            stream.dispatched = false;
        }
        let action = self.run(entry, id, args).inspect_err(|_| self.trapped(entry, id))?;
        let pause = action.is_some_and(|action| action != 0);
        let personality = self.state().personality;
        if let Some(stream) = self.state_mut().streams.get_mut(&id) {
            stream.decide(entry, pause, personality);
            if stream.dispatched && !pause && personality == Personality::Nginx {
                let rule = "a dispatch followed by Continue".to_owned();
                let trap = Trap::Crash { entry: entry.export(), rule };
                self.settle()?;
                self.kill(trap.clone());
                return Err(trap);
            }
        }
        self.settle()
    }

    /// What becomes of the stream whose callback trapped.
    fn trapped(&mut self, entry: Entry, id: u32) {
        let personality = self.state().personality;
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
        // NGINX lets a held request without a body through when its callout's callback traps.
        let lets_through = stream.method == b"GET" || stream.method == b"HEAD";
        stream.phase = Some(match (personality, entry) {
            (Personality::Nginx, Entry::CallResponse) if lets_through => Phase::Continued,
            (Personality::Nginx, _) => Phase::Replied(LocalReply::of_proxy(500, "")),
            (Personality::Envoy | Personality::Bare, Entry::CallResponse) => return,
            (Personality::Envoy | Personality::Bare, _) => {
                Phase::Replied(LocalReply::of_proxy(503, "wasm_fail_stream"))
            }
        });
        self.send_upstream();
    }

    pub(crate) fn deliver(&mut self, token: Token, result: CalloutResult) -> Result<(), Trap> {
        if self.dead.is_some() {
            return Err(Trap::Dead { entry: Entry::CallResponse.export() });
        }
        let state = self.state_mut();
        let Some(callout) = state.callouts.remove(&token.0) else {
            return Err(Trap::Misuse(format!("no {token:?} is pending")));
        };
        let answer = Answer::new(state.personality, result);
        if answer.reset {
            state.call_status = (11, "reset");
        }
        let context = match callout.context {
            Context::Root(RootId(id)) | Context::Stream(StreamId(id)) => id,
        };
        let headers = u32::try_from(answer.header_count).unwrap_or(u32::MAX);
        let args = [context, token.0, headers, answer.body.size(), 0];
        state.answer = Some(answer);
        let called = self.run(Entry::CallResponse, context, &args);
        called.inspect_err(|_| self.trapped(Entry::CallResponse, context))?;
        self.state_mut().answer = None;
        self.resume_after_last_call(context);
        self.settle()
    }

    /// NGINX goes on with a held request when its last callout is over, asked to or not.
    fn resume_after_last_call(&mut self, id: u32) {
        let state = self.state_mut();
        let context = Context::Stream(StreamId(id));
        let waits = state.callouts.values().any(|callout| callout.context == context);
        let held = state.streams.get(&id).is_some_and(|s| s.is_paused() && s.replies == 0);
        if state.personality == Personality::Nginx && held && !waits {
            state.deferred.push(Deferred::ContinueRequest(id));
        }
    }

    pub(crate) fn disconnect(&mut self, stream: StreamId) -> Result<(), Trap> {
        let id = stream.0;
        let state = self.state_mut();
        state.callouts.retain(|_, callout| callout.context != Context::Stream(stream));
        if !state.streams.get(&id).is_some_and(|stream| stream.alive) {
            return Ok(());
        }
        for entry in [Entry::Done, Entry::Log, Entry::Delete] {
            self.run(entry, id, &[id])?;
        }
        if let Some(stream) = self.state_mut().streams.get_mut(&id) {
            stream.alive = false;
        }
        self.settle()
    }

    pub(crate) fn body(&mut self, id: StreamId, data: &[u8], end: bool) -> Result<(), Trap> {
        self.arrive(id, Waiting::Body(data.to_vec(), end))
    }

    pub(crate) fn trailers(&mut self, id: StreamId, trailers: &Headers) -> Result<(), Trap> {
        self.arrive(id, Waiting::Trailers(trailers.clone()))
    }

    fn arrive(&mut self, id: StreamId, part: Waiting) -> Result<(), Trap> {
        let shown_early = {
            let world = self.state().world.borrow();
            world.stop_iteration && world.personality == Personality::Envoy
        };
        let stream = self.alive(id)?;
        stream.waiting.push_back(part);
        if stream.is_paused() && stream.paused_at_headers && !shown_early {
            return Ok(());
        }
        self.show_waiting(id.0)?;
        self.settle()
    }

    pub(super) fn alive(&mut self, id: StreamId) -> Result<&mut Stream, Trap> {
        let stream = self.state_mut().streams.get_mut(&id.0).filter(|stream| stream.alive);
        stream.ok_or_else(|| Trap::Misuse(format!("{id:?} is not open in this VM")))
    }

    pub(crate) fn map(&self, headers: &Headers) -> HeaderMap {
        HeaderMap::arrived(self.state().personality, headers)
    }
}

fn describe(entry: Entry, error: &wasmtime::Error, last: Option<&LogLine>) -> Trap {
    let entry = entry.export();
    // The SDK logs a panic before it traps.
    let panic = last.filter(|line| line.level == Level::Critical);
    let panic = panic.map(|line| format!("{}\n", line.text)).unwrap_or_default();
    match error.downcast_ref::<BrokenRule>() {
        Some(BrokenRule { rule, crash: true }) => Trap::Crash { entry, rule: rule.clone() },
        Some(BrokenRule { rule, crash: false }) => Trap::Rule { entry, rule: rule.clone() },
        None => Trap::Guest { entry, message: format!("{panic}{error:#}") },
    }
}
