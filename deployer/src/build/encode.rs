//! From a core module to a component of the contract, for the languages whose
//! compilers make no components: C, Zig and Go.

use anyhow::{Context as _, anyhow};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasm_encoder::RawSection;
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, UnresolvedPackageGroup, WorldId};

use crate::vendor;

/// The world of a handler.
const WORLD: &str = "stream-handler";

/// The component of a core module whose imports and exports are those of the
/// contract, and of WASI preview 1 as the language's own library has it.
///
/// # Errors
///
/// When the module exports no handler, or imports what the contract has not: the
/// encoder's words, which name it.
pub(super) fn component(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (resolve, world) = contract()?;
    let mut module = without_debug(module).context("the module is not WebAssembly")?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .context("the module is not WebAssembly")?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| {
            encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
        })
        .and_then(|encoder| encoder.encode())
        .context("the module is no handler of the contract gristmill:events@0.1.0")
}

/// A module without what a debugger reads, which is most of some. The names of
/// functions stay, so that a trap's trace can be read; compilers have no setting for
/// that.
fn without_debug(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut kept = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if matches!(&payload, Payload::CustomSection(section) if section.name().starts_with(".debug_")) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            kept.section(&RawSection { id, data: &module[range] });
        }
    }
    Ok(kept.finish())
}

/// The contract of this command, and the world of a handler in it.
fn contract() -> anyhow::Result<(Resolve, WorldId)> {
    let mut files = vendor::wit().iter().filter(|(path, _)| path.ends_with(".wit"));
    let (mut own, deps) = files.try_fold((Vec::new(), Vec::new()), |(mut own, mut others), (path, text)| {
        let group = UnresolvedPackageGroup::parse(path, text)
            .map_err(|(map, error)| anyhow!("the contract in this command: {}", error.render(&map)))?;
        if path.starts_with("deps/") {
            others.push(group)
        } else {
            own.push(group)
        }
        anyhow::Ok((own, others))
    })?;
    let own = own.pop().context("there is no contract in this command")?;
    let mut resolve = Resolve::default();
    let package = resolve.push_groups(own, deps).context("the contract in this command cannot be read")?;
    let world = resolve.select_world(&[package], Some(WORLD)).context("the contract in this command has no world")?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_read_from_the_command() {
        let (resolve, world) = contract().unwrap();
        assert_eq!(resolve.worlds[world].name, WORLD);
    }

    #[test]
    fn what_a_debugger_reads_is_left_out_and_names_stay() {
        let custom = |name: &'static str| wasm_encoder::CustomSection { name: name.into(), data: b"x".into() };
        let mut module = wasm_encoder::Module::new();
        module.section(&custom("name")).section(&custom(".debug_info")).section(&custom(".debug_str"));
        let mut kept = wasm_encoder::Module::new();
        kept.section(&custom("name"));
        assert_eq!(without_debug(&module.finish()).unwrap(), kept.finish());
    }

    #[test]
    fn what_is_no_handler_is_told_by_name() {
        let error = component(b"\0asm\x01\0\0\0").unwrap_err();
        let told = format!("{error:#}");
        assert!(told.contains("gristmill:events/handler@0.1.0"), "{told}");
        let error = component(b"no wasm").unwrap_err();
        assert!(format!("{error:#}").starts_with("the module is not WebAssembly"), "{error:#}");
    }
}
