//! What a guest can reach: the record, the invocation, the log, and a WASI
//! context with nothing in it.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::bindings::gristmill::events::{invocation, log, types};
use super::limits::{Exceeded, Limiter};
use super::output::{LogBuffer, LogLine, Output};
use crate::batch::LimitKind;
use crate::event::{self, Event, Record};
use crate::settings::Limits;

/// The most that a guest may ask of the random generator at once, in bytes:
/// the host fills a buffer of that size.
const MOST_RANDOM_BYTES: u64 = 1 << 20;

/// The record that a guest holds a handle to.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct RecordHandle {
    event: Arc<Event>,
    position: usize,
}

impl RecordHandle {
    fn record(&self) -> Record<'_> {
        self.event.record(self.position)
    }
}

/// What a guest can know about the invocation. Shared by its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Lambda's id of the invocation.
    pub request_id: String,
    /// The function's name.
    pub function_name: String,
    /// The function's version.
    pub function_version: String,
    /// AWS X-Ray's header.
    pub trace_header: Option<String>,
}

/// One call, as the guest can see it.
pub(super) struct CallContext {
    pub(super) invocation: Arc<Invocation>,
    pub(super) handler: Arc<str>,
    pub(super) attempt: u32,
    pub(super) deadline_ms: Option<u64>,
    /// When the call will be stopped.
    pub(super) end: Instant,
}

/// The data of a store: all that belongs to an instance, and to the call that
/// is running in it.
pub(super) struct State {
    table: ResourceTable,
    /// Made when the guest first asks for WASI: a context has generators of
    /// random numbers to seed, and few calls need one.
    wasi: Option<WasiCtx>,
    pub(super) limiter: Limiter,
    call: CallContext,
    pub(super) log: LogBuffer,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    /// What host calls may still copy into the guest, in bytes.
    copies_left: usize,
}

impl State {
    pub(super) fn new(call: CallContext, limits: &Limits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles as usize);
        Self {
            table,
            wasi: None,
            limiter: Limiter::new(limits),
            call,
            log: LogBuffer::new(limits.log_kb),
            stdout: Output::new(limits.output_kb),
            stderr: Output::new(limits.output_kb),
            copies_left: copies(limits),
        }
    }

    /// Prepares the instance for another call, whose output was taken.
    pub(super) fn renew(&mut self, call: CallContext, limits: &Limits) {
        self.call = call;
        self.copies_left = copies(limits);
    }

    pub(super) fn end(&self) -> Instant {
        self.call.end
    }

    /// Lends the record to the guest.
    pub(super) fn lend(&mut self, event: Arc<Event>, position: usize) -> wasmtime::Result<Resource<RecordHandle>> {
        Ok(self.table.push(RecordHandle { event, position })?)
    }

    /// Takes the record back, whatever the guest did with its handle. Tells
    /// whether the guest has kept it; it should have dropped it.
    pub(super) fn take_back(&mut self, rep: u32) -> bool {
        self.table.delete(Resource::<RecordHandle>::new_own(rep)).is_ok()
    }

    /// The handles that the guest has left open, but for those of records that
    /// were taken back.
    pub(super) fn handles(&mut self) -> usize {
        self.table.iter_mut().count()
    }

    /// Copies a text for the guest, within what host calls may copy.
    fn copy(
        &mut self,
        of: &Resource<RecordHandle>,
        text: impl Fn(Record<'_>) -> Option<&str>,
    ) -> wasmtime::Result<Option<String>> {
        let Some(text) = text(self.table.get(of)?.record()).map(str::to_owned) else { return Ok(None) };
        self.charge(text.len())?;
        Ok(Some(text))
    }

    fn charge(&mut self, bytes: usize) -> wasmtime::Result<()> {
        match self.copies_left.checked_sub(bytes) {
            Some(left) => {
                self.copies_left = left;
                Ok(())
            }
            None => {
                let text = "host calls copied more into the guest than they may".to_owned();
                Err(Exceeded { kind: LimitKind::HostCalls, text }.into())
            }
        }
    }

    fn copy_text(
        &mut self,
        of: &Resource<RecordHandle>,
        text: impl Fn(Record<'_>) -> &str,
    ) -> wasmtime::Result<String> {
        Ok(self.copy(of, |record| Some(text(record)))?.unwrap_or_default())
    }
}

/// What host calls may copy into the guest over a call, in bytes.
fn copies(limits: &Limits) -> usize {
    (limits.host_call_mb as usize) << 20
}

/// An empty context: no arguments, environment, folders or sockets, and
/// standard input is at its end. A builder grants nothing by itself.
fn nothing_granted(stdout: &Output, stderr: &Output) -> WasiCtx {
    WasiCtx::builder()
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .max_random_size(MOST_RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        .build()
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self.wasi.get_or_insert_with(|| nothing_granted(&self.stdout, &self.stderr));
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl types::Host for State {}

impl types::HostStreamRecord for State {
    fn event_id(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        self.copy_text(&record, |record| record.event_id().unwrap_or_default())
    }

    fn table(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        self.copy_text(&record, |record| record.table())
    }

    fn stream_arn(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        self.copy_text(&record, |record| record.stream_arn())
    }

    fn region(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        let region = self.table.get(&record)?.record().region().into_owned();
        self.charge(region.len())?;
        Ok(region)
    }

    fn sequence_number(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        self.copy_text(&record, |record| record.sequence_number().as_str())
    }

    fn event_name(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<types::EventName> {
        // Only a record with a name is handed out: one without is malformed.
        match self.table.get(&record)?.record().name() {
            Some(event::EventName::Insert) => Ok(types::EventName::Insert),
            Some(event::EventName::Modify) => Ok(types::EventName::Modify),
            Some(event::EventName::Remove) => Ok(types::EventName::Remove),
            None => Err(wasmtime::Error::msg("a malformed record was handed out")),
        }
    }

    fn size_bytes(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&record)?.record().size_bytes())
    }

    fn created_at_ms(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&record)?.record().created_at_ms())
    }

    fn user_identity(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<Option<types::Identity>> {
        let identity = self.table.get(&record)?.record().identity();
        let identity =
            identity.map(|event::Identity { kind, principal_id }| types::Identity { type_: kind, principal_id });
        self.charge(identity.as_ref().map_or(0, |identity| identity.type_.len() + identity.principal_id.len()))?;
        Ok(identity)
    }

    fn keys(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        self.copy_text(&record, |record| record.keys().unwrap_or_default())
    }

    fn new_image(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<Option<String>> {
        self.copy(&record, |record| record.new_image())
    }

    fn old_image(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<Option<String>> {
        self.copy(&record, |record| record.old_image())
    }

    fn json(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        self.copy_text(&record, |record| record.json())
    }

    fn drop(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<()> {
        self.table.delete(record)?;
        Ok(())
    }
}

impl invocation::Host for State {
    fn request_id(&mut self) -> wasmtime::Result<String> {
        Ok(self.call.invocation.request_id.clone())
    }

    fn handler(&mut self) -> wasmtime::Result<String> {
        Ok(self.call.handler.to_string())
    }

    fn function_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.call.invocation.function_name.clone())
    }

    fn function_version(&mut self) -> wasmtime::Result<String> {
        Ok(self.call.invocation.function_version.clone())
    }

    fn attempt(&mut self) -> wasmtime::Result<u32> {
        Ok(self.call.attempt)
    }

    fn deadline_ms(&mut self) -> wasmtime::Result<Option<u64>> {
        Ok(self.call.deadline_ms)
    }

    fn trace_header(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.call.invocation.trace_header.clone())
    }
}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        self.log.write(LogLine { level: level.into(), message, fields });
        Ok(())
    }

    fn print(&mut self, to: log::Output, text: String) -> wasmtime::Result<()> {
        match to {
            log::Output::Stdout => self.stdout.print(&text),
            log::Output::Stderr => self.stderr.print(&text),
        }
        Ok(())
    }
}
