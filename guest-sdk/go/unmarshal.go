package gristmill

import (
	"encoding"
	"reflect"
	"sync"
	"time"
)

// An Unmarshaler reads itself from an attribute's value. It must copy what it keeps.
type Unmarshaler interface {
	UnmarshalAttributeValue(value AttributeValue) error
}

// Unmarshal reads an image (or keys) from its DynamoDB JSON, {"id":{"S":"1"}, …}, into what target points to: a struct or a
// map. [Record.NewImageInto] does the same with a record's text.
//
//	DynamoDB    Go
//	S           string, encoding.TextUnmarshaler (time.Time as RFC 3339, netip.Addr, …)
//	N           every integer and float type, N, string (exact), encoding.TextUnmarshaler (*big.Int, *big.Float, …)
//	B           []byte, an array of bytes
//	SS, NS, BS  a slice, an array, map[T]struct{}, map[T]bool
//	M           a struct, a map with strings, integers or an encoding.TextUnmarshaler for keys
//	L           a slice, an array
//	BOOL        bool
//	NULL        a nil pointer, map, slice or interface
//	any         AttributeValue, any (which gets an AttributeValue), Unmarshaler
//
// [S], [N], [B], [L] and the other types of the tree take a value of their very type and no other.
//
// An integer is exact or an error: 1E2 is 100, and neither 1.5 nor 300 is a uint8. A float is the nearest one. Attributes
// that a struct does not name are skipped, and fields whose attribute is absent stay as they are.
//
// Fields have the tag of the AWS SDK for Go:
//
//	Total int       `dynamodbav:"total"`           // the attribute's name; without one the field's, in any case of letters
//	Paid  bool      `dynamodbav:"paid,required"`   // an error when the attribute is absent
//	At    time.Time `dynamodbav:"at,unixtime"`     // N: seconds since the Unix epoch; *time.Time too
//	Note  string    `dynamodbav:"-"`               // no attribute
//
// An embedded struct's fields count as the outer one's.
//
// The error, an [*ImageError], says which attribute does not fit, or why the text is not DynamoDB JSON.
func Unmarshal(text string, target any) error {
	if err := checkUTF8(text); err != nil {
		return err
	}
	return unmarshalItem(text, target)
}

// unmarshalItem takes a text that is UTF-8.
func unmarshalItem(text string, target any) error {
	pointer := reflect.ValueOf(target)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() {
		return imageErrorf("a %T cannot be read into: it takes a pointer", target)
	}
	s := scanner{text: text}
	if err := decoderOf(pointer.Type().Elem())(&s, tagM, pointer.Elem()); err != nil {
		return asImageError(err)
	}
	return s.end()
}

var (
	attributeValueType  = reflect.TypeFor[AttributeValue]()
	itemType            = reflect.TypeFor[Item]()
	nullType            = reflect.TypeFor[Null]()
	unmarshalerType     = reflect.TypeFor[Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType            = reflect.TypeFor[time.Time]()
)

// ownTags has the types of the tree that are texts, slices or maps to Go: a number that became an S, or a set an L, would
// not be what it was.
var ownTags = map[reflect.Type]tag{
	reflect.TypeFor[S]():  tagS,
	reflect.TypeFor[N]():  tagN,
	reflect.TypeFor[B]():  tagB,
	reflect.TypeFor[SS](): tagSS,
	reflect.TypeFor[NS](): tagNS,
	reflect.TypeFor[BS](): tagBS,
	reflect.TypeFor[L]():  tagL,
	itemType:              tagM,
}

// A decoder reads what follows the type of a value into a Go value of the type that it was made for.
type decoder func(s *scanner, found tag, v reflect.Value) error

// decoders has one for each type that was met.
var decoders sync.Map

func decoderOf(t reflect.Type) decoder {
	if known, ok := decoders.Load(t); ok {
		return known.(decoder)
	}
	made := makeDecoder(t)
	decoders.Store(t, made)
	return made
}

// makeDecoder decides by the type what can be decided once. A decoder asks for those of its parts when it needs them, since
// a type may have parts of its own type.
func makeDecoder(t reflect.Type) decoder {
	kind := t.Kind()
	if kind == reflect.Pointer {
		return decodePointer
	}
	if kind != reflect.Interface {
		switch to := reflect.PointerTo(t); {
		case to.Implements(unmarshalerType):
			return decodeUnmarshaler
		case to.Implements(textUnmarshalerType):
			return decodeText(ofKind(t))
		}
	}
	return ofKind(t)
}

func ofKind(t reflect.Type) decoder {
	own := func(decode decoder) decoder {
		if expected, ok := ownTags[t]; ok {
			return only(expected, decode)
		}
		return decode
	}
	switch kind := t.Kind(); {
	case kind == reflect.String:
		return own(decodeString)
	case kind == reflect.Bool:
		return decodeBool
	case isInteger(kind), kind == reflect.Float32, kind == reflect.Float64:
		return decodeNumber
	case attributeValueType.AssignableTo(t):
		return nullable(decodeInterface)
	case kind == reflect.Slice:
		return nullable(own(decodeSlice))
	case kind == reflect.Array:
		return decodeArray
	case t == itemType:
		return nullable(own(decodeItem))
	case kind == reflect.Map:
		return nullable(decodeMap)
	case t == nullType:
		return only(tagNull, decodeNull)
	case kind == reflect.Struct:
		return decodeStruct
	}
	return func(*scanner, tag, reflect.Value) error { return imageErrorf("no attribute can be read into a %s", t) }
}

// isInteger leaves out uintptr, which comes behind.
func isInteger(kind reflect.Kind) bool { return reflect.Int <= kind && kind <= reflect.Uint64 }

// only is for the types that are read from one type of DynamoDB. The commonest look themselves, which is faster.
func only(expected tag, decode decoder) decoder {
	return func(s *scanner, found tag, v reflect.Value) error {
		if found != expected {
			return found.insteadOf(tags[expected].name)
		}
		return decode(s, found, v)
	}
}

// decodeValue reads a value that says its type itself.
func decodeValue(s *scanner, decode decoder, v reflect.Value) error {
	found, err := s.open()
	if err != nil {
		return err
	}
	if err := decode(s, found, v); err != nil {
		return err
	}
	return s.close()
}

// nullable is for the types whose nil stands for null.
func nullable(decode decoder) decoder {
	return func(s *scanner, found tag, v reflect.Value) error {
		if found == tagNull && v.Type() != attributeValueType {
			v.SetZero()
			return s.null()
		}
		return decode(s, found, v)
	}
}
