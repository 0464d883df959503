package gristmilltest

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
	"github.com/gristmill/gristmill/guest-sdk/go/internal/streamarn"
)

// Records and events as Lambda sends them.

// JSON is the record as Lambda sends it: one element of an event's Records, with AWS's order of names. [Event] makes a whole
// event. It panics as [Record.Build] does.
func (r Record) JSON() string { return r.numbered(0) }

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
	region, _, _ := streamarn.Parse(r.streamARN)
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
