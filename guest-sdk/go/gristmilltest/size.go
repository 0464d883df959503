package gristmilltest

import (
	"strings"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
)

// itemSize is that of names and values in bytes, as a stream's SizeBytes counts them.
func itemSize(item gristmill.Item) int {
	size := 0
	for name, value := range item {
		size += len(name) + valueSize(value)
	}
	return size
}

// valueSize is in bytes. S, B, BOOL and a short N are as captured from AWS; the rest is as DynamoDB's guide has the size of
// an item, which no capture confirms for a stream.
func valueSize(value gristmill.AttributeValue) int {
	// Of a list or map, whatever is in it; each element adds one.
	const overhead = 3
	size := 0
	switch value := value.(type) {
	case gristmill.S:
		size = len(value)
	case gristmill.N:
		size = numberSize(value)
	case gristmill.B:
		size = len(value)
	case gristmill.SS:
		for _, element := range value {
			size += len(element)
		}
	case gristmill.NS:
		for _, element := range value {
			size += numberSize(element)
		}
	case gristmill.BS:
		for _, element := range value {
			size += len(element)
		}
	case gristmill.Item:
		size = overhead + len(value) + itemSize(value)
	case gristmill.L:
		size = overhead
		for _, element := range value {
			size += 1 + valueSize(element)
		}
	default:
		size = 1
	}
	return size
}

// numberSize is a byte for every two significant digits, one more, and one for a sign.
func numberSize(number gristmill.N) int {
	text := strings.ToLower(string(number))
	mantissa, _, _ := strings.Cut(text, "e")
	unsigned := strings.TrimLeft(mantissa, "+-")
	digits := strings.Trim(strings.Replace(unsigned, ".", "", 1), "0")
	size := (len(digits)+1)/2 + 1
	if strings.HasPrefix(mantissa, "-") && digits != "" {
		size++
	}
	return size
}
