package gristmill

import (
	"encoding"
	"reflect"
)

// The decoders of lists, sets and maps.

// elements is the type of a set's or list's elements; a list's say their own.
func (t tag) elements() (element tag, ok bool) {
	switch t {
	case tagSS:
		return tagS, true
	case tagNS:
		return tagN, true
	case tagBS:
		return tagB, true
	case tagL:
		return tagL, true
	}
	return 0, false
}

// decodeElements reads a list or a set, from its [ to its ]: each element into what place gives for its index, and put, when
// it is not nil, takes it from there. What place gives no value for is passed over.
func decodeElements(
	s *scanner, found tag, t reflect.Type, place func(index int) reflect.Value, put func() error,
) (count int, err error) {
	element, ok := found.elements()
	if !ok {
		return 0, found.insteadOf("a list (L) or a set")
	}
	if err := s.enter('['); err != nil {
		return 0, err
	}
	decode := decoderOf(t)
	for ; ; count++ {
		more, err := s.next(count == 0, ']')
		if err != nil {
			return 0, err
		}
		if !more {
			s.leave()
			return count, nil
		}
		v := place(count)
		switch {
		case !v.IsValid():
			_, err = s.raw()
		case found == tagL:
			err = decodeValue(s, decode, v)
		default:
			err = decode(s, element, v)
		}
		if err == nil && put != nil {
			err = put()
		}
		if err != nil {
			return 0, inElement(err, count)
		}
	}
}

func decodeSlice(s *scanner, found tag, v reflect.Value) error {
	t := v.Type()
	if found == tagB && t.Elem().Kind() == reflect.Uint8 {
		bytes, err := s.binary()
		v.SetBytes(bytes)
		return err
	}
	// A new one, so that nothing shows through from what was there, and what was there stays as it is for others.
	elements := reflect.MakeSlice(t, 0, 4)
	held := reflect.New(t).Elem()
	held.Set(elements)
	_, err := decodeElements(s, found, t.Elem(), func(index int) reflect.Value {
		if index >= held.Cap() {
			held.Grow(index)
		}
		held.SetLen(index + 1)
		return held.Index(index)
	}, nil)
	if err != nil {
		return err
	}
	v.Set(held)
	return nil
}

func decodeArray(s *scanner, found tag, v reflect.Value) error {
	var count int
	var err error
	if found == tagB && v.Type().Elem().Kind() == reflect.Uint8 {
		var bytes []byte
		bytes, err = s.binary()
		count = len(bytes)
		if count == v.Len() {
			reflect.Copy(v, reflect.ValueOf(bytes))
		}
	} else {
		// One too many is counted, so that the error can say how many there are.
		count, err = decodeElements(s, found, v.Type().Elem(), func(index int) reflect.Value {
			if index >= v.Len() {
				return reflect.Value{}
			}
			return v.Index(index)
		}, nil)
	}
	if err == nil && count != v.Len() {
		err = imageErrorf("expected %d elements, found %d", v.Len(), count)
	}
	return err
}

// decodeSet reads a set into the keys of a map.
func decodeSet(s *scanner, found tag, v reflect.Value) error {
	t := v.Type()
	in := reflect.New(t.Elem()).Elem()
	switch {
	case t.Elem().Kind() == reflect.Bool:
		in.SetBool(true)
	case t.Elem().Kind() != reflect.Struct || t.Elem().NumField() != 0:
		return found.insteadOf(tags[tagM].name)
	}
	set := reflect.MakeMap(t)
	element := reflect.New(t.Key()).Elem()
	_, err := decodeElements(s, found, t.Key(), func(int) reflect.Value {
		// The next must not be read into what a pointer of the last is to.
		element.SetZero()
		return element
	}, func() error {
		// An any takes binary, which is a slice.
		if !element.Comparable() {
			return imageErrorf("an element of %s cannot be a key of a %s", tags[found].name, t)
		}
		set.SetMapIndex(element, in)
		return nil
	})
	if err != nil {
		return err
	}
	v.Set(set)
	return nil
}

func decodeMap(s *scanner, found tag, v reflect.Value) error {
	if found == tagSS || found == tagNS || found == tagBS {
		return decodeSet(s, found, v)
	}
	if found != tagM {
		return found.insteadOf(tags[tagM].name)
	}
	if err := s.enter('{'); err != nil {
		return err
	}
	t := v.Type()
	all := reflect.MakeMap(t)
	decode := decoderOf(t.Elem())
	key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			s.leave()
			v.Set(all)
			return nil
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		if err := setKey(name, key); err != nil {
			return inAttribute(err, name)
		}
		value.SetZero()
		if err := decodeValue(s, decode, value); err != nil {
			return inAttribute(err, name)
		}
		before := all.Len()
		if all.SetMapIndex(key, value); all.Len() == before {
			return twice(name)
		}
	}
}

func decodeItem(s *scanner, _ tag, v reflect.Value) error {
	item, err := readMap(s)
	v.Set(reflect.ValueOf(item))
	return err
}

// setKey makes a map's key of an attribute's name. As with an attribute's value, a type's own way goes first.
func setKey(name string, key reflect.Value) error {
	key.SetZero()
	if text, ok := key.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return theirs(text.UnmarshalText([]byte(name)))
	}
	switch kind := key.Kind(); {
	case kind == reflect.String:
		key.SetString(name)
		return nil
	case isInteger(kind):
		return setNumber(name, key)
	}
	return imageErrorf("no name can be a key of type %s", key.Type())
}
