//! A cursor over JSON text that finds values and reads none.
//!
//! What it steps over is checked as far as finding its end needs: the brackets
//! and strings of an object or list, by 64 bytes at a time, and not what stands
//! between them. Whoever reads the value checks it, and whoever does not pays
//! nothing for that (docs/adr/0012). There is no recursion, so no depth of
//! nesting harms the host.

use std::borrow::Cow;

use serde_json::value::RawValue;
use wide::u8x16;

/// Why a text is not JSON of the expected form.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where, from the outside in; empty for the whole.
    pub(super) path: String,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { path: String::new(), reason: reason.into() }
    }

    /// The same, of a value in the field `name`.
    pub(super) fn within(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path.insert_str(0, dot);
        self.path.insert_str(0, name);
        self
    }

    /// The same, of the element `index` of a list.
    pub(super) fn element(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

type Found<T> = Result<T, Fault>;

/// A place in a text.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The number of bytes before the next value.
    pub(super) fn position(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The text from a position up to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// Calls `field` with each name of an object; it must step over the value.
    pub(super) fn object(
        &mut self,
        what: &str,
        mut field: impl FnMut(&mut Self, &Cow<'a, str>) -> Found<()>,
    ) -> Found<()> {
        self.open(b'{', what)?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("the name of a field"));
            }
            let name = decoded(self.quoted()?)?;
            if !self.take(b':') {
                return Err(self.expected("a colon").within(&name));
            }
            field(self, &name).map_err(|fault| fault.within(&name))?;
            if !self.take(b',') {
                break;
            }
        }
        if self.take(b'}') { Ok(()) } else { Err(self.expected("a comma or the end of the object")) }
    }

    /// Calls `element` for each element of a list; it must step over it.
    pub(super) fn list(&mut self, what: &str, mut element: impl FnMut(&mut Self, usize) -> Found<()>) -> Found<()> {
        self.open(b'[', what)?;
        if self.take(b']') {
            return Ok(());
        }
        for index in 0.. {
            element(self, index).map_err(|fault| fault.element(index))?;
            if !self.take(b',') {
                break;
            }
        }
        if self.take(b']') { Ok(()) } else { Err(self.expected("a comma or the end of the array")) }
    }

    /// Steps over a string. Gives what it says.
    pub(super) fn string(&mut self) -> Found<Cow<'a, str>> {
        match self.peek() {
            Some(b'"') => decoded(self.quoted()?),
            Some(_) => Err(Fault::new(format!("expected a string, found {}", kind_of(&self.text[self.at..])))),
            None => Err(self.expected("a string")),
        }
    }

    /// Steps over a value, of any kind. Gives its text.
    pub(super) fn value(&mut self) -> Found<&'a str> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{' | b'[') => {
                let rest = &self.text[self.at..];
                let length = length_of_container(rest.as_bytes()).ok_or_else(|| self.ends_in(rest))?;
                self.at += length;
                Ok(&rest[..length])
            }
            _ => self.scalar(),
        }
    }

    /// Steps over `null`, if that is what comes.
    pub(super) fn null(&mut self) -> bool {
        self.peek();
        let null = self.text[self.at..].starts_with("null");
        if null {
            self.at += "null".len();
        }
        null
    }

    /// Nothing but space may follow.
    pub(super) fn end(&mut self) -> Found<()> {
        self.peek().map_or(Ok(()), |_| Err(self.expected("the end")))
    }

    fn open(&mut self, bracket: u8, what: &str) -> Found<()> {
        match self.peek() {
            Some(found) if found == bracket => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(Fault::new(format!("expected {what}, found {}", kind_of(&self.text[self.at..])))),
            None => Err(self.expected(what)),
        }
    }

    /// A string with its quotes.
    fn quoted(&mut self) -> Found<&'a str> {
        let rest = &self.text[self.at..];
        let mut at = 1;
        let mut escapes = false;
        while let Some(special) = special(&rest.as_bytes()[at.min(rest.len())..]) {
            at += special;
            match rest.as_bytes()[at] {
                b'"' => {
                    let string = &rest[..=at];
                    // Its form alone: half of a surrogate pair has it.
                    if escapes && let Err(error) = serde_json::from_str::<&RawValue>(string) {
                        return Err(Fault::new(error.to_string()));
                    }
                    self.at += at + 1;
                    return Ok(string);
                }
                b'\\' => {
                    escapes = true;
                    at += 2;
                }
                _ => {
                    self.at += at;
                    return Err(self.fault("a control character in a string"));
                }
            }
        }
        Err(self.ends_in(rest))
    }

    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Found<&'a str> {
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r');
        let token = &rest[..rest.bytes().position(|byte| ends(&byte)).unwrap_or(rest.len())];
        let digits = token.bytes().all(|byte| byte.is_ascii_digit()) && !token.is_empty() && !token.starts_with('0');
        if !digits && serde_json::from_str::<serde::de::IgnoredAny>(token).is_err() {
            return Err(self.expected("a value"));
        }
        self.at += token.len();
        Ok(token)
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expected(&self, what: &str) -> Fault {
        self.fault(&format!("expected {what}"))
    }

    fn ends_in(&self, value: &str) -> Fault {
        Fault::new(format!("{} that does not end, from byte {}", kind_of(value), self.at))
    }

    fn fault(&self, reason: &str) -> Fault {
        match self.at < self.text.len() {
            true => Fault::new(format!("{reason} at byte {}", self.at)),
            false => Fault::new(format!("{reason}, found the end of the text")),
        }
    }
}

/// The position of the first quote, backslash or control character.
fn special(text: &[u8]) -> Option<usize> {
    // Eight bytes at once, as most strings here have some tens: with `0x80` in
    // each byte that is one, and perhaps in bytes after the first of them.
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |eight: u64, bound: u8| eight.wrapping_sub(ONES * u64::from(bound)) & !eight & (ONES << 7);
    let is = |eight: u64, byte: u8| below(eight ^ (ONES * u64::from(byte)), 1);
    let (eights, rest) = text.as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        let found = is(eight, b'"') | is(eight, b'\\') | below(eight, b' ');
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '));
    found.map(|at| text.len() - rest.len() + at)
}

/// What a JSON string says.
pub(super) fn decoded(json: &str) -> Found<Cow<'_, str>> {
    match plain(json) {
        Some(plain) => Ok(Cow::Borrowed(plain)),
        None => serde_json::from_str(json).map(Cow::Owned).map_err(|error| Fault::new(error.to_string())),
    }
}

/// What a JSON string without escapes says.
fn plain(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    (!text.as_bytes().contains(&b'\\')).then_some(text)
}

/// What a JSON value is, by its first character.
pub(super) fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => "no value",
    }
}

/// The length of the object or list that a text begins with; none when it does
/// not end, or ends with the other kind's bracket.
///
/// Works on blocks of 64 bytes, each as a few numbers of 64 bits with one bit
/// for each byte: where the quotes are, which bytes lie in strings, where the
/// brackets are that do not. Langdale and Lemire, "Parsing Gigabytes of JSON
/// per Second", has the idea.
fn length_of_container(text: &[u8]) -> Option<usize> {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);

    let mut strings = Strings::default();
    let mut depth = 0;
    for (number, block) in blocks.iter().chain([&last]).enumerate() {
        let bits = Bits::of(block);
        let outside = !strings.inside(&bits);
        let (opening, closing) = (bits.opening & outside, bits.closing & outside);
        let closed = closing.count_ones();
        if closed < depth {
            // It cannot end in this block.
            depth = depth - closed + opening.count_ones();
            continue;
        }
        let mut brackets = opening | closing;
        while brackets != 0 {
            let bracket = brackets & brackets.wrapping_neg();
            depth = if opening & bracket != 0 { depth + 1 } else { depth - 1 };
            if depth == 0 {
                let end = number * BLOCK + bracket.trailing_zeros() as usize;
                // `{` and `}`, `[` and `]` are two apart.
                return (text[end] == text[0] + 2).then_some(end + 1);
            }
            brackets ^= bracket;
        }
    }
    None
}

const BLOCK: usize = 64;

/// Of a block, a bit for each byte.
#[derive(Default)]
struct Bits {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
}

impl Bits {
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut bits = Self::default();
        for (i, part) in block.as_chunks::<16>().0.iter().enumerate() {
            let part = u8x16::new(*part);
            // Brackets and braces differ in this bit, and no other byte is a
            // brace with it.
            let lower = part | u8x16::splat(b'{' ^ b'[');
            let is = |bytes: u8x16, byte| u64::from(bytes.simd_eq(u8x16::splat(byte)).to_bitmask()) << (16 * i);
            bits.quotes |= is(part, b'"');
            bits.backslashes |= is(part, b'\\');
            bits.opening |= is(lower, b'{');
            bits.closing |= is(lower, b'}');
        }
        bits
    }
}

/// What one block leaves to the next.
#[derive(Default)]
struct Strings {
    /// All ones when the next block begins in a string.
    open: u64,
    /// One when its first byte is escaped.
    escaped: u64,
}

impl Strings {
    /// The bytes that lie in strings. The closing quote does not count.
    fn inside(&mut self, bits: &Bits) -> u64 {
        let mut escaped = std::mem::take(&mut self.escaped);
        let mut backslashes = bits.backslashes & !escaped;
        // Rare in DynamoDB's JSON, so one at a time.
        while backslashes != 0 {
            let next = backslashes.trailing_zeros() + 1;
            if next == u64::BITS {
                self.escaped = 1;
                break;
            }
            escaped |= 1 << next;
            backslashes &= u64::MAX << next & !escaped;
        }
        // Of each byte, whether the number of quotes up to it is odd.
        let mut inside = bits.quotes & !escaped;
        for distance in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << distance;
        }
        inside ^= self.open;
        self.open = if inside >> (u64::BITS - 1) == 1 { u64::MAX } else { 0 };
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by `serde_json`, for what it takes.
    fn length_by_serde(text: &str) -> Option<usize> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        values.next()?.ok().map(|raw| raw.get().len())
    }

    #[test]
    fn a_container_ends_where_its_bracket_is_closed() {
        let long = "x".repeat(200);
        for json in [
            "{}".to_owned(),
            "[]".to_owned(),
            r#"{"a":{"b":[1,{"c":"}]"}]}}"#.to_owned(),
            r#"["\"]"]"#.to_owned(),
            r#"["\\"]"#.to_owned(),
            r#"["\\\"]"]"#.to_owned(),
            format!(r#"{{"{long}":"{long}"}}"#),
            format!(r#"{{"{long}":["{long}\"]}}{long}\\\\",{{}}]}}"#),
            format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
        ] {
            assert_eq!(length_by_serde(&json), Some(json.len()), "{json}");
            for after in ["", "}", "]", ",", "\"", " {", &long] {
                // Each place of the end in a block.
                for before in 0..BLOCK {
                    let text = format!("{json}{after}");
                    let padded = format!("[{}{json}]", " ".repeat(before));
                    assert_eq!(length_of_container(text.as_bytes()), Some(json.len()), "{text}");
                    assert_eq!(length_of_container(padded.as_bytes()), Some(padded.len()), "{padded}");
                }
            }
        }
    }

    #[test]
    fn a_string_ends_at_the_first_quote_that_is_not_escaped() {
        for before in 0..20 {
            let x = "é".repeat(before);
            for (json, expected) in [
                (format!("\"{x}\" \"y\""), Ok(x.clone())),
                (format!(r#""{x}\"" "y""#), Ok(format!("{x}\""))),
                (format!(r#""{x}\\" "y""#), Ok(format!("{x}\\"))),
                (format!("\"{x}\n\""), Err("a control character in a string at byte")),
                (format!("\"{x}"), Err("a string that does not end, from byte 0")),
                (format!("\"{x}\\"), Err("a string that does not end, from byte 0")),
                (format!("\"{x}\\u00zz\""), Err("invalid escape")),
            ] {
                match (Cursor::new(&json).string(), expected) {
                    (Ok(text), Ok(expected)) => assert_eq!(text, expected, "{json}"),
                    (Err(fault), Err(expected)) => assert!(fault.reason.starts_with(expected), "{}", fault.reason),
                    (other, _) => panic!("{other:?}: {json}"),
                }
            }
        }
    }

    #[test]
    fn escapes_are_seen_across_blocks() {
        for backslashes in 0..8 {
            for before in 0..2 * BLOCK {
                let json = format!(r#"["{}{}"]"]"#, "x".repeat(before), "\\".repeat(backslashes));
                let expected = if backslashes % 2 == 0 { json.len() - 2 } else { json.len() };
                assert_eq!(length_of_container(json.as_bytes()), Some(expected), "{json}");
            }
        }
    }

    #[test]
    fn what_does_not_end_has_no_length() {
        for text in ["{", "[[]", r#"{"a}"#, r#"["\"]"#, "[}", "{]", "{\"a\":[}}"] {
            let length = length_of_container(text.as_bytes());
            // Brackets are counted, and only the last one is looked at.
            let expected = (text == "{\"a\":[}}").then_some(text.len());
            assert_eq!(length, expected, "{text}");
        }
    }
}
