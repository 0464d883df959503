package gristmill

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
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
//	M           a struct, a map with strings or integers for keys
//	L           a slice, an array
//	BOOL        bool
//	NULL        a nil pointer, map, slice or interface
//	any         AttributeValue, any (which gets an AttributeValue), Unmarshaler
//
// An integer is exact or an error: 1E2 is 100, and neither 1.5 nor 300 is a uint8. A float is the nearest one. Attributes
// that a struct does not name are skipped, and fields whose attribute is absent stay as they are.
//
// Fields have the tag of the AWS SDK for Go:
//
//	Total int       `dynamodbav:"total"`           // the attribute's name; without one the field's, in any case of letters
//	Paid  bool      `dynamodbav:"paid,required"`   // an error when the attribute is absent
//	At    time.Time `dynamodbav:"at,unixtime"`     // N: seconds since the Unix epoch
//	Note  string    `dynamodbav:"-"`               // no attribute
//
// An embedded struct's fields count as the outer one's.
//
// The error, an [*ImageError], says which attribute does not fit, or why the text is not DynamoDB JSON.
func Unmarshal(text string, target any) error {
	if err := checkUTF8(text); err != nil {
		return asImageError(err)
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
	unmarshalerType     = reflect.TypeFor[Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType            = reflect.TypeFor[time.Time]()
	numberType          = reflect.TypeFor[N]()
)

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
	switch kind := t.Kind(); kind {
	case reflect.String:
		if t == numberType {
			return decodeN
		}
		return decodeString
	case reflect.Bool:
		return decodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		return decodeNumber
	case reflect.Interface:
		if attributeValueType.AssignableTo(t) {
			return nullable(decodeInterface)
		}
	case reflect.Slice:
		return nullable(decodeSlice)
	case reflect.Array:
		return decodeArray
	case reflect.Map:
		if t == itemType {
			return nullable(decodeItem)
		}
		return nullable(decodeMap)
	case reflect.Struct:
		return decodeStruct
	}
	return func(*scanner, tag, reflect.Value) error { return imageErrorf("no attribute can be read into a %s", t) }
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

func decodePointer(s *scanner, found tag, v reflect.Value) error {
	if found == tagNull {
		v.SetZero()
		return s.null()
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return decoderOf(v.Type().Elem())(s, found, v.Elem())
}

func decodeUnmarshaler(s *scanner, found tag, v reflect.Value) error {
	value, err := readTagged(s, found)
	if err != nil {
		return err
	}
	return v.Addr().Interface().(Unmarshaler).UnmarshalAttributeValue(value)
}

// decodeText reads the text of a string or a number into a type that takes it; other values are read as the type's kind is.
func decodeText(otherwise decoder) decoder {
	return func(s *scanner, found tag, v reflect.Value) error {
		var text string
		var err error
		switch found {
		case tagS:
			text, err = s.string()
		case tagN:
			text, err = s.checkedNumber()
		default:
			if v.Kind() == reflect.Struct {
				return found.insteadOf("a string (S) or a number (N)")
			}
			return otherwise(s, found, v)
		}
		if err != nil {
			return err
		}
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	}
}

// decodeUnixTime reads seconds since the Unix epoch, which is what DynamoDB's Time to Live has.
func decodeUnixTime(s *scanner, found tag, v reflect.Value) error {
	if found != tagN {
		return found.insteadOf(tags[tagN].name)
	}
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
	var text string
	var err error
	switch found {
	case tagS:
		text, err = s.string()
	case tagN:
		text, err = s.checkedNumber()
	default:
		return found.insteadOf(tags[tagS].name)
	}
	if err != nil {
		return err
	}
	v.SetString(text)
	return nil
}

func decodeN(s *scanner, found tag, v reflect.Value) error {
	if found != tagN {
		return found.insteadOf(tags[tagN].name)
	}
	return decodeString(s, found, v)
}

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
	var err error
	switch t := v.Type(); v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var integer int64
		integer, err = toInt(text, t.Bits(), t)
		v.SetInt(integer)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var integer uint64
		integer, err = toUint(text, t.Bits(), t)
		v.SetUint(integer)
	default:
		var float float64
		float, err = toFloat(text, t.Bits(), t)
		v.SetFloat(float)
	}
	if err != nil {
		return asImageError(err)
	}
	return nil
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

func decodeItem(s *scanner, found tag, v reflect.Value) error {
	if found != tagM {
		return found.insteadOf(tags[tagM].name)
	}
	item, err := readMap(s)
	v.Set(reflect.ValueOf(item))
	return err
}

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

// decodeElements reads a list or a set, from its [ to its ]: each element into what place gives for its index, and put is
// told. What place gives no value for is passed over.
func decodeElements(
	s *scanner, found tag, t reflect.Type, place func(index int) reflect.Value, put func(),
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
		if err != nil {
			return 0, inElement(err, count)
		}
		if put != nil {
			put()
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
	_, err := decodeElements(s, found, t.Key(),
		func(int) reflect.Value { return element }, func() { set.SetMapIndex(element, in) })
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

// setKey makes a map's key of an attribute's name.
func setKey(name string, key reflect.Value) error {
	switch kind := key.Kind(); {
	case kind == reflect.String:
		key.SetString(name)
		return nil
	case reflect.Int <= kind && kind <= reflect.Uint64:
		return setNumber(name, key)
	}
	if text, ok := key.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return text.UnmarshalText([]byte(name))
	}
	return imageErrorf("no name can be a key of type %s", key.Type())
}

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
			switch {
			case option == "required":
				field.required = true
			case option == "unixtime" && member.Type == timeType:
				field.decode = decodeUnixTime
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
		place := v
		if len(field.index) == 1 {
			place = v.Field(field.index[0])
		} else if place, err = embeddedField(v, field.index); err != nil {
			return inAttribute(err, name)
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

// embeddedField is a field of an embedded struct, which is made when it is a nil pointer.
func embeddedField(v reflect.Value, index []int) (reflect.Value, error) {
	for level, i := range index {
		if level > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, fmt.Errorf("the embedded %s cannot be set", v.Type())
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, nil
}
