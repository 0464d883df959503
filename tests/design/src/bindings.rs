//! Generated from `wit/`: the guests as the benchmark sees them.
#![allow(missing_docs, clippy::all, unreachable_pub)]

/// Of the world `resources`, called as the host calls.
pub mod resources {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "gristmill:design/resources",
        imports: { default: trappable },
        exports: { default: async },
        with: { "gristmill:design/records.stream-record": crate::state::RecordHandle },
    });
}

/// Of the same world, called without async.
pub mod resources_sync {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "gristmill:design/resources",
        imports: { default: trappable },
        with: { "gristmill:design/records": super::resources::gristmill::design::records },
    });
}

/// Of the world `texts`.
pub mod texts {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "gristmill:design/texts",
        exports: { default: async },
    });
}

/// Of the world `trees`.
pub mod trees {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "gristmill:design/trees",
        exports: { default: async },
    });
}

/// Of the world `work`.
pub mod work {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "gristmill:design/work",
        exports: { default: async },
    });
}
