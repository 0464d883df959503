package gristmill

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

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
