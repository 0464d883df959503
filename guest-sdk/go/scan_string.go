package gristmill

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// This part of the scanner is for strings, which are most of an image: where they end, and what their escapes stand for.

// string reads a string: a part of the text unless it has an escape.
func (s *scanner) string() (string, error) {
	if !s.is('"') && !s.take('"') {
		return "", s.unexpected("a string")
	}
	text, from := s.text, s.at
	end := plainEnd(text, from)
	if end < len(text) && text[end] == '"' {
		s.at = end + 1
		return s.text[from:end], nil
	}
	return s.escapedString(from, end)
}

func (s *scanner) escapedString(plain, end int) (string, error) {
	var decoded strings.Builder
	for {
		decoded.WriteString(s.text[plain:end])
		switch {
		case end >= len(s.text):
			return "", imageErrorf("the text ends within a string")
		case s.text[end] == '"':
			s.at = end + 1
			return decoded.String(), nil
		case s.text[end] != '\\':
			return "", wrong(end, "a control character in a string")
		}
		s.at = end + 1
		character, err := s.escape()
		if err != nil {
			return "", err
		}
		decoded.WriteRune(character)
		plain = s.at
		end = plainEnd(s.text, plain)
	}
}

// escape reads what follows a backslash.
func (s *scanner) escape() (rune, error) {
	at := s.at
	var b byte
	if at < len(s.text) {
		b = s.text[at]
	}
	s.at++
	switch b {
	case '"', '\\', '/':
		return rune(b), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicodeEscape(at)
	}
	return 0, wrong(at, "an unknown escape in a string")
}

// unicodeEscape refuses half of a surrogate pair, which no string can hold. encoding/json would make U+FFFD of it.
func (s *scanner) unicodeEscape(at int) (rune, error) {
	first, err := s.fourHexDigits()
	if err != nil {
		return 0, err
	}
	if first < 0xD800 || first >= 0xE000 {
		return first, nil
	}
	if first >= 0xDC00 || !strings.HasPrefix(s.text[s.at:], `\u`) {
		return 0, wrong(at, "half of a surrogate pair")
	}
	s.at += 2
	second, err := s.fourHexDigits()
	if err != nil {
		return 0, err
	}
	if second < 0xDC00 || second >= 0xE000 {
		return 0, wrong(at, "half of a surrogate pair")
	}
	return 0x10000 + (first-0xD800)<<10 + (second - 0xDC00), nil
}

func (s *scanner) fourHexDigits() (rune, error) {
	at := s.at
	var code rune
	for i := range 4 {
		var b byte
		if at+i < len(s.text) {
			b = s.text[at+i]
		}
		switch {
		case '0' <= b && b <= '9':
			code = code<<4 | rune(b-'0')
		case 'a' <= b|0x20 && b|0x20 <= 'f':
			code = code<<4 | rune(b|0x20-'a'+10)
		default:
			return 0, wrong(at, "`\\u` without four hexadecimal digits")
		}
	}
	s.at += 4
	return code, nil
}

// skipString passes over a string, whose opening quote is next.
func (s *scanner) skipString() error {
	at := s.at + 1
	for {
		at = plainEnd(s.text, at)
		switch {
		case at >= len(s.text):
			return imageErrorf("the text ends within a string")
		case s.text[at] == '"':
			s.at = at + 1
			return nil
		case s.text[at] == '\\':
			// Over the escaped character too; it may be the first byte of several.
			at += 2
		default:
			return wrong(at, "a control character in a string")
		}
	}
}

// plainEnd is where the string that goes on at a byte has its next quote, backslash or control character.
//
// Eight bytes at a time: a byte of word-n borrows into its high bit when it was below n, and a byte of word^n is zero when it
// was n. Bytes above the first hit may be false hits, the first never is.
func plainEnd(text string, at int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for len(text)-at >= 8 {
		// One load, to the compiler.
		eight := text[at : at+8]
		word := uint64(eight[0]) | uint64(eight[1])<<8 | uint64(eight[2])<<16 | uint64(eight[3])<<24 |
			uint64(eight[4])<<32 | uint64(eight[5])<<40 | uint64(eight[6])<<48 | uint64(eight[7])<<56
		quote := word ^ ones*'"'
		backslash := word ^ ones*'\\'
		hits := ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-ones*0x20)&^word) & high
		if hits != 0 {
			return at + bits.TrailingZeros64(hits)/8
		}
		at += 8
	}
	for at < len(text) && !special[text[at]] {
		at++
	}
	return at
}

// special has the bytes that end a plain run of a string.
var special = [256]bool{
	0: true, 1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true, 10: true, 11: true, 12: true,
	13: true, 14: true, 15: true, 16: true, 17: true, 18: true, 19: true, 20: true, 21: true, 22: true, 23: true, 24: true,
	25: true, 26: true, 27: true, 28: true, 29: true, 30: true, 31: true, '"': true, '\\': true,
}

// checkUTF8 is for texts that did not come through the contract, whose strings are UTF-8 always.
func checkUTF8(text string) error {
	if !utf8.ValidString(text) {
		return imageErrorf("not UTF-8")
	}
	return nil
}
