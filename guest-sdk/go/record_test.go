package gristmill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
)

// seed is the event that Lambda sends for a change of one item.
const seed = `{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},"NewImage":{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}},"OldImage":{"name":{"S":"Tung"},"id":{"S":"1"}},"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}`

// seeded is the seed with other parts: each text is followed by its replacement.
func seeded(t *testing.T, replacements ...string) *Record {
	t.Helper()
	record, err := ParseRecord(strings.NewReplacer(replacements...).Replace(seed))
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestARecordHasEverythingThatTheJSONHas(t *testing.T) {
	record := seeded(t)
	size, _ := record.SizeBytes()
	created, _ := record.CreatedAt()
	_, hasIdentity := record.UserIdentity()
	for _, check := range []struct{ found, expected any }{
		{record.EventID(), "1a87201789a6e14315b8038ebbd3b99d"},
		{record.EventName(), Modify},
		{record.Table(), "test-table"},
		{record.StreamARN(), "arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"},
		{record.Region(), "us-west-2"},
		{record.SequenceNumber(), "261800000000059086429283"},
		{size, uint64(32)},
		{created.UnixMilli(), int64(1_550_272_599_000)},
		{hasIdentity, false},
		{record.IsTTLDelete(), false},
		{record.KeysJSON(), `{"id":{"S":"1"}}`},
		{record.JSON(), seed},
		{record.String(), `MODIFY test-table keys {"id":{"S":"1"}} old {"name":{"S":"Tung"},"id":{"S":"1"}} new {"name":{"S":"Tung Nguyen"},"id":{"S":"1"}}`},
	} {
		if !reflect.DeepEqual(check.found, check.expected) {
			t.Errorf("%v; expected %v", check.found, check.expected)
		}
	}
	keys, err := record.Keys()
	if err != nil || !Equal(keys, Item{"id": S("1")}) {
		t.Error(keys, err)
	}
	old, err := record.OldImage()
	if err != nil || old["name"] != S("Tung") || old["other"] != nil {
		t.Error(old, err)
	}
}

func TestAbsentAndEmptyImagesAreTwoThings(t *testing.T) {
	removed := seeded(t, `"NewImage":{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}},`, "", "MODIFY", "REMOVE")
	image, err := removed.NewImage()
	target := map[string]string{"kept": "x"}
	ok, err2 := removed.NewImageInto(&target)
	if image != nil || ok || err != nil || err2 != nil || target["kept"] != "x" {
		t.Error(image, ok, err, err2, target)
	}
	empty := seeded(t, `{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}}`, "{}")
	image, err = empty.NewImage()
	ok, err2 = empty.NewImageInto(&target)
	if image == nil || len(image) != 0 || !ok || err != nil || err2 != nil || len(target) != 0 {
		t.Error(image, ok, err, err2, target)
	}
}

func TestADeleteByTimeToLiveSaysWho(t *testing.T) {
	by := `"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"eventVersion"`
	if !seeded(t, `"eventVersion"`, by, "MODIFY", "REMOVE").IsTTLDelete() {
		t.Error("a removal")
	}
	if seeded(t, `"eventVersion"`, by).IsTTLDelete() {
		t.Error("a modification")
	}
}

func TestErrorsNameTheImage(t *testing.T) {
	record := seeded(t)
	target := map[string]int{}
	_, newError := record.NewImageInto(&target)
	_, oldError := record.OldImageInto(&target)
	for expected, err := range map[string]error{
		"new image: name: expected a number (N), found a string (S)": newError,
		"old image: name: expected a number (N), found a string (S)": oldError,
		"keys: id: expected a number (N), found a string (S)":        record.KeysInto(&target),
	} {
		if err == nil || err.Error() != expected {
			t.Error(err)
		}
	}
	_, err := seeded(t, `{"S":"Tung"}`, `{"SS":[1]}`).OldImage()
	if err == nil || err.Error() != "old image: name[0]: not JSON at byte 15: expected a string, found '1'" {
		t.Error(err)
	}
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	for _, change := range [][2]string{
		{"MODIFY", "UPSERT"}, {`"Keys":{"id":{"S":"1"}},`, ""}, {"261800000000059086429283", "26x"}, {"261800000000059086429283", ""},
		{"arn:aws:dynamodb", "arn:aws:sqs"}, {"/stream/", "/index/"}, {`"eventSourceARN"`, `"arn"`},
	} {
		_, err := ParseRecord(strings.Replace(seed, change[0], change[1], 1))
		if err == nil || !strings.HasSuffix(err.Error(), "is missing or wrong") {
			t.Errorf("%v: %v", change, err)
		}
	}
	for end := range len(seed) {
		if _, err := ParseRecord(seed[:end]); err == nil {
			t.Errorf("%s was taken", seed[:end])
		}
	}
	for _, text := range []string{strings.Repeat("[", 100_000), `{"dynamodb":1}`, strings.Replace(seed, "Tung", "\xff", 1)} {
		if _, err := ParseRecord(text); err == nil {
			t.Errorf("%.20s was taken", text)
		}
	}
}

func TestARecordIsOverWhenItsHandlerHasReturned(t *testing.T) {
	record := seeded(t)
	_, _ = record.NewImageJSON()
	_, _, _ = record.KeysJSON(), record.JSON(), record.String()
	record.end()
	for name, use := range map[string]func(){
		"EventID": func() { record.EventID() }, "NewImageJSON": func() { _, _ = record.NewImageJSON() },
		"KeysJSON": func() { record.KeysJSON() }, "JSON": func() { record.JSON() },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "has returned") {
					t.Error(name, text)
				}
			}()
			use()
		}()
	}
}

func TestARecordMayHoldWhateverNestingCanBeRead(t *testing.T) {
	for levels, message := range map[int]string{maxDepth: "", maxDepth + 1: "new image: " + strings.Repeat("known.", maxDepth-1) +
		"known: nested deeper than 64 levels"} {
		image := nested(levels, `{"M":{"known":`, "}}")
		_, err := seeded(t, `{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}}`, image).NewImage()
		if (err == nil) != (message == "") || err != nil && err.Error() != message {
			t.Error(levels, err)
		}
	}
}

func TestChanges(t *testing.T) {
	record := seeded(t,
		`"NewImage":{"name":{"S":"Tung Nguyen"}`, `"NewImage":{"name":{"S":"Tung Nguyen"},"n":{"N":"1.0"},"a":{"NULL":true}`,
		`"OldImage":{"name":{"S":"Tung"}`, `"OldImage":{"name":{"S":"Tung"},"n":{"N":"1"},"r":{"N":"2"}`)
	changes, err := record.Changes()
	expected := map[string]Change{"name": {S("Tung"), S("Tung Nguyen")}, "a": {nil, Null{}}, "r": {N("2"), nil}}
	if err != nil || !reflect.DeepEqual(changes, expected) {
		t.Error(changes, err)
	}
	for name, expected := range map[string]bool{"name": true, "a": true, "r": true, "n": false, "id": false, "none": false} {
		if changed, err := record.Changed(name); err != nil || changed != expected {
			t.Error(name, changed, err)
		}
	}
	for change, expected := range map[Change]string{
		{N("1"), N("2")}: `modified from {"N":"1"} to {"N":"2"}`, {nil, Null{}}: `added {"NULL":true}`, {S(""), nil}: `removed {"S":""}`,
	} {
		if change.String() != expected {
			t.Error(change)
		}
	}
}

func TestWhatChangedIsNotKnownWithoutAnImage(t *testing.T) {
	record := seeded(t, `"OldImage":{"name":{"S":"Tung"},"id":{"S":"1"}},`, "")
	_, err := record.Changed("id")
	_, err2 := record.Changes()
	var missing *MissingImageError
	expected := "the MODIFY record has no old image, so what changed is not known; the stream's view type must be NEW_AND_OLD_IMAGES"
	if !errors.As(err, &missing) || err.Error() != expected || err2 == nil || err2.Error() != expected {
		t.Error(err, err2)
	}
	insert := seeded(t, `"OldImage":{"name":{"S":"Tung"},"id":{"S":"1"}},`, "", "MODIFY", "INSERT")
	changes, err := insert.Changes()
	if err != nil || len(changes) != 2 || changes["id"].Old != nil {
		t.Error(changes, err)
	}
}

// handled is what becomes of a record at a handler.
func handled(t *testing.T, function HandlerFunc) (rejected bool, text string, failed bool) {
	t.Helper()
	registered = function
	defer func() { registered = nil }()
	stderr := os.Stderr
	defer func() { os.Stderr = stderr }()
	os.Stderr, _ = os.Open(os.DevNull)
	return run(context.Background(), seeded(t))
}

type badPanic struct{}

func (badPanic) Error() string { panic("again") }

func TestWhatAHandlerReturnsBecomesAnOutcome(t *testing.T) {
	reject := Rejectf("no %d", 1)
	for _, check := range []struct {
		err      error
		rejected bool
		text     string
	}{
		{errors.New("gone"), false, "gone"},
		{fmt.Errorf("order 7: %w", errors.New("gone")), false, "order 7: gone"},
		{reject, true, "no 1"},
		{fmt.Errorf("order 7: %w", reject), true, "order 7: no 1"},
		{Retry(reject), false, "no 1"},
		{Reject(Retry(errors.New("gone"))), true, "gone"},
		{Retryf("not %s", "yet"), false, "not yet"},
		{errors.Join(reject, errors.New("gone")), false, "no 1\ngone"},
		{errors.Join(reject, reject), true, "no 1\nno 1"},
		{Reject(nil), true, "rejected"},
		{Retry(nil), false, "to be tried again"},
		{badPanic{}, false, "panic: again"},
	} {
		rejected, text, failed := handled(t, func(context.Context, *Record) error { return check.err })
		if rejected != check.rejected || text != check.text || !failed {
			t.Errorf("%v, %q, %v; expected %v, %q", rejected, text, failed, check.rejected, check.text)
		}
	}
	if _, _, failed := handled(t, func(context.Context, *Record) error { return nil }); failed {
		t.Error("a success")
	}
}

func TestAPanicIsAnError(t *testing.T) {
	var nobody *Record
	for expected, function := range map[string]func(){
		"panic: text":  func() { panic("text") },
		"panic: error": func() { panic(errors.New("error")) },
		"panic: 7":     func() { panic(7) },
		"panic: runtime error: invalid memory address or nil pointer dereference": func() { _ = nobody.EventID() },
		"panic: a gristmill.badPanic, which cannot be printed":                    func() { panic(badPanic{}) },
	} {
		rejected, text, failed := handled(t, func(context.Context, *Record) error { function(); return nil })
		if rejected || text != expected || !failed {
			t.Errorf("%v, %q, %v; expected %q", rejected, text, failed, expected)
		}
	}
}

func TestWithoutAHandlerEveryRecordFails(t *testing.T) {
	for range 2 {
		if rejected, text, failed := run(context.Background(), seeded(t)); rejected || text != noHandler || !failed {
			t.Error(rejected, text, failed)
		}
	}
}

func TestThereIsOneHandler(t *testing.T) {
	function := func(context.Context, *Record) error { return nil }
	registered = nil
	defer func() {
		registered = nil
		if text := fmt.Sprint(recover()); !strings.Contains(text, "Handle was called twice, at ") || !strings.Contains(text, "record_test.go") {
			t.Error(text)
		}
	}()
	Handle(function)
	Handle(function)
}

func TestTheContextEndsWithTheCall(t *testing.T) {
	call := &callContext{}
	if _, ok := call.Deadline(); ok || call.Err() != nil {
		t.Error("natively nothing limits a call")
	}
	inner, cancel := context.WithCancel(call)
	defer cancel()
	call.end()
	<-inner.Done()
	late := &callContext{}
	late.end()
	if call.Err() != context.Canceled || late.Err() != context.Canceled {
		t.Error(call.Err(), late.Err())
	}
}

func TestLogAttributesAreFields(t *testing.T) {
	var found []string
	handler := NewLogHandler().WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g").WithGroup("").WithAttrs([]slog.Attr{slog.String("b", "x")})
	for _, field := range appendFields(handler.(*LogHandler).fields, handler.(*LogHandler).prefix,
		slog.Group("h", slog.Bool("c", true), slog.Attr{}, slog.Group("", slog.Any("d", errors.New("e"))))) {
		found = append(found, field.Name+"="+field.Value)
	}
	if !reflect.DeepEqual(found, []string{"a=1", "g.b=x", "g.h.c=true", "g.h.d=e"}) {
		t.Error(found)
	}
	for level, number := range map[slog.Level]int{
		LevelTrace: 0, slog.LevelDebug: 1, slog.LevelInfo: 2, slog.LevelInfo + 1: 2, slog.LevelWarn: 3, slog.LevelError: 4, LevelCritical: 5, 100: 5, -100: 0,
	} {
		if levelNumber(level) != number {
			t.Error(level, levelNumber(level))
		}
	}
}
