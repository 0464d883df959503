package gristmill

import (
	"encoding"
	"reflect"
	"slices"
	"time"
)

// The decoders of what holds no other value: numbers, texts, times, booleans; and of what reads itself.

func decodePointer(s *scanner, found tag, v reflect.Value) error {
	return decodePointee(s, found, v, decoderOf(v.Type().Elem()))
}

// decodePointee reads what a pointer is to, which is made when the pointer is nil.
func decodePointee(s *scanner, found tag, v reflect.Value, decode decoder) error {
	if found == tagNull {
		v.SetZero()
		return s.null()
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return decode(s, found, v.Elem())
}

func decodeUnmarshaler(s *scanner, found tag, v reflect.Value) error {
	value, err := readTagged(s, found)
	if err != nil {
		return err
	}
	return theirs(v.Addr().Interface().(Unmarshaler).UnmarshalAttributeValue(value))
}

// theirs is the error of a type's own method. The path is put into an error of this package's own: one that it returns may be
// a variable, the same at every call.
func theirs(err error) error {
	if found, ok := err.(*ImageError); ok && found != nil {
		own := *found
		own.steps = slices.Clip(own.steps)
		return &own
	}
	return err
}

// decodeText reads the text of a string or a number into a type that takes it; other values are read as the type's kind is.
func decodeText(otherwise decoder) decoder {
	return func(s *scanner, found tag, v reflect.Value) error {
		text, ok, err := stringOrNumber(s, found)
		if !ok {
			if v.Kind() == reflect.Struct {
				return found.insteadOf("a string (S) or a number (N)")
			}
			return otherwise(s, found, v)
		}
		if err != nil {
			return err
		}
		return theirs(v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)))
	}
}

// unixTime is the decoder of a field with the option unixtime; not ok when the field is no time.
func unixTime(t reflect.Type) (decode decoder, ok bool) {
	seconds := only(tagN, decodeUnixTime)
	switch t {
	case timeType:
		return seconds, true
	case reflect.PointerTo(timeType):
		return func(s *scanner, found tag, v reflect.Value) error { return decodePointee(s, found, v, seconds) }, true
	}
	return nil, false
}

// decodeUnixTime reads seconds since the Unix epoch, which is what DynamoDB's Time to Live has.
func decodeUnixTime(s *scanner, _ tag, v reflect.Value) error {
	text, err := s.checkedNumber()
	if err != nil {
		return err
	}
	ms, ok := secondsToMS(text)
	if !ok || int64(ms) < 0 {
		return imageErrorf("the number %s is no time in seconds", text)
	}
	v.Set(reflect.ValueOf(time.UnixMilli(int64(ms)).UTC()))
	return nil
}

// decodeString reads a string, or a number as its exact decimal text.
func decodeString(s *scanner, found tag, v reflect.Value) error {
	text, ok, err := stringOrNumber(s, found)
	if !ok {
		return found.insteadOf(tags[tagS].name)
	}
	if err != nil {
		return err
	}
	v.SetString(text)
	return nil
}

// stringOrNumber reads the text of a string, or that of a number, which is exact; not ok when the value is of another type.
func stringOrNumber(s *scanner, found tag) (text string, ok bool, err error) {
	switch found {
	case tagS:
		text, err = s.string()
	case tagN:
		text, err = s.checkedNumber()
	default:
		return "", false, nil
	}
	return text, true, err
}

func decodeNull(s *scanner, _ tag, _ reflect.Value) error { return s.null() }

func decodeBool(s *scanner, found tag, v reflect.Value) error {
	if found != tagBool {
		return found.insteadOf(tags[tagBool].name)
	}
	boolean, err := s.boolean()
	v.SetBool(boolean)
	return err
}

func decodeNumber(s *scanner, found tag, v reflect.Value) error {
	if found != tagN {
		return found.insteadOf(tags[tagN].name)
	}
	text, err := s.number()
	if err != nil {
		return err
	}
	return setNumber(text, v)
}

func setNumber(text string, v reflect.Value) error {
	switch t := v.Type(); {
	case v.CanInt():
		integer, err := toInt(text, t.Bits(), t)
		v.SetInt(integer)
		return err
	case v.CanUint():
		integer, err := toUint(text, t.Bits(), t)
		v.SetUint(integer)
		return err
	default:
		float, err := toFloat(text, t.Bits(), t)
		v.SetFloat(float)
		return err
	}
}

// decodeInterface reads a tree, which is what an AttributeValue and an any can hold.
func decodeInterface(s *scanner, found tag, v reflect.Value) error {
	value, err := readTagged(s, found)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(value))
	return nil
}
