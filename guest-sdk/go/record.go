package gristmill

import (
	"strings"
	"time"
)

// An EventName says what happened to the item, in DynamoDB's word.
type EventName string

const (
	// Insert is for an item that is new.
	Insert EventName = "INSERT"
	// Modify is for an item of which an attribute changed, or several.
	Modify EventName = "MODIFY"
	// Remove is for an item that was deleted, by a caller or by Time to Live.
	Remove EventName = "REMOVE"
)

// In the order of the contract.
var eventNames = [...]EventName{Insert, Modify, Remove}

// A UserIdentity is who made the change, when it was a service and not a caller.
type UserIdentity struct {
	// Type is for example "Service".
	Type string
	// PrincipalID is for example "dynamodb.amazonaws.com".
	PrincipalID string
}

// IsTimeToLive tells whether this is DynamoDB itself, which deletes an item whose Time to Live is over.
func (u UserIdentity) IsTimeToLive() bool {
	return u.Type == "Service" && u.PrincipalID == "dynamodb.amazonaws.com"
}

// A Record is one record of a DynamoDB stream.
//
// In a component the record stays in the host, and each method copies out what it names (below a microsecond), so images
// cost nothing until they are asked for. The texts of keys, images and the whole record are kept; ask as often as you like.
// A record is good until its handler returns; after that its methods panic.
//
// In a native unit test the package gristmilltest makes records, or [ParseRecord] of a record's text.
type Record struct {
	source source

	keys, newImage, oldImage, json fetched
}

// A source is the host, or a record's text.
type source interface {
	EventID() string
	Table() string
	StreamARN() string
	Region() string
	SequenceNumber() string
	EventName() int
	SizeBytes() (uint64, bool)
	CreatedAtMS() (uint64, bool)
	UserIdentity() (kind, principalID string, ok bool)
	KeysJSON() string
	NewImageJSON() (string, bool)
	OldImageJSON() (string, bool)
	JSON() string
}

// A fetched text is asked for once.
type fetched struct {
	text        string
	asked, some bool
}

func (f *fetched) get(ask func() (string, bool)) (text string, ok bool) {
	if !f.asked {
		text, ok := ask()
		*f = fetched{text, true, ok}
	}
	return f.text, f.some
}

// end is when the handler has returned. Texts that were asked for are over too.
func (r *Record) end() { *r = Record{} }

// host gives the source, or panics once the handler has returned.
func (r *Record) host() source {
	if r.source == nil {
		panic("gristmill: this record's handler has returned; a goroutine that it started still uses the record")
	}
	return r.source
}

// EventID is the record's eventID, the same on every delivery.
func (r *Record) EventID() string { return r.host().EventID() }

// Table is the table's name, as it stands in the stream's ARN.
func (r *Record) Table() string { return r.host().Table() }

// StreamARN is the ARN of the stream, label included.
func (r *Record) StreamARN() string { return r.host().StreamARN() }

// Region is the Region that the record comes from.
func (r *Record) Region() string { return r.host().Region() }

// SequenceNumber is the position in the shard: decimal digits, too many for any integer type.
//
// Compare without leading zeros by length, then as text.
func (r *Record) SequenceNumber() string { return r.host().SequenceNumber() }

// EventName is what happened to the item.
func (r *Record) EventName() EventName { return eventNames[r.host().EventName()] }

// SizeBytes is the size of keys and images in bytes, as DynamoDB counts it.
func (r *Record) SizeBytes() (size uint64, ok bool) { return r.host().SizeBytes() }

// CreatedAt is about when the change was made, to the millisecond.
func (r *Record) CreatedAt() (created time.Time, ok bool) {
	ms, ok := r.host().CreatedAtMS()
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)), true
}

// UserIdentity is who made the change, when it was a service and not a caller.
func (r *Record) UserIdentity() (identity UserIdentity, ok bool) {
	kind, principalID, ok := r.host().UserIdentity()
	return UserIdentity{kind, principalID}, ok
}

// IsTTLDelete tells whether Time to Live deleted the item, and no caller did.
//
// It is so in the Region that deleted it. A replica of a global table removes the item as any caller would.
func (r *Record) IsTTLDelete() bool {
	if r.EventName() != Remove {
		return false
	}
	identity, ok := r.UserIdentity()
	return ok && identity.IsTimeToLive()
}

// KeysJSON is the item's key attributes as DynamoDB JSON, byte for byte as they came.
func (r *Record) KeysJSON() string {
	if !r.keys.asked {
		r.keys = fetched{r.host().KeysJSON(), true, true}
	}
	return r.keys.text
}

// NewImageJSON is the item after the change as DynamoDB JSON, byte for byte as it came.
//
// Not ok when the record has none, which is not the same as an empty image: a removal has none, nor does a stream of view
// type KEYS_ONLY or OLD_IMAGE.
func (r *Record) NewImageJSON() (text string, ok bool) { return r.newImage.get(r.host().NewImageJSON) }

// OldImageJSON is the item before the change as DynamoDB JSON, byte for byte as it came.
//
// Not ok when the record has none: an insert has none, nor does a stream of view type KEYS_ONLY or NEW_IMAGE.
func (r *Record) OldImageJSON() (text string, ok bool) { return r.oldImage.get(r.host().OldImageJSON) }

// JSON is the whole record, byte for byte as it came, with fields that gristmill does not know.
func (r *Record) JSON() string {
	if !r.json.asked {
		r.json = fetched{r.host().JSON(), true, true}
	}
	return r.json.text
}

const (
	keysName     = "keys"
	newImageName = "new image"
	oldImageName = "old image"
)

// Keys is the item's key attributes as a tree. The error, an [*ImageError], says why they are not DynamoDB JSON.
func (r *Record) Keys() (Item, error) {
	item, err := parseItem(r.KeysJSON())
	if err != nil {
		return nil, ofImage(err, keysName)
	}
	return item, nil
}

// NewImage is the item after the change as a tree: nil when the record has none, as [Record.NewImageJSON] says, and an
// empty item that is not nil for an empty image.
//
// The error, an [*ImageError], says why it is not DynamoDB JSON.
func (r *Record) NewImage() (Item, error) { return image(r.NewImageJSON, newImageName) }

// OldImage is the item before the change as a tree: nil when the record has none, as [Record.OldImageJSON] says, and an
// empty item that is not nil for an empty image.
//
// The error, an [*ImageError], says why it is not DynamoDB JSON.
func (r *Record) OldImage() (Item, error) { return image(r.OldImageJSON, oldImageName) }

func image(text func() (string, bool), name string) (Item, error) {
	json, ok := text()
	if !ok {
		return nil, nil
	}
	item, err := parseItem(json)
	if err != nil {
		return nil, ofImage(err, name)
	}
	return item, nil
}

// KeysInto reads the item's key attributes into a value of your own: see [Record.NewImageInto].
func (r *Record) KeysInto(target any) error {
	if err := unmarshalItem(r.KeysJSON(), target); err != nil {
		return ofImage(err, keysName)
	}
	return nil
}

// NewImageInto reads the item after the change into what target points to, in one pass over its text. [Unmarshal] says how
// types correspond. False, and target as it was, when the record has none, as [Record.NewImageJSON] says.
//
// The error, an [*ImageError], says which attribute does not fit, or why the image is not DynamoDB JSON.
func (r *Record) NewImageInto(target any) (ok bool, err error) {
	return imageInto(r.NewImageJSON, newImageName, target)
}

// OldImageInto reads the item before the change into what target points to: see [Record.NewImageInto].
func (r *Record) OldImageInto(target any) (ok bool, err error) {
	return imageInto(r.OldImageJSON, oldImageName, target)
}

func imageInto(text func() (string, bool), name string, target any) (bool, error) {
	json, ok := text()
	if !ok {
		return false, nil
	}
	if err := unmarshalItem(json, target); err != nil {
		return false, ofImage(err, name)
	}
	return true, nil
}

// String is the record in a line: MODIFY test-table keys {…} old {…} new {…}, with images as they came.
func (r *Record) String() string {
	var line strings.Builder
	line.WriteString(string(r.EventName()) + " " + r.Table() + " keys " + r.KeysJSON())
	if image, ok := r.OldImageJSON(); ok {
		line.WriteString(" old " + image)
	}
	if image, ok := r.NewImageJSON(); ok {
		line.WriteString(" new " + image)
	}
	return line.String()
}
