//! New entries in the manifest. They are appended as text: every byte that the
//! user wrote stays where it is, comments, order and line ends included, which
//! no editor of a parsed document promises.

use std::fmt::Write as _;

/// A stream to add.
pub(super) struct NewStream<'a> {
    pub(super) name: &'a str,
    /// `table` or `stream-arn`.
    pub(super) key: &'static str,
    /// Checked: it needs no escapes.
    pub(super) value: &'a str,
}

/// A handler to add.
pub(super) struct NewHandler<'a> {
    pub(super) name: &'a str,
    /// The path of its folder, checked: it needs no escapes.
    pub(super) source: &'a str,
    /// The stream's name.
    pub(super) stream: &'a str,
    /// Lines that come after, as they are.
    pub(super) more: &'a [String],
}

/// The manifest's text with a handler, and its stream when that is new.
pub(super) fn append(text: &str, stream: Option<&NewStream<'_>>, handler: &NewHandler<'_>) -> String {
    let mut entries = String::new();
    if let Some(NewStream { name, key, value }) = stream {
        let _ = write!(entries, "\n[stream.{name}]\n{key} = \"{value}\"\n");
    }
    let NewHandler { name, source, stream, more } = handler;
    let _ = write!(entries, "\n[handler.{name}]\nsource = \"{source}\"\nstream = \"{stream}\"\n");
    for line in *more {
        let _ = writeln!(entries, "{line}");
    }
    let crlf = text.contains("\r\n");
    if !text.is_empty() && !text.ends_with('\n') {
        entries.insert(0, '\n');
    }
    if crlf {
        entries = entries.replace('\n', "\r\n");
    }
    format!("{text}{entries}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handler(more: &[String]) -> NewHandler<'_> {
        NewHandler { name: "a-b", source: "handlers/a-b", stream: "orders", more }
    }

    #[test]
    fn entries_go_to_the_end_and_the_rest_stays() {
        let stream = NewStream { name: "orders", key: "table", value: "Orders" };
        let text = "# mine\n[project]\nname='demo'   # odd\n# last";
        assert_eq!(
            append(text, Some(&stream), &handler(&[])),
            format!(
                "{text}\n\n[stream.orders]\ntable = \"Orders\"\n\n[handler.a-b]\nsource = \"handlers/a-b\"\nstream = \
                 \"orders\"\n"
            )
        );
    }

    #[test]
    fn the_line_ends_are_those_of_the_file() {
        let text = "[project]\r\nname = \"demo\"\r\n";
        let appended = append(text, None, &handler(&["# Why.".to_owned(), "lang = \"go\"".to_owned()]));
        let entry = "[handler.a-b]\r\nsource = \"handlers/a-b\"\r\nstream = \"orders\"\r\n# Why.\r\nlang = \"go\"\r\n";
        assert_eq!(appended, format!("{text}\r\n{entry}"));
    }
}
