//! The SDK's bindings are checked in, so that users' builds need no generator.
//! They are what the generator makes of `wit/` today.
//!
//! `GRISTMILL_BLESS=1 cargo test --workspace --test all sdk_bindings` writes
//! them anew.

use gristmill_tests::root;
use wit_bindgen_core::wit_parser::{Resolve, WorldKey};
use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::Opts;

#[test]
fn sdk_bindings_are_those_of_the_contract() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some("stream-handler")).unwrap();
    // The standard library brings its own WASI.
    let interfaces = &resolve.interfaces;
    let is_ours = |key: &WorldKey| match key {
        WorldKey::Interface(id) => interfaces[*id].package == Some(package),
        WorldKey::Name(_) => true,
    };
    let ours: Vec<bool> = resolve.worlds[world].imports.keys().map(is_ours).collect();
    let mut ours = ours.into_iter();
    resolve.worlds[world].imports.retain(|_, _| ours.next().unwrap());

    let mut files = Files::default();
    let options = Opts { generate_all: true, pub_export_macro: true, format: true, ..Opts::default() };
    options.build().generate(&mut resolve, world, &mut files).unwrap();
    let (_, generated) = files.iter().next().unwrap();

    let path = root().join("guest-sdk/rust/src/bindings.rs");
    if std::env::var_os("GRISTMILL_BLESS").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let same = std::fs::read(&path).unwrap() == generated;
    assert!(same, "guest-sdk/rust/src/bindings.rs is not made from wit/; run this test with GRISTMILL_BLESS=1");
}
