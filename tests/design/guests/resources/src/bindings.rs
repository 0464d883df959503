//! Generated from the world `resources`.

wit_bindgen::generate!({ path: "../../wit", world: "resources" });
