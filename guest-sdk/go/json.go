package gristmill

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"
)

// The tree of values to DynamoDB JSON.

// JSON is a value's DynamoDB JSON, such as {"S":"text"}, without white space and with names in order. A nil value is null.
func JSON(value AttributeValue) string {
	return string(appendValue(nil, value))
}

// JSON is the item's DynamoDB JSON, such as {"id":{"S":"1"}}, without white space and with names in order. A nil item has no
// attributes.
func (i Item) JSON() string { return string(i.appendItem(nil)) }

// String is the item's DynamoDB JSON.
func (i Item) String() string { return i.JSON() }

// MarshalJSON gives DynamoDB JSON of the item, as that of an image: {"id":{"S":"1"}}. A nil item, an image that is absent, is
// null, and an empty one is {}.
func (i Item) MarshalJSON() ([]byte, error) {
	if i == nil {
		return []byte("null"), nil
	}
	return i.appendItem(nil), nil
}

// UnmarshalJSON reads DynamoDB JSON of an item. Null is a nil item.
func (i *Item) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*i = nil
		return nil
	}
	item, err := ParseItem(string(text))
	if err != nil {
		return err
	}
	*i = item
	return nil
}

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
