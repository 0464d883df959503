package gristmill

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"
)

// An AttributeValue is the value of an attribute, without loss: one of [S], [N], [B], [Bool], [Null], [L], [M], [SS], [NS]
// and [BS], which have DynamoDB's names.
//
//	switch value := item["total"].(type) {
//	case gristmill.N:
//		cents, err := value.Int64()
//	case nil: // The item has no such attribute.
//	}
type AttributeValue interface {
	appendJSON(text []byte) []byte
}

type (
	// S is a string.
	S string
	// N is a number, as its decimal text: up to 38 digits survive, which no float has. [ParseN], [Int], [Uint] and [Float]
	// make one; a text that is put here directly is not checked.
	N string
	// B is binary.
	B []byte
	// Bool is true or false.
	Bool bool
	// Null is null, which is not the same as an absent attribute.
	Null struct{}
	// L is a list.
	L []AttributeValue
	// SS is a set of strings, in the order in which they came.
	SS []string
	// NS is a set of numbers, in the order in which they came.
	NS []N
	// BS is a set of byte strings, in the order in which they came.
	BS [][]byte
	// Item is an item, or a part of it: names and values.
	Item map[string]AttributeValue
	// M is a map.
	M = Item
)

// ParseItem reads the tree of an image, or of keys, from its DynamoDB JSON: {"id":{"S":"1"}, …}.
//
// The error, an [*ImageError], says which attribute is wrong: the text is not DynamoDB JSON, has a name twice, or is nested
// deeper than 64 levels.
func ParseItem(text string) (Item, error) {
	if err := checkUTF8(text); err != nil {
		return nil, asImageError(err)
	}
	return parseItem(text)
}

// parseItem takes a text that is UTF-8.
func parseItem(text string) (Item, error) {
	s := scanner{text: text}
	item, err := readMap(&s)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return item, nil
}

// ParseValue reads one value from its DynamoDB JSON: {"S":"text"}. See [ParseItem].
func ParseValue(text string) (AttributeValue, error) {
	if err := checkUTF8(text); err != nil {
		return nil, asImageError(err)
	}
	return parseValue(text)
}

func parseValue(text string) (AttributeValue, error) {
	s := scanner{text: text}
	value, err := readValue(&s)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return value, nil
}

// readValue reads one level of the tree.
func readValue(s *scanner) (AttributeValue, error) {
	found, err := s.open()
	if err != nil {
		return nil, err
	}
	value, err := readTagged(s, found)
	if err != nil {
		return nil, err
	}
	return value, s.close()
}

// readTagged reads what follows the type.
func readTagged(s *scanner, found tag) (AttributeValue, error) {
	switch found {
	case tagS:
		text, err := s.string()
		return S(text), err
	case tagN:
		number, err := readNumber(s)
		return number, err
	case tagB:
		bytes, err := s.binary()
		return B(bytes), err
	case tagSS:
		set, err := readList(s, (*scanner).string)
		return SS(set), err
	case tagNS:
		set, err := readList(s, readNumber)
		return NS(set), err
	case tagBS:
		set, err := readList(s, (*scanner).binary)
		return BS(set), err
	case tagM:
		return readMap(s)
	case tagL:
		list, err := readList(s, readValue)
		return L(list), err
	case tagBool:
		boolean, err := s.boolean()
		return Bool(boolean), err
	default:
		return Null{}, s.null()
	}
}

func readNumber(s *scanner) (N, error) {
	text, err := s.checkedNumber()
	return N(text), err
}

// readList is never nil, so that an empty list is one.
func readList[T any](s *scanner, read func(*scanner) (T, error)) ([]T, error) {
	if err := s.enter('['); err != nil {
		return nil, err
	}
	list := []T{}
	for {
		more, err := s.next(len(list) == 0, ']')
		if err != nil {
			return nil, err
		}
		if !more {
			s.leave()
			return list, nil
		}
		element, err := read(s)
		if err != nil {
			return nil, inElement(err, len(list))
		}
		list = append(list, element)
	}
}

func readMap(s *scanner) (Item, error) {
	if err := s.enter('{'); err != nil {
		return nil, err
	}
	item := Item{}
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil {
			return nil, err
		}
		if !more {
			s.leave()
			return item, nil
		}
		name, err := s.name()
		if err != nil {
			return nil, err
		}
		value, err := readValue(s)
		if err != nil {
			return nil, inAttribute(err, name)
		}
		before := len(item)
		if item[name] = value; len(item) == before {
			return nil, twice(name)
		}
	}
}

func twice(name string) error {
	return inAttribute(imageErrorf("the attribute is there twice"), name)
}

// JSON is a value's DynamoDB JSON, such as {"S":"text"}, without white space and with names in order. A nil value is null.
func JSON(value AttributeValue) string {
	return string(appendValue(nil, value))
}

// JSON is the item's DynamoDB JSON, such as {"id":{"S":"1"}}, without white space and with names in order.
func (i Item) JSON() string { return string(i.appendItem(nil)) }

// String is the item's DynamoDB JSON.
func (i Item) String() string { return i.JSON() }

// appendValue takes nil, which a tree made by hand may hold, for null.
func appendValue(text []byte, value AttributeValue) []byte {
	if value == nil {
		value = Null{}
	}
	return value.appendJSON(text)
}

func (v S) appendJSON(text []byte) []byte {
	return append(appendString(append(text, `{"S":`...), string(v)), '}')
}

func (v N) appendJSON(text []byte) []byte {
	return append(appendString(append(text, `{"N":`...), string(v)), '}')
}

func (v B) appendJSON(text []byte) []byte {
	return append(appendBinary(append(text, `{"B":`...), v), '}')
}

func (v Bool) appendJSON(text []byte) []byte {
	if v {
		return append(text, `{"BOOL":true}`...)
	}
	return append(text, `{"BOOL":false}`...)
}

func (Null) appendJSON(text []byte) []byte { return append(text, `{"NULL":true}`...) }

func (v L) appendJSON(text []byte) []byte {
	return appendList(append(text, `{"L":`...), v, appendValue)
}

func (v SS) appendJSON(text []byte) []byte {
	return appendList(append(text, `{"SS":`...), v, appendString)
}

func (v NS) appendJSON(text []byte) []byte {
	return appendList(append(text, `{"NS":`...), v, func(text []byte, n N) []byte { return appendString(text, string(n)) })
}

func (v BS) appendJSON(text []byte) []byte {
	return appendList(append(text, `{"BS":`...), v, appendBinary)
}

func (i Item) appendJSON(text []byte) []byte {
	return append(i.appendItem(append(text, `{"M":`...)), '}')
}

func (i Item) appendItem(text []byte) []byte {
	names := make([]string, 0, len(i))
	for name := range i {
		names = append(names, name)
	}
	slices.Sort(names)
	text = append(text, '{')
	for index, name := range names {
		if index > 0 {
			text = append(text, ',')
		}
		text = append(appendString(text, name), ':')
		text = appendValue(text, i[name])
	}
	return append(text, '}')
}

// appendList ends the value too.
func appendList[T any](text []byte, list []T, appendElement func([]byte, T) []byte) []byte {
	text = append(text, '[')
	for index, element := range list {
		if index > 0 {
			text = append(text, ',')
		}
		text = appendElement(text, element)
	}
	return append(text, "]}"...)
}

// appendBinary needs no escapes.
func appendBinary(text, bytes []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(text, '"'), bytes), '"')
}

// appendString writes what is not UTF-8, and so no text, as U+FFFD: JSON is UTF-8 alone.
func appendString(text []byte, value string) []byte {
	if !utf8.ValidString(value) {
		value = strings.ToValidUTF8(value, "\uFFFD")
	}
	text = append(text, '"')
	for {
		at := plainEnd(value, 0)
		text = append(text, value[:at]...)
		if at == len(value) {
			return append(text, '"')
		}
		switch b := value[at]; b {
		case '"', '\\':
			text = append(text, '\\', b)
		case '\n':
			text = append(text, `\n`...)
		case '\r':
			text = append(text, `\r`...)
		case '\t':
			text = append(text, `\t`...)
		default:
			const digits = "0123456789abcdef"
			text = append(text, `\u00`...)
			text = append(text, digits[b>>4], digits[b&15])
		}
		value = value[at+1:]
	}
}

// MarshalJSON gives DynamoDB JSON of the item, as that of an image: {"id":{"S":"1"}}.
func (i Item) MarshalJSON() ([]byte, error) { return i.appendItem(nil), nil }

// UnmarshalJSON reads DynamoDB JSON of an item.
func (i *Item) UnmarshalJSON(text []byte) error {
	item, err := ParseItem(string(text))
	if err != nil {
		return err
	}
	*i = item
	return nil
}

// Equal tells whether two values are one to DynamoDB: 1, 1.0 and 1E0 are one number, sets and maps have no order, and lists
// have one. A nil value, an absent attribute, is equal to another such alone.
func Equal(a, b AttributeValue) bool {
	switch a := a.(type) {
	case N:
		b, ok := b.(N)
		return ok && (a == b || canonicalNumber(a) == canonicalNumber(b))
	case B:
		b, ok := b.(B)
		return ok && bytes.Equal(a, b)
	case SS:
		b, ok := b.(SS)
		return ok && sameElements(a, b, strings.Clone)
	case NS:
		b, ok := b.(NS)
		return ok && sameElements(a, b, canonicalNumber)
	case BS:
		b, ok := b.(BS)
		return ok && sameElements(a, b, func(element []byte) string { return string(element) })
	case L:
		b, ok := b.(L)
		return ok && slices.EqualFunc(a, b, Equal)
	case Item:
		b, ok := b.(Item)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			if other, there := b[name]; !there || !Equal(value, other) {
				return false
			}
		}
		return true
	default:
		// What is left can be compared, and is nothing but text, a boolean, null or nil.
		switch b.(type) {
		case S, Bool, Null, nil:
			return a == b
		}
		return false
	}
}

func sameElements[T any, K comparable](a, b []T, key func(T) K) bool {
	if len(a) != len(b) {
		return false
	}
	counts := map[K]int{}
	for _, element := range a {
		counts[key(element)]++
	}
	for _, element := range b {
		k := key(element)
		if counts[k]--; counts[k] < 0 {
			return false
		}
	}
	return true
}
