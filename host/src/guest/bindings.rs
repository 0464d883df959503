//! Generated from `wit/`: the contract as the host sees it.
#![allow(missing_docs, clippy::all, unreachable_pub)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "gristmill:events/stream-handler",
    imports: { default: trappable },
    exports: { default: async },
    require_store_data_send: true,
    with: {
        "wasi": wasmtime_wasi::p2::bindings,
        "gristmill:events/types.stream-record": crate::guest::state::RecordHandle,
    },
});
