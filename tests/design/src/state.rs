//! What the guests of the benchmark can reach: the record, as in the host, and
//! a WASI context with nothing in it.

use std::sync::Arc;

use gristmill_host::event::Event;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::bindings::resources::gristmill::design::records;

/// The record that a guest holds a handle to.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct RecordHandle {
    event: Arc<Event>,
    position: usize,
}

/// The data of a store.
#[derive(Default)]
pub(crate) struct State {
    table: ResourceTable,
    /// Made when it is first asked for, as in the host.
    wasi: Option<WasiCtx>,
}

impl State {
    /// Lends a record to the guest, which drops the handle.
    pub(crate) fn lend(&mut self, event: &Arc<Event>, position: usize) -> Resource<RecordHandle> {
        self.table.push(RecordHandle { event: Arc::clone(event), position }).unwrap()
    }

    fn event(&self, of: &Resource<RecordHandle>) -> wasmtime::Result<(&Event, usize)> {
        let RecordHandle { event, position } = self.table.get(of)?;
        Ok((event, *position))
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self.wasi.get_or_insert_with(|| WasiCtx::builder().build());
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl records::Host for State {}

impl records::HostStreamRecord for State {
    fn event_id(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        let (event, position) = self.event(&record)?;
        Ok(event.record(position).event_id().unwrap_or_default().to_owned())
    }

    fn keys(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<String> {
        let (event, position) = self.event(&record)?;
        Ok(event.record(position).keys().unwrap_or_default().to_owned())
    }

    fn new_image(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<Option<String>> {
        let (event, position) = self.event(&record)?;
        Ok(event.record(position).new_image().map(str::to_owned))
    }

    fn drop(&mut self, record: Resource<RecordHandle>) -> wasmtime::Result<()> {
        self.table.delete(record)?;
        Ok(())
    }
}
