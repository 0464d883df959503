//! Generated from the world `texts`.

wit_bindgen::generate!({ path: "../../wit", world: "texts" });
