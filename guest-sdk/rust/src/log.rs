//! Log lines with a level and fields, through the host; natively on stderr.
//!
//! What a handler prints is logged too, a line each, without level and fields.

use std::fmt;

/// How much a line matters. The names are those of Lambda's log levels, with `Critical` for its `FATAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

/// Writes one line. The macros ([`crate::info!`] and its sisters) are shorter.
///
/// The host adds handler, event id, sequence number and request id, and bounds the length. One call of the host.
pub fn write(level: Level, message: fmt::Arguments<'_>, fields: &[(&str, &dyn fmt::Display)]) {
    let fields: Vec<(String, String)> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
    emit(level, &message.to_string(), &fields);
}

#[cfg(target_arch = "wasm32")]
fn emit(level: Level, message: &str, fields: &[(String, String)]) {
    use crate::bindings::gristmill::events::log as host;
    let level = match level {
        Level::Trace => host::Level::Trace,
        Level::Debug => host::Level::Debug,
        Level::Info => host::Level::Info,
        Level::Warn => host::Level::Warn,
        Level::Error => host::Level::Error,
        Level::Critical => host::Level::Critical,
    };
    host::write(level, message, fields);
}

#[cfg(not(target_arch = "wasm32"))]
fn emit(level: Level, message: &str, fields: &[(String, String)]) {
    let mut line = format!("{} {message}", format!("{level:?}").to_uppercase());
    for (name, value) in fields {
        line.push_str(&format!(" {name}={value:?}"));
    }
    eprintln!("{line}");
}

/// Logs a line, with the level as the first argument: `log!(Level::Info, order = 7; "text {}", 1)`.
///
/// Fields, if any, come first, each `name = value` with a value that can be displayed, and end with a semicolon.
#[macro_export]
macro_rules! log {
    ($level:expr, $($name:ident = $value:expr),+ $(,)?; $($text:tt)+) => {
        $crate::log::write(
            $level,
            ::core::format_args!($($text)+),
            &[$((::core::stringify!($name), &$value as &dyn ::core::fmt::Display)),+],
        )
    };
    ($level:expr, $($text:tt)+) => {
        $crate::log::write($level, ::core::format_args!($($text)+), &[])
    };
}

/// Logs a line of level `trace`: what is of use only while a handler is written. Fields, if any, come first: `name = value, …;`.
#[macro_export]
macro_rules! trace {
    ($($text:tt)+) => { $crate::log!($crate::log::Level::Trace, $($text)+) };
}

/// Logs a line of level `debug`: what explains a single record. Fields, if any, come first: `name = value, …;`.
#[macro_export]
macro_rules! debug {
    ($($text:tt)+) => { $crate::log!($crate::log::Level::Debug, $($text)+) };
}

/// Logs a line of level `info`: what was done. Fields, if any, come first: `name = value, …;`.
///
/// ```
/// let order = 7;
/// gristmill_sdk::info!("order {order} is paid");
/// gristmill_sdk::info!(order = order, cents = 3 * 100; "paid by {}", "card");
/// ```
#[macro_export]
macro_rules! info {
    ($($text:tt)+) => { $crate::log!($crate::log::Level::Info, $($text)+) };
}

/// Logs a line of level `warn`: what may turn out wrong. Fields, if any, come first: `name = value, …;`.
#[macro_export]
macro_rules! warn {
    ($($text:tt)+) => { $crate::log!($crate::log::Level::Warn, $($text)+) };
}

/// Logs a line of level `error`: what went wrong. Fields, if any, come first: `name = value, …;`.
#[macro_export]
macro_rules! error {
    ($($text:tt)+) => { $crate::log!($crate::log::Level::Error, $($text)+) };
}

/// Logs a line of level `critical`: what needs somebody at once. Fields, if any, come first: `name = value, …;`.
#[macro_export]
macro_rules! critical {
    ($($text:tt)+) => { $crate::log!($crate::log::Level::Critical, $($text)+) };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_level_takes_texts_and_fields() {
        let (x, name) = (1, "a");
        crate::trace!("x = {x}");
        crate::debug!("{} {name}", x);
        crate::info!(x = x; "text");
        crate::warn!(x = x, name = name,; "text {x}");
        crate::error!(sum = x + 1; "{}", x);
        crate::critical!("no fields");
        crate::log!(super::Level::Info, x = x; "text");
    }
}
