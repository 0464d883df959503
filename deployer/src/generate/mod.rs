//! `gristmill generate`: what is written for the user to go on from. A handler
//! with its entry in the manifest ([`event`]), and an event to try it with
//! ([`sample`]). Nothing here builds or runs a handler.

mod code;
mod entry;
pub mod event;
mod method;
pub mod sample;
mod workspace;
