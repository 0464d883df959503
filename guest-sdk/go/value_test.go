package gristmill

import (
	"encoding/json"
	"strings"
	"testing"
)

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

func TestAnAbsentItemIsNullToEncodingJSON(t *testing.T) {
	var items struct{ Absent, Empty Item }
	if err := json.Unmarshal([]byte(`{"Absent":null,"Empty":{}}`), &items); err != nil || items.Absent != nil || items.Empty == nil {
		t.Errorf("%#v, %v", items, err)
	}
	if text, err := json.Marshal(items); err != nil || string(text) != `{"Absent":null,"Empty":{}}` {
		t.Errorf("%s, %v", text, err)
	}
	err := json.Unmarshal([]byte(`{"a":{"S":1}}`), &items.Empty)
	if err == nil || !strings.Contains(err.Error(), "a: not JSON") {
		t.Error(err)
	}
}
