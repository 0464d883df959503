package gristmilltest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
)

// seed is a record as Lambda sends it.
const seed = `{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"},"name":{"S":"Tung Nguyen"}},"OldImage":{"id":{"S":"1"},"name":{"S":"Tung"}},"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}`

func TestARecordIsAsLambdaSendsIt(t *testing.T) {
	record := Modify("test-table").
		Key("id", "1").
		OldAttribute("name", "Tung").
		NewAttribute("name", "Tung Nguyen").
		CreatedAt(time.UnixMilli(1_550_272_599_000)).
		StreamARN("arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871")
	if record.JSON() != seed || record.Build().JSON() != seed {
		t.Error(record.JSON())
	}
}

func TestWhatIsSaidIsInTheRecord(t *testing.T) {
	record := Remove("orders").
		Key("id", 7).
		EventID("e").
		SequenceNumber("42").
		CreatedAt(time.UnixMilli(1_500)).
		UserIdentity(gristmill.UserIdentity{Type: `a "b"`, PrincipalID: "c"}).
		Build()
	identity, _ := record.UserIdentity()
	created, _ := record.CreatedAt()
	if record.EventID() != "e" || record.SequenceNumber() != "42" || created.UnixMilli() != 1_500 || identity.Type != `a "b"` ||
		record.IsTTLDelete() || !strings.Contains(record.JSON(), `"ApproximateCreationDateTime":1.500,`) {
		t.Error(record.JSON())
	}
	if !TTLDelete("t").Key("id", "1").Build().IsTTLDelete() {
		t.Error("a delete by Time to Live")
	}
}

func TestTheViewTypeSaysWhatIsCarried(t *testing.T) {
	for _, check := range []struct {
		viewType               ViewType
		insert, modify, remove string
	}{
		{KeysOnly, "", "", ""}, {NewImage, "n", "n", ""}, {OldImage, "", "o", "o"}, {NewAndOldImages, "n", "no", "o"},
	} {
		for expected, record := range map[*string]Record{&check.insert: Insert("t"), &check.modify: Modify("t"), &check.remove: Remove("t")} {
			built := record.Key("id", "1").Attribute("a", 1).ViewType(check.viewType).Build()
			found := ""
			if _, ok := built.NewImageJSON(); ok {
				found += "n"
			}
			if _, ok := built.OldImageJSON(); ok {
				found += "o"
			}
			if found != *expected {
				t.Errorf("%s: %s carries %q", check.viewType, built, found)
			}
		}
	}
}

func TestValuesAreMadeOfWhatGoHas(t *testing.T) {
	image, _ := Insert("t").
		Key("id", []byte{1, 2}).
		Attribute("n", uint64(1<<64-1)).
		Attribute("exact", gristmill.N("1.50")).
		Attribute("f", 1.5).
		Attribute("f32", float32(0.1)).
		Attribute("list", []any{"a", false}).
		Attribute("map", map[string]any{"n": int8(1)}).
		Attribute("set", gristmill.SS{"x"}).
		Attribute("null", nil).
		NewImageJSON(`{"json":{"BOOL":true}}`).
		Build().NewImageJSON()
	if image != `{"exact":{"N":"1.50"},"f":{"N":"1.5"},"f32":{"N":"0.1"},"id":{"B":"AQI="},"json":{"BOOL":true},"list":{"L":[{"S":"a"},{"BOOL":false}]},`+
		`"map":{"M":{"n":{"N":"1"}}},"n":{"N":"18446744073709551615"},"null":{"NULL":true},"set":{"SS":["x"]}}` {
		t.Error(image)
	}
}

func TestSizesAreThoseOfDynamoDB(t *testing.T) {
	for text, expected := range map[string]int{
		`{"S":"Tung"}`: 4, `{"S":"ü"}`: 2, `{"B":"AAAAAAA="}`: 5, `{"BOOL":false}`: 1, `{"N":"42"}`: 2, `{"N":"-42"}`: 3, `{"N":"12.50"}`: 3,
		`{"N":"0"}`: 1, `{"N":"1E2"}`: 2, `{"NULL":true}`: 1, `{"SS":["a","bc"]}`: 3, `{"NS":["42","1"]}`: 4, `{"BS":["AAA=","AA=="]}`: 3,
		`{"M":{}}`: 3, `{"M":{"a":{"BOOL":true}}}`: 6, `{"L":[{"NULL":true}]}`: 5,
	} {
		value, err := gristmill.ParseValue(text)
		if err != nil || valueSize(value) != expected {
			t.Errorf("%s: %d, %v", text, valueSize(value), err)
		}
	}
}

func TestAnEventsRecordsCountOn(t *testing.T) {
	record := func(id string) Record { return Insert("t").Key("id", id) }
	var event struct {
		Records []struct {
			EventID  string `json:"eventID"`
			Dynamodb struct{ SequenceNumber string }
		}
	}
	if err := json.Unmarshal([]byte(Event(record("1"), record("2").SequenceNumber("9").EventID("e"), record("3"))), &event); err != nil {
		t.Fatal(err)
	}
	found := ""
	for _, record := range event.Records {
		found += record.EventID + " " + record.Dynamodb.SequenceNumber + "\n"
	}
	if found != "1a87201789a6e14315b8038ebbd3b99d 261800000000059086429283\ne 9\n1a87201789a6e14315b8038ebbd3b99f 261800000000059086429285\n" {
		t.Error(found)
	}
	if Event() != "{\"Records\":[]}\n" {
		t.Error(Event())
	}
}

func TestSeveralRecordsOfOneAreOfTheirOwn(t *testing.T) {
	record := Modify("t").Key("id", "1").Attribute("a", 1)
	_ = record.NewAttribute("a", 2)
	if image, _ := record.Build().NewImageJSON(); image != `{"a":{"N":"1"},"id":{"S":"1"}}` {
		t.Error(image)
	}
}

func TestARecordThatCannotBePanicsAndSaysWhy(t *testing.T) {
	modify := Modify("t").Key("id", "1")
	for expected, use := range map[string]func(){
		"is no table's name":                              func() { Insert("a/stream/b") },
		`"" is no table's name`:                           func() { Insert("") },
		"the record has no key":                           func() { Insert("t").Build() },
		"is the third":                                    func() { modify.Key("b", "1").Key("c", "1") },
		`the key "id" is {"BOOL":true}`:                   func() { Insert("t").Key("id", true) },
		`is {"S":"1"}, and {"N":"1"} in an image`:         func() { modify.NewAttribute("id", 1).Build() },
		"an insert has no old image":                      func() { Insert("t").OldAttribute("a", 1) },
		"a removal has no new image":                      func() { Remove("t").NewImageJSON("{}") },
		"new image: a: an attribute value without a type": func() { modify.NewImageJSON(`{"a":{}}`) },
		"old image: the text ends":                        func() { modify.OldImageJSON("{") },
		"is no sequence number":                           func() { modify.SequenceNumber("26x") },
		"is no stream's ARN":                              func() { modify.StreamARN("arn:aws:sqs:eu-west-1:1:q") },
		"is no view type":                                 func() { modify.ViewType("NEW_IMAGES") },
		"is before 1970":                                  func() { modify.CreatedAt(time.UnixMilli(-1500)) },
		"is not a decimal number":                         func() { Value(math.NaN()) },
		"an event is of one stream":                       func() { Event(modify, Insert("u").Key("id", "1")) },
		"can be made of a chan int":                       func() { Value(make(chan int)) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, expected) {
					t.Errorf("%s; expected %s", text, expected)
				}
			}()
			use()
		}()
	}
}
