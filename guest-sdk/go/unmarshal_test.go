package gristmill

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// read reads the one attribute v of an image.
func read[T any](value string) (T, error) {
	all := map[string]T{}
	err := Unmarshal(`{"v":`+value+`}`, &all)
	return all["v"], err
}

func expectRead[T any](t *testing.T, value string, expected T) {
	t.Helper()
	found, err := read[T](value)
	if err != nil || !reflect.DeepEqual(found, expected) {
		t.Errorf("%s: %#v, %v; expected %#v", value, found, err, expected)
	}
}

func expectRefused[T any](t *testing.T, value, expected string) {
	t.Helper()
	found, err := read[T](value)
	if err == nil {
		t.Errorf("%s was taken as %#v", value, found)
	} else if err.Error() != expected {
		t.Errorf("%s: %v; expected %s", value, err, expected)
	}
}

func TestNumbersAreAnyNumericTypeOrAnExactText(t *testing.T) {
	expectRead(t, `{"N":"255"}`, uint8(255))
	expectRead(t, `{"N":"1E2"}`, uint32(100))
	expectRead(t, `{"N":"100.0"}`, 100)
	expectRead(t, `{"N":"-1.28E2"}`, int8(-128))
	expectRead(t, `{"N":"1.8446744073709551615E19"}`, uint64(1<<64-1))
	expectRead(t, `{"N":"-9223372036854775808"}`, int64(-1<<63))
	expectRead(t, `{"N":"-9.223372036854775808E18"}`, int64(-1<<63))
	expectRead(t, `{"N":"-0"}`, uint8(0))
	expectRead(t, `{"N":"0E999999999"}`, 0)
	expectRead(t, `{"N":"0.1"}`, 0.1)
	expectRead(t, `{"N":"-2.5"}`, float32(-2.5))
	exact := "0.12345678901234567890123456789012345678"
	expectRead(t, `{"N":"`+exact+`"}`, exact)
	expectRead(t, `{"N":"`+exact+`"}`, N(exact))
	integer, _ := new(big.Int).SetString("12345678901234567890123456789012345678", 10)
	expectRead(t, `{"N":"12345678901234567890123456789012345678"}`, integer)
	expectRead(t, `{"N":"12345678901234567890123456789012345678"}`, *integer)
}

func TestANumberThatDoesNotFitIsAnErrorAndNamesItsPlace(t *testing.T) {
	expectRefused[uint8](t, `{"N":"256"}`, "v: the number 256 does not fit in uint8")
	expectRefused[uint32](t, `{"N":"-1"}`, "v: the number -1 does not fit in uint32")
	expectRefused[int64](t, `{"N":"9223372036854775808"}`, "v: the number 9223372036854775808 does not fit in int64")
	expectRefused[int64](t, `{"N":"1.5"}`, "v: the number 1.5 has a fraction, and int64 has none")
	expectRefused[int](t, `{"N":"1E-130"}`, "v: the number 1E-130 has a fraction, and int has none")
	expectRefused[float32](t, `{"N":"1E100"}`, "v: the number 1E100 does not fit in float32")
	for _, text := range []string{"", "abc", "NaN", "inf", "-", ".", "1E999999999999", "0x10", "1e400", "1_000", " 1", "+", "--1", "٣", "1e", "1.2.3"} {
		value := `{"N":"` + text + `"}`
		for _, err := range []error{
			second(read[float64](value)), second(read[uint32](value)), second(read[string](value)), second(read[N](value)),
			second(read[AttributeValue](value)), second(read[any](value)), second(read[big.Int](value)),
		} {
			if err == nil {
				t.Errorf("%q was taken", text)
			}
		}
	}
	expectRefused[float64](t, `{"N":1}`, "v: not JSON at byte 10: expected the number in a string, found '1'")
	digits := "123456789012345678901234567890123456789"
	expectRefused[N](t, `{"N":"`+digits+`"}`, "v: the number "+digits+" has more than 38 digits")
	expectRefused[N](t, `{"N":"1E126"}`, "v: the number 1E126 is beyond what DynamoDB has")
	expectRefused[N](t, `{"N":"1E-131"}`, "v: the number 1E-131 is beyond what DynamoDB has")
	expectRead(t, `{"N":"9.9999999999999999999999999999999999999E+125"}`, N("9.9999999999999999999999999999999999999E+125"))
	expectRead(t, `{"N":"-1E-130"}`, N("-1E-130"))
}

func second[T any](_ T, err error) error { return err }

func TestSetsListsAndBinary(t *testing.T) {
	expectRead(t, `{"SS":["a","b"]}`, map[string]struct{}{"a": {}, "b": {}})
	expectRead(t, `{"SS":["a","b"]}`, map[string]bool{"a": true, "b": true})
	expectRead(t, `{"NS":["2","1"]}`, []uint16{2, 1})
	expectRead(t, `{"NS":["2","1"]}`, map[int]struct{}{1: {}, 2: {}})
	expectRead(t, `{"BS":["AQI="]}`, [][]byte{{1, 2}})
	expectRead(t, `{"B":"AQI="}`, []byte{1, 2})
	expectRead(t, `{"B":""}`, []byte{})
	expectRead(t, `{"B":"AQI="}`, [2]byte{1, 2})
	expectRead(t, `{"L":[{"N":"1"}]}`, []byte{1})
	expectRead(t, `{"L":[]}`, []string{})
	expectRead(t, `{"L":[{"S":"a"},{"N":"1"}]}`, []AttributeValue{S("a"), N("1")})
	expectRead(t, `{"L":[{"S":"a"},{"N":"1"}]}`, any(L{S("a"), N("1")}))
	expectRefused[[2]int](t, `{"NS":["1","2","3"]}`, "v: expected 2 elements, found 3")
	expectRefused[[3]byte](t, `{"B":"AQI="}`, "v: expected 3 elements, found 2")
	expectRefused[[]byte](t, `{"L":[{"N":"1"},{"N":"x"}]}`, `v[1]: "x" is not a decimal number`)
	expectRefused[[]byte](t, `{"S":"AQI="}`, "v: expected a list (L) or a set, found a string (S)")
	expectRefused[map[string]int](t, `{"SS":["a"]}`, "v: expected a map (M), found a string set (SS)")
	expectRefused[[]byte](t, `{"B":"A*=="}`, "v: not base64: illegal base64 data at input byte 1")
	expectRefused[[]byte](t, `{"B":"AR=="}`, "v: not base64: illegal base64 data at input byte 2")
	expectRefused[[]byte](t, `{"B":"AQ\n=="}`, "v: not base64: a line end at byte 2")
}

func TestASetInTheKeysOfAMap(t *testing.T) {
	found, err := read[map[*int]bool](`{"NS":["1","2"]}`)
	if err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
	expectRead(t, `{"SS":["a"]}`, map[any]bool{S("a"): true})
	expectRefused[map[any]bool](t, `{"BS":["AQ=="]}`, "v[0]: an element of a binary set (BS) cannot be a key of a map[interface {}]bool")
	expectRefused[map[AttributeValue]struct{}](t, `{"BS":["AQ=="]}`,
		"v[0]: an element of a binary set (BS) cannot be a key of a map[gristmill.AttributeValue]struct {}")
}

func TestTheTreesTypesTakeTheirOwnTypeAlone(t *testing.T) {
	expectRead(t, `{"S":"1"}`, S("1"))
	expectRead(t, `{"B":"AQI="}`, B{1, 2})
	expectRead(t, `{"BOOL":true}`, Bool(true))
	expectRead(t, `{"NULL":true}`, Null{})
	expectRead(t, `{"L":[{"N":"1"}]}`, L{N("1")})
	expectRead(t, `{"SS":["a"]}`, SS{"a"})
	expectRead(t, `{"NS":["1"]}`, NS{"1"})
	expectRead(t, `{"BS":["AQI="]}`, BS{{1, 2}})
	expectRead(t, `{"M":{"a":{"S":""}}}`, Item{"a": S("")})
	expectRead[L](t, `{"NULL":true}`, nil)
	expectRefused[S](t, `{"N":"1"}`, "v: expected a string (S), found a number (N)")
	expectRefused[N](t, `{"S":"1"}`, "v: expected a number (N), found a string (S)")
	expectRefused[B](t, `{"NS":["1"]}`, "v: expected binary (B), found a number set (NS)")
	expectRefused[L](t, `{"SS":["a"]}`, "v: expected a list (L), found a string set (SS)")
	expectRefused[SS](t, `{"NS":["1"]}`, "v: expected a string set (SS), found a number set (NS)")
	expectRefused[NS](t, `{"L":[{"N":"1"}]}`, "v: expected a number set (NS), found a list (L)")
	expectRefused[Null](t, `{"M":{}}`, "v: expected null (NULL), found a map (M)")
	expectRefused[Item](t, `{"S":""}`, "v: expected a map (M), found a string (S)")
}

func TestNullIsNilAndNothingElse(t *testing.T) {
	expectRead[*int](t, `{"NULL":true}`, nil)
	expectRead[[]int](t, `{"NULL":true}`, nil)
	expectRead[map[string]int](t, `{"NULL":true}`, nil)
	expectRead[any](t, `{"NULL":true}`, nil)
	expectRead[AttributeValue](t, `{"NULL":true}`, Null{})
	expectRead(t, `{"BOOL":false}`, false)
	expectRefused[int](t, `{"NULL":true}`, "v: expected a number (N), found null (NULL)")
	expectRefused[bool](t, `{"N":"1"}`, "v: expected a boolean (BOOL), found a number (N)")
	expectRefused[AttributeValue](t, `{"NULL":false}`, "v: not JSON at byte 13: expected true, which is what NULL holds, found 'f'")
	expectRefused[chan int](t, `{"N":"1"}`, "v: no attribute can be read into a chan int")
}

type text struct{ upper string }

func (u *text) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("empty")
	}
	u.upper = strings.ToUpper(string(text))
	return nil
}

type whole struct{ value AttributeValue }

func (w *whole) UnmarshalAttributeValue(value AttributeValue) error {
	w.value = value
	return nil
}

func TestTypesMayReadThemselves(t *testing.T) {
	expectRead(t, `{"S":"a"}`, text{"A"})
	expectRead(t, `{"S":"a"}`, &text{"A"})
	expectRead(t, `{"S":"192.0.2.1"}`, netip.MustParseAddr("192.0.2.1"))
	expectRead(t, `{"S":"2026-01-05T09:30:00Z"}`, time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC))
	expectRead(t, `{"SS":["a"]}`, whole{SS{"a"}})
	expectRead(t, `{"NULL":true}`, whole{Null{}})
	expectRead(t, `{"M":{"7":{"BOOL":true}}}`, map[uint8]bool{7: true})
	expectRead(t, `{"M":{"a":{"BOOL":true}}}`, map[text]bool{{"A"}: true})
	expectRefused[text](t, `{"S":""}`, "v: empty")
	expectRefused[time.Time](t, `{"BOOL":true}`, "v: expected a string (S) or a number (N), found a boolean (BOOL)")
	expectRefused[map[uint8]bool](t, `{"M":{"256":{"BOOL":true}}}`, "v.256: the number 256 does not fit in uint8")
}

type upper string

func (u *upper) UnmarshalText(text []byte) error {
	*u = upper(strings.ToUpper(string(text)))
	return nil
}

func TestATypesOwnWayGoesFirstInKeysToo(t *testing.T) {
	expectRead(t, `{"S":"a"}`, upper("A"))
	expectRead(t, `{"M":{"a":{"BOOL":true}}}`, map[upper]bool{"A": true})
	expectRead(t, `{"SS":["a"]}`, map[upper]bool{"A": true})
}

type choosy struct{}

var errChoosy = &ImageError{Message: "never"}

func (*choosy) UnmarshalAttributeValue(value AttributeValue) error {
	switch value := value.(type) {
	case N:
		return errChoosy
	case Item:
		return fmt.Errorf("inside: %w", Unmarshal(value.JSON(), &map[string]int{}))
	}
	return Rejectf("%w: %s", errors.ErrUnsupported, JSON(value))
}

func TestAnErrorFromElsewhereStaysWhatItIs(t *testing.T) {
	_, err := read[choosy](`{"S":"a"}`)
	var image *ImageError
	if !errors.As(err, &image) || image.Path() != "v" || !errors.Is(err, errors.ErrUnsupported) || !isReject(err) {
		t.Error(err)
	}
	_, err = read[uint8](`{"N":"256"}`)
	var number *NumberError
	if !errors.As(err, &number) || number.Text != "256" {
		t.Error(err)
	}
	expectRefused[choosy](t, `{"M":{"a":{"S":""}}}`, "v: inside: a: expected a number (N), found a string (S)")
	for range 2 {
		expectRefused[choosy](t, `{"N":"1"}`, "v: never")
	}
}

type base struct {
	ID   string `dynamodbav:"id"`
	Kind string
}

type order struct {
	base
	*Extra
	Total   int       `dynamodbav:"total,required"`
	At      time.Time `dynamodbav:"at,unixtime"`
	Next    *order    `dynamodbav:"next"`
	Rest    Item      `dynamodbav:"rest"`
	Skipped string    `dynamodbav:"-"`
	private string
}

type Extra struct{ Note string }

func TestStructsByTagAndName(t *testing.T) {
	var found order
	err := Unmarshal(`{"id":{"S":"1"},"KIND":{"S":"k"},"total":{"N":"3"},"at":{"N":"1550272599"},"note":{"S":"n"},
		"next":{"M":{"total":{"N":"4"}}},"rest":{"M":{"x":{"NS":["1"]}}},"Skipped":{"S":"x"},"private":{"S":"x"},"other":{"L":[]}}`, &found)
	expected := order{
		base: base{"1", "k"}, Extra: &Extra{"n"}, Total: 3, At: time.Unix(1550272599, 0).UTC(),
		Next: &order{Total: 4}, Rest: Item{"x": NS{"1"}},
	}
	if err != nil || !reflect.DeepEqual(found, expected) {
		t.Errorf("%+v, %v", found, err)
	}
	for text, problem := range map[string]string{
		`{}`:                                    "total: the attribute is missing",
		`{"total":{"N":"1"},"next":{"M":{}}}`:   "next.total: the attribute is missing",
		`{"total":{"N":"1"},"total":{"N":"1"}}`: "total: the attribute is there twice",
		`{"total":{"N":"1"},"kind":{"S":""},"KIND":{"S":""}}`:   "KIND: the attribute is there twice",
		`{"total":{"N":"1"},"at":{"S":"2026-01-05T09:30:00Z"}}`: "at: expected a number (N), found a string (S)",
		`{"total":{"N":"1"},"at":{"N":"-1"}}`:                   "at: the number -1 is no time in seconds",
		`{"total":{"S":"1"}}`:                                   "total: expected a number (N), found a string (S)",
	} {
		if err := Unmarshal(text, &order{}); err == nil || err.Error() != problem {
			t.Errorf("%s: %v", text, err)
		}
	}
	// The very name goes before another case of letters, whichever comes first.
	for _, text := range []string{`{"Note":{"S":"a"},"note":{"S":"b"}}`, `{"note":{"S":"b"},"Note":{"S":"a"}}`} {
		var extra Extra
		if err := Unmarshal(text, &extra); err != nil || extra.Note != "a" {
			t.Errorf("%s: %+v, %v", text, extra, err)
		}
	}
}

func TestATimeInSecondsMayBeAPointer(t *testing.T) {
	type event struct {
		At *time.Time `dynamodbav:"at,unixtime"`
	}
	var found event
	if err := Unmarshal(`{"at":{"N":"1550272599"}}`, &found); err != nil || found.At == nil || found.At.Unix() != 1550272599 {
		t.Error(found, err)
	}
	if err := Unmarshal(`{"at":{"NULL":true}}`, &found); err != nil || found.At != nil {
		t.Error(found, err)
	}
}

func TestATargetThatCannotBeIsAnError(t *testing.T) {
	var absent *order
	for _, target := range []any{nil, order{}, absent, 1} {
		if err := Unmarshal(`{}`, target); err == nil || !strings.Contains(err.Error(), "takes a pointer") {
			t.Errorf("%T: %v", target, err)
		}
	}
	var number int
	if err := Unmarshal(`{}`, &number); err == nil || err.Error() != "expected a number (N), found a map (M)" {
		t.Error(err)
	}
}

func TestWhatIsThereBeforeDoesNotShowThrough(t *testing.T) {
	type line struct{ A, B string }
	old := []line{{"a", "b"}, {"c", "d"}}
	found := struct{ V []line }{old}
	if err := Unmarshal(`{"V":{"L":[{"M":{"A":{"S":"x"}}}]}}`, &found); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(found.V, []line{{"x", ""}}) || old[0].A != "a" {
		t.Errorf("%v, %v", found, old)
	}
}
