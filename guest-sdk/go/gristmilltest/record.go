// Package gristmilltest makes records by hand, for the unit tests of handlers.
//
//	record := gristmilltest.Modify("orders").Key("id", "1").OldAttribute("status", "new").NewAttribute("status", "paid")
//	if err := File(t.Context(), record.Build()); err != nil {
//		t.Fatal(err)
//	}
//
// What a test does not say has a value that AWS could have sent: ids, sequence number, ARN, time, size. The same calls make
// the same record.
//
// This package panics where a test asks for a record that cannot be: whoever wrote the mistake reads it at once, and no test
// has an error to look at for each record. For a text from elsewhere there is gristmill.ParseRecord, which gives an error.
package gristmilltest

import (
	"fmt"
	"maps"
	"math/big"
	"strconv"
	"strings"
	"time"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
)

// A ViewType is what a stream carries of each change.
type ViewType string

const (
	// KeysOnly carries the key attributes, and no image.
	KeysOnly ViewType = "KEYS_ONLY"
	// NewImage carries the item after the change.
	NewImage ViewType = "NEW_IMAGE"
	// OldImage carries the item before the change.
	OldImage ViewType = "OLD_IMAGE"
	// NewAndOldImages carries both.
	NewAndOldImages ViewType = "NEW_AND_OLD_IMAGES"
)

// A Record is a stream record in the making.
//
// Say what the change was, and the view type says what of it the record carries. The key attributes are part of every image
// by themselves. An attribute that is given twice has the later value. Each call gives a record of its own, so that several
// can be made of one. The values of attributes are what [Value] takes.
type Record struct {
	eventName      gristmill.EventName
	streamARN      string
	keys, old, new gristmill.Item
	viewType       ViewType
	eventID        string
	sequenceNumber string
	createdAt      time.Time
	identity       *gristmill.UserIdentity
}

// Insert is for an item of this table that is new.
func Insert(table string) Record { return of(gristmill.Insert, table) }

// Modify is for an item of this table that has changed.
func Modify(table string) Record { return of(gristmill.Modify, table) }

// Remove is for an item of this table that a caller deleted.
func Remove(table string) Record { return of(gristmill.Remove, table) }

// TTLDelete is for an item of this table that Time to Live deleted.
func TTLDelete(table string) Record {
	return of(gristmill.Remove, table).
		UserIdentity(gristmill.UserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"})
}

func of(eventName gristmill.EventName, table string) Record {
	isName := table != ""
	for _, c := range table {
		isName = isName && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("_-.", c))
	}
	if !isName {
		panic(fmt.Sprintf("%q is no table's name: a–z, A–Z, 0–9, `_`, `-` and `.`", table))
	}
	return Record{
		eventName: eventName,
		streamARN: "arn:aws:dynamodb:us-east-1:123456789012:table/" + table + "/stream/2026-01-05T09:30:00.000",
		viewType:  NewAndOldImages,
	}
}

// Value makes an attribute's value of what Go has: a string, an integer, a float, a bool, []byte, nil (null), []any,
// map[string]any, or a gristmill.AttributeValue as it is. It panics at anything else.
func Value(value any) gristmill.AttributeValue {
	switch value := value.(type) {
	case nil:
		return gristmill.Null{}
	case gristmill.AttributeValue:
		return value
	case string:
		return gristmill.S(value)
	case bool:
		return gristmill.Bool(value)
	case []byte:
		return gristmill.B(value)
	case int:
		return gristmill.Int(value)
	case int8:
		return gristmill.Int(value)
	case int16:
		return gristmill.Int(value)
	case int32:
		return gristmill.Int(value)
	case int64:
		return gristmill.Int(value)
	case uint:
		return gristmill.Uint(value)
	case uint8:
		return gristmill.Uint(value)
	case uint16:
		return gristmill.Uint(value)
	case uint32:
		return gristmill.Uint(value)
	case uint64:
		return gristmill.Uint(value)
	case float32:
		return Value(float64(value))
	case float64:
		number, err := gristmill.Float(value)
		if err != nil {
			panic(err)
		}
		return number
	case []any:
		list := gristmill.L{}
		for _, element := range value {
			list = append(list, Value(element))
		}
		return list
	case map[string]any:
		item := gristmill.Item{}
		for name, value := range value {
			item[name] = Value(value)
		}
		return item
	}
	panic(fmt.Sprintf("no attribute's value can be made of a %T; a set says which it is: gristmill.SS{…}", value))
}

// with gives a copy of an item with one attribute more.
func with(item gristmill.Item, name string, value gristmill.AttributeValue) gristmill.Item {
	return joined(item, gristmill.Item{name: value})
}

func joined(item, more gristmill.Item) gristmill.Item {
	all := gristmill.Item{}
	maps.Copy(all, item)
	maps.Copy(all, more)
	return all
}

// Key gives the item a key attribute: the partition key, and a second for the sort key where the table has one. It panics at
// the third, and at a value that is no string, number or binary.
func (r Record) Key(name string, value any) Record {
	key := Value(value)
	switch key.(type) {
	case gristmill.S, gristmill.N, gristmill.B:
	default:
		panic(fmt.Sprintf("the key %q is %s: DynamoDB takes a string (S), a number (N) or binary (B)", name, gristmill.JSON(key)))
	}
	r.keys = with(r.keys, name, key)
	if len(r.keys) > 2 {
		panic(fmt.Sprintf("the key %q is the third: an item has a partition key and may have a sort key", name))
	}
	return r
}

// Attribute gives the item an attribute that the change left as it was: part of each image that the change has.
func (r Record) Attribute(name string, value any) Record {
	if r.eventName != gristmill.Insert {
		r.old = with(r.old, name, Value(value))
	}
	if r.eventName != gristmill.Remove {
		r.new = with(r.new, name, Value(value))
	}
	return r
}

// OldAttribute gives the item an attribute before the change. It panics for an insert.
func (r Record) OldAttribute(name string, value any) Record {
	return r.OldImage(gristmill.Item{name: Value(value)})
}

// NewAttribute gives the item an attribute after the change. It panics for a removal.
func (r Record) NewAttribute(name string, value any) Record {
	return r.NewImage(gristmill.Item{name: Value(value)})
}

// OldImage gives the item attributes before the change, beside those that were given already. It panics for an insert.
func (r Record) OldImage(item gristmill.Item) Record {
	if r.eventName == gristmill.Insert {
		panic("an insert has no old image: there was no item")
	}
	r.old = joined(r.old, item)
	return r
}

// NewImage gives the item attributes after the change, beside those that were given already. It panics for a removal.
func (r Record) NewImage(item gristmill.Item) Record {
	if r.eventName == gristmill.Remove {
		panic("a removal has no new image: there is no item")
	}
	r.new = joined(r.new, item)
	return r
}

// OldImageJSON is [Record.OldImage] from DynamoDB JSON.
func (r Record) OldImageJSON(text string) Record { return r.OldImage(parse("old image", text)) }

// NewImageJSON is [Record.NewImage] from DynamoDB JSON.
func (r Record) NewImageJSON(text string) Record { return r.NewImage(parse("new image", text)) }

func parse(image, text string) gristmill.Item {
	item, err := gristmill.ParseItem(text)
	if err != nil {
		panic(image + ": " + err.Error())
	}
	return item
}

// ViewType is what the stream carries. Otherwise both images.
func (r Record) ViewType(viewType ViewType) Record {
	r.viewType = viewType
	return r
}

// StreamARN takes the place of the one that is made of the table's name: for another Region, account or label.
func (r Record) StreamARN(arn string) Record {
	if _, _, ok := arnParts(arn); !ok {
		panic(fmt.Sprintf("%q is no stream's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL", arn))
	}
	r.streamARN = arn
	return r
}

func arnParts(arn string) (region, table string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" {
		return "", "", false
	}
	name, found := strings.CutPrefix(parts[5], "table/")
	table, _, ok = strings.Cut(name, "/stream/")
	return parts[3], table, ok && found
}

// EventID is the record's eventID. Otherwise 32 hexadecimal digits.
func (r Record) EventID(id string) Record {
	r.eventID = id
	return r
}

// SequenceNumber is the position in the shard, in decimal digits. Otherwise 24 of them.
func (r Record) SequenceNumber(digits string) Record {
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		panic(fmt.Sprintf("%q is no sequence number: decimal digits", digits))
	}
	r.sequenceNumber = digits
	return r
}

// CreatedAt is about when the change was made, to the millisecond. Otherwise 2026-01-05T09:30:00Z.
func (r Record) CreatedAt(created time.Time) Record {
	r.createdAt = created
	return r
}

// UserIdentity is who made the change. Otherwise a caller, or Time to Live for [TTLDelete].
func (r Record) UserIdentity(identity gristmill.UserIdentity) Record {
	r.identity = &identity
	return r
}

// Build gives the record, as a handler is given it. It panics when the record has no key, or an image has another value for
// a key attribute.
func (r Record) Build() *gristmill.Record {
	record, err := gristmill.ParseRecord(r.JSON())
	if err != nil {
		panic(err)
	}
	return record
}

// JSON is the record as Lambda sends it: one element of an event's Records, with AWS's order of names. [Event] makes a whole
// event. It panics as [Record.Build] does.
func (r Record) JSON() string { return r.numbered(0) }

// createdAtSeconds is 2026-01-05T09:30:00Z, which is also the label of the stream.
const createdAtSeconds = 1_767_605_400

// An event's records count from these on, so that each is one of its own.
var (
	firstEventID, _        = new(big.Int).SetString("1a87201789a6e14315b8038ebbd3b99d", 16)
	firstSequenceNumber, _ = new(big.Int).SetString("261800000000059086429283", 10)
)

// numbered gives the record in its place among those of an event, which decides what was not said of it.
func (r Record) numbered(index int) string {
	newImage, oldImage := r.carried(r.new, gristmill.Remove, NewImage), r.carried(r.old, gristmill.Insert, OldImage)
	after := func(first *big.Int) *big.Int { return new(big.Int).Add(first, big.NewInt(int64(index))) }
	eventID, sequenceNumber := r.eventID, r.sequenceNumber
	if eventID == "" {
		eventID = fmt.Sprintf("%032x", after(firstEventID))
	}
	if sequenceNumber == "" {
		sequenceNumber = after(firstSequenceNumber).String()
	}
	createdAtMS := (createdAtSeconds + int64(index)) * 1000
	if !r.createdAt.IsZero() {
		createdAtMS = r.createdAt.UnixMilli()
	}
	region, _, _ := arnParts(r.streamARN)
	var json strings.Builder
	fmt.Fprintf(&json, `{"eventID":%s,"eventName":%s,"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":%s`,
		quoted(eventID), quoted(string(r.eventName)), quoted(region))
	if r.identity != nil {
		fmt.Fprintf(&json, `,"userIdentity":{"principalId":%s,"type":%s}`, quoted(r.identity.PrincipalID), quoted(r.identity.Type))
	}
	fmt.Fprintf(&json, `,"dynamodb":{"ApproximateCreationDateTime":%s,"Keys":%s`, seconds(createdAtMS), r.keys.JSON())
	size := itemSize(r.keys)
	for _, image := range []struct {
		name string
		item gristmill.Item
	}{{"NewImage", newImage}, {"OldImage", oldImage}} {
		if image.item != nil {
			fmt.Fprintf(&json, `,"%s":%s`, image.name, image.item.JSON())
			size += itemSize(image.item)
		}
	}
	fmt.Fprintf(&json, `,"SequenceNumber":%s,"SizeBytes":%d,"StreamViewType":"%s"},"eventSourceARN":%s}`,
		quoted(sequenceNumber), size, r.viewType, quoted(r.streamARN))
	return json.String()
}

// carried gives an image with the key attributes, or nil when the record has none. A change never changes a key: it is
// another item then.
func (r Record) carried(image gristmill.Item, without gristmill.EventName, only ViewType) gristmill.Item {
	if len(r.keys) == 0 {
		panic(`the record has no key: .Key("id", "1") gives it one`)
	}
	for name, key := range r.keys {
		if value, ok := image[name]; ok && !gristmill.Equal(value, key) {
			panic(fmt.Sprintf("the key %q of the item is %s, and %s in an image: a change never changes a key",
				name, gristmill.JSON(key), gristmill.JSON(value)))
		}
	}
	if r.eventName == without || r.viewType != only && r.viewType != NewAndOldImages {
		return nil
	}
	return joined(image, r.keys)
}

// quoted is a JSON string, as DynamoDB JSON has it.
func quoted(text string) string {
	json := gristmill.JSON(gristmill.S(text))
	return json[len(`{"S":`) : len(json)-1]
}

// seconds are those since the Unix epoch as AWS writes them: with a fraction when there is one.
func seconds(ms int64) string {
	if ms%1000 == 0 {
		return strconv.FormatInt(ms/1000, 10)
	}
	return fmt.Sprintf("%d.%03d", ms/1000, ms%1000)
}

// Event gives an event of these records as Lambda sends it, for `gristmill invoke --event`. It panics as [Record.Build] does,
// and when the records are of different streams, which Lambda never puts into one event.
func Event(records ...Record) string {
	var json strings.Builder
	json.WriteString(`{"Records":[`)
	for index, record := range records {
		if index > 0 {
			json.WriteByte(',')
		}
		if record.streamARN != records[0].streamARN {
			panic(fmt.Sprintf("an event is of one stream: %q and %q are two", records[0].streamARN, record.streamARN))
		}
		json.WriteString("\n" + record.numbered(index))
	}
	if len(records) > 0 {
		json.WriteByte('\n')
	}
	json.WriteString("]}\n")
	return json.String()
}

// itemSize is that of names and values in bytes, as a stream's SizeBytes counts them.
func itemSize(item gristmill.Item) int {
	size := 0
	for name, value := range item {
		size += len(name) + valueSize(value)
	}
	return size
}

// valueSize is in bytes. S, B, BOOL and a short N are as captured from AWS; the rest is as DynamoDB's guide has the size of
// an item, which no capture confirms for a stream.
func valueSize(value gristmill.AttributeValue) int {
	// Of a list or map, whatever is in it; each element adds one.
	const overhead = 3
	size := 0
	switch value := value.(type) {
	case gristmill.S:
		size = len(value)
	case gristmill.N:
		size = numberSize(value)
	case gristmill.B:
		size = len(value)
	case gristmill.SS:
		for _, element := range value {
			size += len(element)
		}
	case gristmill.NS:
		for _, element := range value {
			size += numberSize(element)
		}
	case gristmill.BS:
		for _, element := range value {
			size += len(element)
		}
	case gristmill.Item:
		size = overhead + len(value) + itemSize(value)
	case gristmill.L:
		size = overhead
		for _, element := range value {
			size += 1 + valueSize(element)
		}
	default:
		size = 1
	}
	return size
}

// numberSize is a byte for every two significant digits, one more, and one for a sign.
func numberSize(number gristmill.N) int {
	text := strings.ToLower(string(number))
	mantissa, _, _ := strings.Cut(text, "e")
	unsigned := strings.TrimLeft(mantissa, "+-")
	digits := strings.Trim(strings.Replace(unsigned, ".", "", 1), "0")
	size := (len(digits)+1)/2 + 1
	if strings.HasPrefix(mantissa, "-") && digits != "" {
		size++
	}
	return size
}
