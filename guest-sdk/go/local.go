package gristmill

import (
	"fmt"

	"github.com/gristmill/gristmill/guest-sdk/go/internal/streamarn"
)

// ParseRecord makes a record of its JSON as Lambda sends it: one element of an event's Records. For unit tests.
//
// It reads what the host reads out of a record, in the same way. It is no check of an event: the host does that. The error
// says what every record has and this one has not, or why the text is no JSON.
func ParseRecord(text string) (*Record, error) {
	record, err := parseLocal(text)
	if err != nil {
		return nil, fmt.Errorf("not a stream record: %w", err)
	}
	return &Record{source: record}, nil
}

// A localRecord was made from its JSON, with no host.
type localRecord struct {
	eventID, table, streamARN, region, sequenceNumber string
	eventName                                         int
	sizeBytes, createdAtMS                            uint64
	hasSizeBytes, hasCreatedAt                        bool
	identity                                          *UserIdentity
	keys                                              string
	newImage, oldImage                                *string
	json                                              string
}

func parseLocal(text string) (*localRecord, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	r := &localRecord{json: text}
	record, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	fields := fieldReader{}
	change := fields.object(record, "dynamodb")
	r.eventID = fields.string(record, "eventID")
	r.streamARN = fields.string(record, "eventSourceARN")
	r.region = fields.string(record, "awsRegion")
	name := fields.string(record, "eventName")
	r.sequenceNumber = fields.string(change, "SequenceNumber")
	if identity := fields.object(record, "userIdentity"); identity != nil {
		r.identity = &UserIdentity{fields.string(identity, "type"), fields.string(identity, "principalId")}
	}
	keys := fields.image(change, "Keys")
	r.newImage = fields.image(change, "NewImage")
	r.oldImage = fields.image(change, "OldImage")
	if fields.err != nil {
		return nil, fields.err
	}

	if change == nil {
		return nil, missing("dynamodb")
	}
	region, table, ok := streamarn.Parse(r.streamARN)
	if !ok {
		return nil, missing("eventSourceARN")
	}
	r.table = table
	if _, there := record["awsRegion"]; !there {
		r.region = region
	}
	r.eventName = -1
	for number, known := range eventNames {
		if name == string(known) {
			r.eventName = number
		}
	}
	if r.eventName < 0 {
		return nil, missing("eventName")
	}
	if r.sequenceNumber == "" || !isDigits(r.sequenceNumber) {
		return nil, missing("dynamodb.SequenceNumber")
	}
	if keys == nil {
		return nil, missing("dynamodb.Keys")
	}
	r.keys = *keys
	if size, err := N(change["SizeBytes"]).Uint64(); err == nil {
		r.sizeBytes, r.hasSizeBytes = size, true
	}
	r.createdAtMS, r.hasCreatedAt = secondsToMS(change["ApproximateCreationDateTime"])
	return r, nil
}

func missing(path string) error { return fmt.Errorf("%s is missing or wrong", path) }

// parseObject reads a JSON object: its names, and the text of each value. Null is as good as absent.
func parseObject(text string) (map[string]string, error) {
	fields := map[string]string{}
	// Room for what is around an image in a record. An image that is nested too deep is an error when it is read.
	err := eachMember(text, levelsBelow(0)+2, func(name, value string) error {
		if value != "null" {
			fields[name] = value
		}
		return nil
	})
	return fields, err
}

// A fieldReader keeps the first error of several reads.
type fieldReader struct{ err error }

func (f *fieldReader) string(object map[string]string, name string) string {
	text, ok := object[name]
	if !ok || f.err != nil {
		return ""
	}
	s := scanner{text: text}
	value, err := s.string()
	if err != nil {
		f.err = inAttribute(err, name)
	}
	return value
}

func (f *fieldReader) object(object map[string]string, name string) map[string]string {
	text, ok := object[name]
	if !ok || f.err != nil {
		return nil
	}
	value, err := parseObject(text)
	if err != nil {
		f.err = inAttribute(err, name)
	}
	return value
}

func (f *fieldReader) image(change map[string]string, name string) *string {
	if f.object(change, name) == nil {
		return nil
	}
	text := change[name]
	return &text
}

func (r *localRecord) EventID() string             { return r.eventID }
func (r *localRecord) Table() string               { return r.table }
func (r *localRecord) StreamARN() string           { return r.streamARN }
func (r *localRecord) Region() string              { return r.region }
func (r *localRecord) SequenceNumber() string      { return r.sequenceNumber }
func (r *localRecord) EventName() int              { return r.eventName }
func (r *localRecord) SizeBytes() (uint64, bool)   { return r.sizeBytes, r.hasSizeBytes }
func (r *localRecord) CreatedAtMS() (uint64, bool) { return r.createdAtMS, r.hasCreatedAt }
func (r *localRecord) KeysJSON() string            { return r.keys }
func (r *localRecord) JSON() string                { return r.json }

func (r *localRecord) UserIdentity() (kind, principalID string, ok bool) {
	if r.identity == nil {
		return "", "", false
	}
	return r.identity.Type, r.identity.PrincipalID, true
}

func (r *localRecord) NewImageJSON() (string, bool) { return optional(r.newImage) }
func (r *localRecord) OldImageJSON() (string, bool) { return optional(r.oldImage) }

func optional(text *string) (string, bool) {
	if text == nil {
		return "", false
	}
	return *text, true
}
