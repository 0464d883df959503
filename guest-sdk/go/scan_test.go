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

// ways are all ways into the reader. Each is to give an error for a hostile text, and none may panic.
func ways(text string) []error {
	type known struct {
		Known *order         `dynamodbav:"known"`
		V     AttributeValue `dynamodbav:"v"`
	}
	_ = Unmarshal(text, &known{})
	_ = Unmarshal(text, &struct{}{})
	_, err := ParseItem(text)
	return []error{err, Unmarshal(text, &map[string]AttributeValue{}), Unmarshal(text, &Item{}), Unmarshal(text, &map[string]any{})}
}

func TestHostileTextsAreErrors(t *testing.T) {
	for _, text := range []string{
		"", " ", "{", "[]", "null", "1", `"x"`, `{"v"}`, `{"v":}`, `{"v":1}`, `{"v":null}`, `{"v":"x"}`, `{"v":[]}`, `{"v":{}}`,
		`{"v":{"S"}}`, `{"v":{"S":}}`, `{"v":{"S":1}}`, `{"v":{"S":null}}`, `{"v":{"S":"a"}`, `{"v":{"S":"a"},}`,
		`{"v":{"S":"a",}}`, `{,"v":{"S":"a"}}`, `{"v":{"S":"a"}} x`, `{"v":{"S":"a"}}{}`, `{"v":{"S":"a","N":"1"}}`,
		`{"v":{"S":"a","S":"b"}}`, `{"v":{"X":"a"}}`, `{"v":{"s":"a"}}`, `{"v":{"S":"a"},"v":{"S":"b"}}`,
		`{"v":{"S":"a"},"\u0076":{"S":"b"}}`, `{"v":{"M":{"a":{"S":""},"a":{"S":""}}}}`, `{"v":{"S":"\ud800"}}`,
		`{"v":{"S":"\udc00"}}`, `{"v":{"S":"\ud800\ud800"}}`, `{"v":{"S":"\ud800x"}}`, `{"v":{"S":"\ud800\u"}}`,
		`{"v":{"S":"\ud800\ue000"}}`, `{"v":{"S":"\u12"}}`, `{"v":{"S":"\u+123"}}`, `{"v":{"S":"\uéé"}}`, `{"v":{"S":"\x"}}`,
		`{"v":{"S":"\é"}}`, `{"v":{"S":"\`, "{\"v\":{\"S\":\"a\x00\"}}", "{\"v\":{\"S\":\"a\n\"}}", "{\"v\x00\":{\"S\":\"a\"}}",
		`{"v":{"BOOL":"true"}}`, `{"v":{"BOOL":tru}}`, `{"v":{"NULL":false}}`, `{"v":{"SS":["a",]}}`, `{"v":{"SS":[{"S":"a"}]}}`,
		`{"v":{"SS":{}}}`, `{"v":{"NS":[1]}}`, `{"v":{"L":["a"]}}`, `{"v":{"L":[{"S":"a"}}}`, `{"v":{"M":[]}}`,
		`{"v":{"B":"%%%"}}`, `{"v":{"N":"1e99999999999999999999"}}`, "{\"v\":{\"S\":\"\xff\"}}", "\x00", "{\"v\":\x00", "{\"v\":{\"S\":\"a\"}}\x00",
		`{"x":` + strings.Repeat("[", 1_000_000), `{"v":{"N":"` + strings.Repeat("9", 1_000_000) + `"}}`,
	} {
		for way, err := range ways(text) {
			var image *ImageError
			if !errors.As(err, &image) {
				t.Errorf("way %d, %.100q: %v", way, text, err)
			}
		}
	}
}

const mixed = `{"a":{"S":"x\u00e9é"},"b":{"L":[{"N":"1"},{"BOOL":true}]},"c":{"M":{"d":{"NULL":true}}},"e":{"BS":["AQ=="]}}`

func TestEveryTruncationIsAnError(t *testing.T) {
	for end := range len(mixed) {
		for way, err := range ways(mixed[:end]) {
			if err == nil {
				t.Errorf("way %d took %s", way, mixed[:end])
			}
		}
	}
}

func FuzzParseItem(f *testing.F) {
	f.Add(mixed)
	f.Add(` { "a" : { "NS" : [ "1.50" , "-0" ] } } `)
	f.Fuzz(func(t *testing.T, text string) {
		item, err := ParseItem(text)
		errs := ways(text)
		if (errs[2] == nil) != (err == nil) || (errs[1] == nil) != (err == nil) {
			t.Fatalf("%q: %v, and %v", text, err, errs)
		}
		if err != nil {
			return
		}
		again, err := ParseItem(item.JSON())
		if err != nil || !reflect.DeepEqual(item, again) || !Equal(item, again) {
			t.Fatalf("%q: %v, then %v, %v", text, item, again, err)
		}
	})
}

// nested is an image whose only attribute is nested so that the image has this many levels, itself included.
func nested(levels int, open, end string) string {
	return `{"known":` + strings.Repeat(open, levels-1) + `{"NULL":true}` + strings.Repeat(end, levels-1) + "}"
}

func TestNestingIsBounded(t *testing.T) {
	for open, end := range map[string]string{`{"L":[`: "]}", `{"M":{"known":`: "}}"} {
		for way, err := range ways(nested(maxDepth, open, end)) {
			if err != nil {
				t.Errorf("way %d, %s: %v", way, open, err)
			}
		}
		for _, levels := range []int{maxDepth + 1, 100_000} {
			for way, err := range ways(nested(levels, open, end)) {
				if err == nil || !strings.HasSuffix(err.Error(), "nested deeper than 64 levels") {
					t.Errorf("way %d, %d %s: %.200v", way, levels, open, err)
				}
			}
			if err := Unmarshal(nested(levels, open, end), &struct{}{}); err == nil {
				t.Errorf("%d %s was passed over", levels, open)
			}
		}
	}
}

func TestWhiteSpaceMayBeAnywhere(t *testing.T) {
	item, err := ParseItem("\n{ \"a\" : { \"L\" : [ { \"N\" : \"1\" } , { \"BOOL\" : true } ] } , \"b\":{\"M\":{ }} }\t\r\n")
	if err != nil || item.JSON() != `{"a":{"L":[{"N":"1"},{"BOOL":true}]},"b":{"M":{}}}` {
		t.Error(item, err)
	}
}

func TestPathsNameOddAttributesUnmistakably(t *testing.T) {
	err := Unmarshal(`{"a.b":{"M":{"c\n":{"S":""}}}}`, &map[string]map[string]int{})
	var image *ImageError
	if !errors.As(err, &image) || image.Path() != `["a.b"]["c\n"]` {
		t.Error(err)
	}
	_, err = ParseItem(`{"a":{"L":[{"M":{"b":{"N":"x"}}}]}}`)
	if fmt.Sprint(err) != `a[0].b: "x" is not a decimal number` {
		t.Error(err)
	}
}

func TestTheTreeIsLossless(t *testing.T) {
	for _, text := range []string{
		`{"n":{"N":"1.50"},"o":{"N":"-0"},"p":{"N":"1E-130"}}`,
		`{"l":{"L":[{"SS":["b","a"]},{"NS":["2","1"]},{"BS":["AQ==",""]},{"B":""},{"NULL":true},{"BOOL":false},{"M":{}},{"L":[]}]}}`,
		`{"":{"S":""},"e":{"S":"\u0000\u001f\"\\\n\r\t/` + "\u007f\u2028😀" + `"}}`,
		`{"s":{"S":"` + strings.Repeat("x", 1_000_000) + `"}}`,
	} {
		item, err := ParseItem(text)
		if err != nil {
			t.Errorf("%.100s: %v", text, err)
		} else if again := item.JSON(); again != text {
			t.Errorf("%.200s became %.200s", text, again)
		}
	}
}

func TestEqualIsByMeaning(t *testing.T) {
	value := func(text string) AttributeValue {
		value, err := ParseValue(text)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	for _, same := range [][2]string{
		{`{"N":"1"}`, `{"N":"1.0"}`}, {`{"N":"100"}`, `{"N":"1E2"}`}, {`{"N":"0"}`, `{"N":"-0.0"}`},
		{`{"SS":["a","b"]}`, `{"SS":["b","a"]}`}, {`{"NS":["1","2"]}`, `{"NS":["2.0","1"]}`}, {`{"BS":["AQ==","Ag=="]}`, `{"BS":["Ag==","AQ=="]}`},
		{`{"M":{"a":{"N":"1"},"b":{"L":[]}}}`, `{"M":{"b":{"L":[]},"a":{"N":"1.0"}}}`}, {`{"NULL":true}`, `{"NULL":true}`}, {`{"B":"AQ=="}`, `{"B":"AQ=="}`},
	} {
		if !Equal(value(same[0]), value(same[1])) {
			t.Errorf("%v differ", same)
		}
	}
	for _, other := range [][2]string{
		{`{"N":"1"}`, `{"S":"1"}`}, {`{"SS":["a","a"]}`, `{"SS":["b","a"]}`}, {`{"L":[{"S":"a"},{"S":"b"}]}`, `{"L":[{"S":"b"},{"S":"a"}]}`},
		{`{"SS":["1"]}`, `{"NS":["1"]}`}, {`{"M":{"a":{"N":"1"}}}`, `{"M":{"b":{"N":"1"}}}`}, {`{"BOOL":true}`, `{"BOOL":false}`}, {`{"NULL":true}`, `{"BOOL":true}`},
		{`{"S":"a"}`, `{"M":{}}`}, {`{"N":"1"}`, `{"N":"-1"}`},
	} {
		if Equal(value(other[0]), value(other[1])) || Equal(value(other[1]), value(other[0])) {
			t.Errorf("%v are equal", other)
		}
	}
	if !Equal(nil, nil) || Equal(nil, Null{}) || Equal(Null{}, nil) || Equal(nil, SS{}) {
		t.Error("an absent value")
	}
}

func TestFloatsGoBothWays(t *testing.T) {
	for _, float := range []float64{0, 1.5, -0.1, 1e100, 1e-100, 123456789, 0.30000000000000004, 5e20, 1e-7} {
		number, err := Float(float)
		if err != nil || number.Float64() != float {
			t.Errorf("%v became %v, %v", float, number, err)
		}
	}
	zero := 0.0
	for _, float := range []float64{zero / zero, 1 / zero, 1e300} {
		if number, err := Float(float); err == nil {
			t.Errorf("%v became %v", float, number)
		}
	}
}

func TestSecondsMayCarryAFractionAndAnExponent(t *testing.T) {
	for text, expected := range map[string]uint64{
		"1550272599": 1_550_272_599_000, "1.550272599E9": 1_550_272_599_000, "1479499740.9999": 1_479_499_740_999, "0.0001": 0, "0": 0,
	} {
		if ms, ok := secondsToMS(text); !ok || ms != expected {
			t.Errorf("%s: %d, %v", text, ms, ok)
		}
	}
	for _, text := range []string{"-1", "1e30", "x", ""} {
		if ms, ok := secondsToMS(text); ok {
			t.Errorf("%s: %d", text, ms)
		}
	}
}
