//! The scanner: JSON text to strings, types and brackets, without a copy where there is no escape.
//!
//! Knows how DynamoDB writes an attribute value (`{"S":"…"}`), and nothing of serde. No text makes it panic, recurse
//! without bound, or read past the end.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::ImageError;

type Result<T> = std::result::Result<T, ImageError>;

/// How deep lists and maps may be nested. DynamoDB allows 32 levels; twice that leaves room, and keeps the recursion
/// within the 128 KiB of stack that `gristmill build` gives a guest.
pub(crate) const MAX_DEPTH: u8 = 64;

/// The type of an attribute value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    S,
    N,
    B,
    Ss,
    Ns,
    Bs,
    M,
    L,
    Bool,
    Null,
}

impl Type {
    fn from_tag(tag: &str) -> Option<Self> {
        Some(match tag {
            "S" => Self::S,
            "N" => Self::N,
            "B" => Self::B,
            "SS" => Self::Ss,
            "NS" => Self::Ns,
            "BS" => Self::Bs,
            "M" => Self::M,
            "L" => Self::L,
            "BOOL" => Self::Bool,
            "NULL" => Self::Null,
            _ => return None,
        })
    }

    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Ss => "SS",
            Self::Ns => "NS",
            Self::Bs => "BS",
            Self::M => "M",
            Self::L => "L",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
        }
    }

    /// For messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S => "a string (S)",
            Self::N => "a number (N)",
            Self::B => "binary (B)",
            Self::Ss => "a string set (SS)",
            Self::Ns => "a number set (NS)",
            Self::Bs => "a binary set (BS)",
            Self::M => "a map (M)",
            Self::L => "a list (L)",
            Self::Bool => "a boolean (BOOL)",
            Self::Null => "null (NULL)",
        }
    }

    /// The error of a value that is of this type and should be another.
    pub(crate) fn instead_of(self, expected: &str) -> ImageError {
        ImageError::new(format!("expected {expected}, found {}", self.name()))
    }

    /// The type of a set's or a list's elements: `Some(None)` when each says its own.
    pub(crate) fn elements(self) -> Option<Option<Self>> {
        match self {
            Self::Ss => Some(Some(Self::S)),
            Self::Ns => Some(Some(Self::N)),
            Self::Bs => Some(Some(Self::B)),
            Self::L => Some(None),
            Self::S | Self::N | Self::B | Self::M | Self::Bool | Self::Null => None,
        }
    }
}

pub(crate) struct Scanner<'de> {
    text: &'de str,
    at: usize,
    depth: u8,
}

impl<'de> Scanner<'de> {
    pub(crate) fn new(text: &'de str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next byte that is not white space, which stays where it is.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes the next byte if it is this one.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected_at(byte)) }
    }

    #[cold]
    fn unexpected_at(&mut self, expected: u8) -> ImageError {
        self.unexpected(&format!("`{}`", char::from(expected)))
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { Err(self.unexpected("the end")) }
    }

    #[cold]
    pub(crate) fn unexpected(&mut self, expected: &str) -> ImageError {
        self.peek();
        let found = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        ImageError::new(match found {
            Some(found) => format!("not JSON at byte {}: expected {expected}, found {found:?}", self.at),
            None => format!("the text ends at byte {}, where {expected} should be", self.at),
        })
    }

    #[cold]
    fn wrong(&self, at: usize, what: &str) -> ImageError {
        ImageError::new(format!("not JSON at byte {at}: {what}"))
    }

    /// Goes back to where [`Self::position`] was taken.
    pub(crate) fn back_to(&mut self, position: usize) {
        self.at = position;
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// `{"S":` and the like: what type the attribute value is of.
    #[inline]
    pub(crate) fn open(&mut self) -> Result<Type> {
        // As Lambda writes nearly every value: one letter, and no white space.
        if let Some([b'{', b'"', tag, b'"', b':']) = self.text.as_bytes().get(self.at..self.at + 5) {
            let found = match tag {
                b'S' => Type::S,
                b'N' => Type::N,
                b'M' => Type::M,
                b'L' => Type::L,
                b'B' => Type::B,
                _ => return self.open_any(),
            };
            self.at += 5;
            return Ok(found);
        }
        self.open_any()
    }

    fn open_any(&mut self) -> Result<Type> {
        if !self.take(b'{') {
            return Err(self.unexpected("an attribute value such as {\"S\":\"…\"}"));
        }
        if self.peek() == Some(b'}') {
            return Err(ImageError::new("an attribute value without a type: {}"));
        }
        let tag = self.string()?;
        let found = Type::from_tag(&tag).ok_or_else(|| {
            let start: String = tag.chars().take(16).collect();
            ImageError::new(format!("{start:?} is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)"))
        })?;
        self.expect(b':')?;
        Ok(found)
    }

    /// The `}` that ends an attribute value.
    pub(crate) fn close(&mut self) -> Result<()> {
        if self.take(b'}') {
            return Ok(());
        }
        if self.peek() == Some(b',') {
            return Err(ImageError::new("an attribute value with more than one type"));
        }
        Err(self.unexpected("`}`"))
    }

    /// Goes one level deeper, over the bracket that opens it.
    pub(crate) fn enter(&mut self, bracket: u8) -> Result<()> {
        self.expect(bracket)?;
        if self.depth == MAX_DEPTH {
            return Err(ImageError::new(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        Ok(())
    }

    /// Whether there is another element or attribute, over the comma before it; at the end, over the closing bracket.
    pub(crate) fn next(&mut self, first: bool, bracket: u8) -> Result<bool> {
        if self.take(bracket) {
            // Everything that ends here was entered, so this cannot go below zero; a set is not counted.
            return Ok(false);
        }
        if !first {
            if !self.take(b',') {
                return Err(self.unexpected(&format!("`,` or `{}`", char::from(bracket))));
            }
            if self.peek() == Some(bracket) {
                return Err(self.unexpected("another value after `,`"));
            }
        }
        Ok(true)
    }

    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// A string: borrowed from the text unless it has an escape.
    pub(crate) fn string(&mut self) -> Result<Cow<'de, str>> {
        if !self.take(b'"') {
            return Err(self.unexpected("a string"));
        }
        let bytes = self.text.as_bytes();
        let start = self.at;
        let end = plain_end(bytes, start);
        if bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(self.slice(start, end)?));
        }
        self.escaped_string(start, end).map(Cow::Owned)
    }

    #[cold]
    fn escaped_string(&mut self, start: usize, mut end: usize) -> Result<String> {
        let bytes = self.text.as_bytes();
        let mut decoded = String::new();
        let mut plain = start;
        loop {
            decoded.push_str(self.slice(plain, end)?);
            match bytes.get(end) {
                Some(b'"') => {
                    self.at = end + 1;
                    return Ok(decoded);
                }
                Some(b'\\') => {
                    self.at = end + 1;
                    decoded.push(self.escape()?);
                }
                Some(_) => return Err(self.wrong(end, "a control character in a string")),
                None => return Err(ImageError::new("the text ends within a string")),
            }
            plain = self.at;
            end = plain_end(bytes, plain);
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char> {
        let at = self.at;
        let byte = self.text.as_bytes().get(at).copied();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(at),
            _ => return Err(self.wrong(at, "an unknown escape in a string")),
        })
    }

    fn unicode_escape(&mut self, at: usize) -> Result<char> {
        let first = self.four_hex_digits()?;
        let code = if (0xD800..0xDC00).contains(&first) && self.text.get(self.at..self.at + 2) == Some("\\u") {
            self.at += 2;
            let second = self.four_hex_digits()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(self.wrong(at, "half of a surrogate pair"));
            }
            0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.wrong(at, "half of a surrogate pair"))
    }

    fn four_hex_digits(&mut self) -> Result<u32> {
        let at = self.at;
        let digits = self.text.get(at..at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        self.at += 4;
        digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.wrong(at, "`\\u` without four hexadecimal digits"))
    }

    /// Both ends are beside ASCII bytes that were looked at, so this is never an error.
    fn slice(&self, start: usize, end: usize) -> Result<&'de str> {
        self.text.get(start..end).ok_or_else(|| self.wrong(start, "cut in a character"))
    }

    /// The text of a number, which is in a string; not checked.
    pub(crate) fn number(&mut self) -> Result<Cow<'de, str>> {
        if self.peek() == Some(b'"') { self.string() } else { Err(self.unexpected("the number in a string")) }
    }

    /// Binary, which is in a string as base64.
    pub(crate) fn binary(&mut self) -> Result<Vec<u8>> {
        let text = self.string()?;
        STANDARD.decode(text.as_bytes()).map_err(|error| ImageError::new(format!("not base64: {error}")))
    }

    pub(crate) fn boolean(&mut self) -> Result<bool> {
        if self.word("true") {
            Ok(true)
        } else if self.word("false") {
            Ok(false)
        } else {
            Err(self.unexpected("true or false"))
        }
    }

    /// What NULL holds, which is always `true`.
    pub(crate) fn null(&mut self) -> Result<()> {
        if self.word("true") { Ok(()) } else { Err(self.unexpected("true, which is what NULL holds")) }
    }

    fn word(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.text.get(self.at..self.at + word.len()) == Some(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Passes over one JSON value and gives its text.
    ///
    /// The brackets, commas and quotes are checked; what is in strings and numbers is not.
    pub(crate) fn raw(&mut self) -> Result<&'de str> {
        self.peek();
        let start = self.at;
        // A level of DynamoDB's is two of JSON's, and the innermost value has braces of its own. So what is passed over
        // is nested no deeper than what is read.
        self.skip(2 * usize::from(MAX_DEPTH - self.depth) + 1)?;
        self.slice(start, self.at)
    }

    fn skip(&mut self, levels: usize) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.skip_string(),
            Some(open @ (b'{' | b'[')) => {
                let Some(levels) = levels.checked_sub(1) else {
                    return Err(ImageError::new(format!("nested deeper than {MAX_DEPTH} levels")));
                };
                self.at += 1;
                let close = if open == b'{' { b'}' } else { b']' };
                let mut first = true;
                while self.next(first, close)? {
                    first = false;
                    if open == b'{' {
                        if self.peek() != Some(b'"') {
                            return Err(self.unexpected("a name"));
                        }
                        self.skip_string()?;
                        self.expect(b':')?;
                    }
                    self.skip(levels)?;
                }
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => {
                let bytes = self.text.as_bytes();
                while matches!(bytes.get(self.at), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
                    self.at += 1;
                }
                Ok(())
            }
            _ if self.word("true") || self.word("false") || self.word("null") => Ok(()),
            _ => Err(self.unexpected("a JSON value")),
        }
    }

    /// Passes over a string, whose opening quote is next.
    fn skip_string(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            at = plain_end(bytes, at);
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(());
                }
                // Over the escaped character too; it may be the first byte of several.
                Some(b'\\') => at += 2,
                Some(_) => return Err(self.wrong(at, "a control character in a string")),
                None => return Err(ImageError::new("the text ends within a string")),
            }
        }
    }
}

/// Where the string that goes on at `at` has its next quote, backslash or control character.
///
/// Eight bytes at a time: a byte of `word - n` borrows into its high bit when it was below `n`, and a byte of `word ^ n`
/// is zero when it was `n`. Bytes above the first hit may be false hits, the first never is.
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let hits = (quote.wrapping_sub(ONES) & !quote | backslash.wrapping_sub(ONES) & !backslash | control) & HIGH;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..=0x1F) {
            break;
        }
        at += 1;
    }
    at
}
