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
	"strings"
	"time"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
	"github.com/gristmill/gristmill/guest-sdk/go/internal/streamarn"
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

// ViewType is what the stream carries. Otherwise both images. It panics at what is no view type.
func (r Record) ViewType(viewType ViewType) Record {
	switch viewType {
	case KeysOnly, NewImage, OldImage, NewAndOldImages:
	default:
		panic(fmt.Sprintf("%q is no view type: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES", viewType))
	}
	r.viewType = viewType
	return r
}

// StreamARN takes the place of the one that is made of the table's name: for another Region, account or label. It panics at
// what is no stream's ARN.
func (r Record) StreamARN(arn string) Record {
	if _, _, ok := streamarn.Parse(arn); !ok {
		panic(fmt.Sprintf("%q is no stream's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL", arn))
	}
	r.streamARN = arn
	return r
}

// EventID is the record's eventID. Otherwise 32 hexadecimal digits.
func (r Record) EventID(id string) Record {
	r.eventID = id
	return r
}

// SequenceNumber is the position in the shard, in decimal digits. Otherwise 24 of them. It panics at anything else.
func (r Record) SequenceNumber(digits string) Record {
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		panic(fmt.Sprintf("%q is no sequence number: decimal digits", digits))
	}
	r.sequenceNumber = digits
	return r
}

// CreatedAt is about when the change was made, to the millisecond. Otherwise 2026-01-05T09:30:00Z. It panics at a time before
// 1970, the zero time among them.
func (r Record) CreatedAt(created time.Time) Record {
	if created.UnixMilli() < 0 {
		panic(fmt.Sprintf("%v is before 1970, where the time of a record begins", created))
	}
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
