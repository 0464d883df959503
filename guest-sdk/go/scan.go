package gristmill

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// This file is the scanner: JSON text to strings, types and brackets, without a copy where there is no escape. It knows how
// DynamoDB writes an attribute value ({"S":"…"}), and nothing of Go's types. No text makes it panic, recurse without bound,
// or read past the end.

// maxDepth is how deep lists and maps may be nested. DynamoDB allows 32 levels; twice that leaves room.
const maxDepth = 64

// A tag is the type of an attribute value.
type tag uint8

const (
	tagS tag = iota
	tagN
	tagB
	tagSS
	tagNS
	tagBS
	tagM
	tagL
	tagBool
	tagNull
)

// tags has DynamoDB's word for each tag, and what messages call it.
var tags = [...]struct{ text, name string }{
	tagS:    {"S", "a string (S)"},
	tagN:    {"N", "a number (N)"},
	tagB:    {"B", "binary (B)"},
	tagSS:   {"SS", "a string set (SS)"},
	tagNS:   {"NS", "a number set (NS)"},
	tagBS:   {"BS", "a binary set (BS)"},
	tagM:    {"M", "a map (M)"},
	tagL:    {"L", "a list (L)"},
	tagBool: {"BOOL", "a boolean (BOOL)"},
	tagNull: {"NULL", "null (NULL)"},
}

// insteadOf is the error of a value that is of this type and should be another.
func (t tag) insteadOf(expected string) *ImageError {
	return imageErrorf("expected %s, found %s", expected, tags[t].name)
}

// Strings that a scanner gives are parts of the text, which lives on as long as any of them.
type scanner struct {
	text  string
	at    int
	depth int
}

// peek gives the next byte that is not white space, which stays where it is. Zero at the end, and no text has one there:
// a zero byte within the text is unexpected everywhere too.
func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		b := s.text[s.at]
		if b > ' ' || b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return b
		}
		s.at++
	}
	return 0
}

// is takes the next byte if it is this one and stands right here: Lambda writes no white space. It is for the places that
// every value passes, and small enough to be no call.
func (s *scanner) is(b byte) bool {
	if s.at < len(s.text) && s.text[s.at] == b {
		s.at++
		return true
	}
	return false
}

// take takes the next byte if it is this one, over white space.
func (s *scanner) take(b byte) bool {
	return s.peek() == b && s.is(b)
}

func (s *scanner) expect(b byte) error {
	if s.is(b) || s.take(b) {
		return nil
	}
	return s.unexpected("`" + string(rune(b)) + "`")
}

// end fails when anything but white space follows.
func (s *scanner) end() error {
	s.peek()
	if s.at < len(s.text) {
		return s.unexpected("the end")
	}
	return nil
}

func (s *scanner) unexpected(expected string) *ImageError {
	s.peek()
	if s.at >= len(s.text) {
		return imageErrorf("the text ends at byte %d, where %s should be", s.at, expected)
	}
	found, _ := utf8.DecodeRuneInString(s.text[s.at:])
	return imageErrorf("not JSON at byte %d: expected %s, found %q", s.at, expected, found)
}

func wrong(at int, what string) *ImageError {
	return imageErrorf("not JSON at byte %d: %s", at, what)
}

// open reads {"S": and the like: what type the attribute value is of.
func (s *scanner) open() (tag, error) {
	// As Lambda writes nearly every value: one letter, and no white space.
	if text := s.text[s.at:]; len(text) >= 5 && text[0] == '{' && text[1] == '"' && text[3] == '"' && text[4] == ':' {
		var found tag
		switch text[2] {
		case 'S':
			found = tagS
		case 'N':
			found = tagN
		case 'M':
			found = tagM
		case 'L':
			found = tagL
		case 'B':
			found = tagB
		default:
			return s.openAny()
		}
		s.at += 5
		return found, nil
	}
	return s.openAny()
}

func (s *scanner) openAny() (tag, error) {
	if !s.take('{') {
		return 0, s.unexpected(`an attribute value such as {"S":"…"}`)
	}
	if s.peek() == '}' {
		return 0, imageErrorf("an attribute value without a type: {}")
	}
	text, err := s.string()
	if err != nil {
		return 0, err
	}
	for found := range tags {
		if tags[found].text == text {
			return tag(found), s.expect(':')
		}
	}
	return 0, imageErrorf("%q is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)", start(text, 16))
}

// start gives the first characters of a text that may hold any amount of them.
func start(text string, characters int) string {
	for at := range text {
		if characters == 0 {
			return text[:at]
		}
		characters--
	}
	return text
}

// close reads the } that ends an attribute value.
func (s *scanner) close() error {
	if s.is('}') || s.take('}') {
		return nil
	}
	if s.peek() == ',' {
		return imageErrorf("an attribute value with more than one type")
	}
	return s.unexpected("`}`")
}

// enter goes one level deeper, over the bracket that opens it.
func (s *scanner) enter(bracket byte) error {
	if err := s.expect(bracket); err != nil {
		return err
	}
	if s.depth == maxDepth {
		return tooDeep()
	}
	s.depth++
	return nil
}

func tooDeep() *ImageError {
	return imageErrorf("nested deeper than %d levels", maxDepth)
}

func (s *scanner) leave() { s.depth-- }

// next tells whether there is another element or attribute, over the comma before it; at the end, over the closing bracket.
func (s *scanner) next(first bool, bracket byte) (bool, error) {
	if text := s.text[s.at:]; !first && len(text) >= 2 && text[0] == ',' && text[1] > ' ' && text[1] != bracket {
		s.at++
		return true, nil
	}
	if s.is(bracket) || s.take(bracket) {
		return false, nil
	}
	if first {
		return true, nil
	}
	if !s.take(',') {
		return false, s.unexpected("`,` or `" + string(rune(bracket)) + "`")
	}
	if s.peek() == bracket {
		return false, s.unexpected("another value after `,`")
	}
	return true, nil
}

// name reads an attribute's name and the colon after it.
func (s *scanner) name() (string, error) {
	name, err := s.string()
	if err != nil || s.is(':') {
		return name, err
	}
	return name, s.expect(':')
}

// number reads the text of a number, which is in a string; not checked.
func (s *scanner) number() (string, error) {
	if s.peek() != '"' {
		return "", s.unexpected("the number in a string")
	}
	return s.string()
}

// checkedNumber reads the text of a number that DynamoDB has.
func (s *scanner) checkedNumber() (string, error) {
	text, err := s.number()
	if err != nil {
		return "", err
	}
	if err := checkNumber(text); err != nil {
		return "", asImageError(err)
	}
	return text, nil
}

// binary reads bytes, which are in a string as base64.
func (s *scanner) binary() ([]byte, error) {
	text, err := s.string()
	if err != nil {
		return nil, err
	}
	// The decoder passes over line ends, which would not come out again.
	if at := strings.IndexAny(text, "\r\n"); at >= 0 {
		return nil, imageErrorf("not base64: a line end at byte %d", at)
	}
	bytes, err := strictBase64.DecodeString(text)
	if err != nil {
		return nil, imageErrorf("not base64: %v", err)
	}
	return bytes, nil
}

// strictBase64 refuses bits after the last byte, which would not come out again either.
var strictBase64 = base64.StdEncoding.Strict()

func (s *scanner) boolean() (bool, error) {
	switch {
	case s.word("true"):
		return true, nil
	case s.word("false"):
		return false, nil
	}
	return false, s.unexpected("true or false")
}

// null reads what NULL holds, which is always true.
func (s *scanner) null() error {
	if s.word("true") {
		return nil
	}
	return s.unexpected("true, which is what NULL holds")
}

func (s *scanner) word(word string) bool {
	s.peek()
	if !strings.HasPrefix(s.text[s.at:], word) {
		return false
	}
	s.at += len(word)
	return true
}

// raw passes over an attribute's value and gives its text. The brackets, commas and quotes are checked; what is in strings
// and numbers is not.
func (s *scanner) raw() (string, error) {
	return s.rawWithin(levelsBelow(s.depth))
}

// levelsBelow is how many levels JSON has below a depth of DynamoDB's, so that what is passed over is nested no deeper than
// what is read: one of DynamoDB's is two of JSON's, and the innermost value has braces of its own.
func levelsBelow(depth int) int { return 2*(maxDepth-depth) + 1 }

// rawWithin is for a JSON value of any kind, nested no deeper than this many levels.
func (s *scanner) rawWithin(levels int) (string, error) {
	s.peek()
	from := s.at
	if err := s.skip(levels); err != nil {
		return "", err
	}
	return s.text[from:s.at], nil
}

func (s *scanner) skip(levels int) error {
	switch b := s.peek(); {
	case b == '"':
		return s.skipString()
	case b == '{' || b == '[':
		if levels == 0 {
			return tooDeep()
		}
		s.at++
		closing := b + 2 // In ASCII, for both.
		for first := true; ; first = false {
			more, err := s.next(first, closing)
			if err != nil || !more {
				return err
			}
			if b == '{' {
				if s.peek() != '"' {
					return s.unexpected("a name")
				}
				if err := s.skipString(); err != nil {
					return err
				}
				if err := s.expect(':'); err != nil {
					return err
				}
			}
			if err := s.skip(levels - 1); err != nil {
				return err
			}
		}
	case b == '-' || '0' <= b && b <= '9':
		for s.at < len(s.text) && strings.IndexByte("-+.eE0123456789", s.text[s.at]) >= 0 {
			s.at++
		}
		return nil
	case s.word("true") || s.word("false") || s.word("null"):
		return nil
	}
	return s.unexpected("a JSON value")
}

// eachMember shows each name of a JSON object with the text of its value, which is nested no deeper than this many levels and
// not checked beyond that.
func eachMember(object string, levels int, see func(name, value string) error) error {
	s := scanner{text: object}
	if err := s.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			return s.end()
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		value, err := s.rawWithin(levels)
		if err != nil {
			return err
		}
		if err := see(name, value); err != nil {
			return err
		}
	}
}
