package gristmill

import (
	"reflect"
	"strings"
	"sync"
)

// The decoder of structs: which attribute is whose field, by tag and by name.

// A field of a struct is where an attribute goes.
type field struct {
	name     string
	index    []int
	tagged   bool
	required bool
	decode   decoder
}

// A structType has the fields of a struct, by their attributes' names, and those without a tag by their names in small
// letters too.
type structType struct {
	fields []field
	byName map[string]int
	folded map[string]int
}

var structTypes sync.Map

func structTypeOf(t reflect.Type) *structType {
	if known, ok := structTypes.Load(t); ok {
		return known.(*structType)
	}
	found := &structType{byName: map[string]int{}, folded: map[string]int{}}
	for _, member := range reflect.VisibleFields(t) {
		tag, tagged := member.Tag.Lookup("dynamodbav")
		name, options, _ := strings.Cut(tag, ",")
		if !member.IsExported() && !member.Anonymous || name == "-" || !promoted(t, member.Index) {
			continue
		}
		if member.Anonymous && name == "" && structOf(member.Type) != nil {
			continue
		}
		if !member.IsExported() {
			continue
		}
		field := field{name: name, index: member.Index, tagged: tagged && name != "", decode: decoderOf(member.Type)}
		if !field.tagged {
			field.name = member.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "required":
				field.required = true
			case "unixtime":
				if decode, ok := unixTime(member.Type); ok {
					field.decode = decode
				}
			}
		}
		// VisibleFields gives outer fields before those of embedded structs of the same Go name; a tag may still give two
		// the same attribute, and then the outermost has it.
		if other, there := found.byName[field.name]; there {
			if len(found.fields[other].index) <= len(field.index) {
				continue
			}
			found.fields[other] = field
			continue
		}
		number := len(found.fields)
		found.fields = append(found.fields, field)
		found.byName[field.name] = number
		if lower := strings.ToLower(field.name); !field.tagged {
			if _, there := found.folded[lower]; !there {
				found.folded[lower] = number
			}
		}
	}
	structTypes.Store(t, found)
	return found
}

// find gives the number of the field with an attribute's name. It looks at one first: the images of a table tend to have their
// attributes in one order.
func (t *structType) find(name string, first int) (number int, ok bool) {
	if first < len(t.fields) && t.fields[first].name == name {
		return first, true
	}
	if len(t.fields) > 16 {
		number, ok = t.byName[name]
		return number, ok
	}
	for number := range t.fields {
		if t.fields[number].name == name {
			return number, true
		}
	}
	return 0, false
}

// structOf is the struct that a type is or points to.
func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// promoted tells whether the structs on the way to a field are embedded as such: not left out, and not attributes of their
// own.
func promoted(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		embedding := structOf(t).Field(i)
		if name, _, _ := strings.Cut(embedding.Tag.Get("dynamodbav"), ","); name != "" {
			return false
		}
		// A pointer to a struct that is not exported cannot be set.
		if embedding.Type.Kind() == reflect.Pointer && !embedding.IsExported() {
			return false
		}
		t = embedding.Type
	}
	return true
}

// embeddedField is a field of an embedded struct, which is made when it is a nil pointer. It can be: one that is not exported
// has no fields here.
func embeddedField(v reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}

// How an attribute found its field.
const (
	seenFolded = 1 + iota
	seenExactly
)

func decodeStruct(s *scanner, found tag, v reflect.Value) error {
	if found != tagM {
		return found.insteadOf(tags[tagM].name)
	}
	known := structTypeOf(v.Type())
	var few [32]uint8
	seen := few[:]
	if len(known.fields) > len(few) {
		seen = make([]uint8, len(known.fields))
	}
	if err := s.enter('{'); err != nil {
		return err
	}
	next := 0
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			s.leave()
			break
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		number, ok := known.find(name, next)
		next = number + 1
		how := uint8(seenExactly)
		if !ok && len(known.folded) > 0 {
			number, ok = known.folded[strings.ToLower(name)]
			how = seenFolded
		}
		switch {
		case ok && seen[number] == how:
			return twice(name)
		case !ok || seen[number] > how:
			// Nobody's, or its field has the attribute of its very name already.
			if _, err := s.raw(); err != nil {
				return inAttribute(err, name)
			}
			continue
		}
		field := &known.fields[number]
		place := v.Field(field.index[0])
		if len(field.index) > 1 {
			place = embeddedField(place, field.index[1:])
		}
		if seen[number] != 0 {
			place.SetZero()
		}
		seen[number] = how
		if err := decodeValue(s, field.decode, place); err != nil {
			return inAttribute(err, name)
		}
	}
	for number := range known.fields {
		if field := &known.fields[number]; field.required && seen[number] == 0 {
			return inAttribute(imageErrorf("the attribute is missing"), field.name)
		}
	}
	return nil
}
