//! Reads the new image into a struct: what most handlers do.

mod handler;

gristmill_sdk::handler!(handler::read);
