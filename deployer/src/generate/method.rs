//! What a handler's function is called, in the manner of its language. Knows
//! words, and nothing of files.

use anyhow::bail;

use crate::edge::{Misuse, quoted};
use crate::language::Language;
use crate::names;

/// Words that a function of edition 2024 cannot be called.
const RUST: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The same of a module in JavaScript, and what TypeScript adds.
const JAVASCRIPT: &[&str] = &[
    "any",
    "arguments",
    "await",
    "boolean",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "never",
    "new",
    "null",
    "number",
    "object",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "string",
    "super",
    "switch",
    "symbol",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "unknown",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// The same in Python.
const PYTHON: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "case", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "match", "nonlocal", "not",
    "or", "pass", "print", "raise", "return", "try", "type", "while", "with", "yield",
];

/// The same in C and in C++, and what the headers declare that handlers include.
const C: &[&str] = &[
    "abort",
    "alignas",
    "alignof",
    "and",
    "asm",
    "auto",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "constexpr",
    "continue",
    "default",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "exit",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "free",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "main",
    "malloc",
    "namespace",
    "new",
    "not",
    "nullptr",
    "operator",
    "or",
    "printf",
    "private",
    "protected",
    "public",
    "puts",
    "register",
    "remove",
    "rename",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typename",
    "typeof",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "while",
    "xor",
];

/// The same in Zig.
const ZIG: &[&str] = &[
    "addrspace",
    "align",
    "allowzero",
    "and",
    "anyframe",
    "anytype",
    "asm",
    "break",
    "callconv",
    "catch",
    "comptime",
    "const",
    "continue",
    "defer",
    "else",
    "enum",
    "errdefer",
    "error",
    "export",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "inline",
    "linksection",
    "main",
    "noalias",
    "noinline",
    "nosuspend",
    "null",
    "opaque",
    "or",
    "orelse",
    "packed",
    "panic",
    "pub",
    "resume",
    "return",
    "std",
    "struct",
    "suspend",
    "switch",
    "test",
    "threadlocal",
    "true",
    "try",
    "type",
    "undefined",
    "union",
    "unreachable",
    "var",
    "void",
    "volatile",
    "while",
];

/// A function's name: as it was asked for, and as the language writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// `on_insert`, for `on_insert` and `on-insert`.
    pub(super) snake: String,
    /// `on_insert`, `onInsert` or `OnInsert`.
    pub(super) written: String,
}

impl Method {
    /// Reads what `--method` was given.
    ///
    /// # Errors
    ///
    /// [`Misuse`]: no function can be called so.
    pub(super) fn of(method: &str, lang: Language) -> anyhow::Result<Self> {
        let snake = method.replace('-', "_");
        let first = snake.starts_with(|c: char| c.is_ascii_lowercase());
        let rest = snake.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let shown = quoted(method);
        if !first || !rest {
            let near = names::kebab(method).replace('-', "_");
            let near = if near.starts_with(|c: char| c.is_ascii_lowercase()) && near != snake {
                format!("; for example `{near}`")
            } else {
                String::new()
            };
            bail!(Misuse::new(format!(
                "--method {shown} is not a function's name: a–z, 0–9 and `_`, the first a letter{near}"
            )));
        }
        let (words, written): (&[&str], _) = match lang {
            Language::Rust => (RUST, snake.clone()),
            Language::Js | Language::Ts => (JAVASCRIPT, camel(&snake)),
            Language::Python => (PYTHON, snake.clone()),
            Language::Go => (&[], pascal(&snake)),
            Language::C => (C, snake.clone()),
            Language::Zig => (ZIG, camel(&snake)),
        };
        if words.contains(&written.as_str()) {
            let message = format!("--method {shown} is a word of {}; for example `{snake}_record`", lang.name());
            bail!(Misuse::new(message));
        }
        Ok(Self { snake, written })
    }
}

/// `OnInsert` for `on_insert`.
fn pascal(snake: &str) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    snake.split('_').filter(|word| !word.is_empty()).map(word).collect()
}

/// `onInsert` for `on_insert`.
fn camel(snake: &str) -> String {
    let pascal = pascal(snake);
    pascal[..1].to_ascii_lowercase() + &pascal[1..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_becomes_a_function_as_the_language_writes_it() {
        for (method, lang, written) in [
            ("file", Language::Rust, "file"),
            ("on_insert", Language::Rust, "on_insert"),
            ("on-insert", Language::Rust, "on_insert"),
            ("v2", Language::Rust, "v2"),
            ("on_insert", Language::Js, "onInsert"),
            ("on-insert", Language::Ts, "onInsert"),
            ("on_insert", Language::Python, "on_insert"),
            ("on_insert", Language::Go, "OnInsert"),
            ("type", Language::Go, "Type"),
            ("on__insert_", Language::Go, "OnInsert"),
            ("on_insert", Language::C, "on_insert"),
            ("on_insert", Language::Zig, "onInsert"),
        ] {
            let found = Method::of(method, lang).unwrap();
            assert_eq!(found, Method { snake: method.replace('-', "_"), written: written.to_owned() });
        }
    }

    #[test]
    fn what_no_function_can_be_called_is_refused() {
        let rule = "is not a function's name: a–z, 0–9 and `_`, the first a letter";
        for (method, lang, message) in [
            ("match", Language::Rust, "--method `match` is a word of Rust; for example `match_record`".to_owned()),
            (
                "delete",
                Language::Js,
                "--method `delete` is a word of JavaScript; for example `delete_record`".to_owned(),
            ),
            (
                "import",
                Language::Python,
                "--method `import` is a word of Python; for example `import_record`".to_owned(),
            ),
            ("remove", Language::C, "--method `remove` is a word of C; for example `remove_record`".to_owned()),
            ("test", Language::Zig, "--method `test` is a word of Zig; for example `test_record`".to_owned()),
            ("onInsert", Language::Js, format!("--method `onInsert` {rule}; for example `on_insert`")),
            ("", Language::Rust, format!("--method `` {rule}")),
            ("9", Language::Rust, format!("--method `9` {rule}")),
            ("a b", Language::Go, format!("--method `a b` {rule}; for example `a_b`")),
            ("_x", Language::C, format!("--method `_x` {rule}; for example `x`")),
        ] {
            assert_eq!(Method::of(method, lang).unwrap_err().to_string(), message);
        }
    }
}
