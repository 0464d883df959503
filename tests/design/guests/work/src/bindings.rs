//! Generated from the world `work`.

wit_bindgen::generate!({ path: "../../wit", world: "work" });
