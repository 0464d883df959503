//! Generated from the world `trees`.

wit_bindgen::generate!({ path: "../../wit", world: "trees" });
