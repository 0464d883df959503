package gristmill

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// DynamoDB's numbers: decimal text, never rounded on the way. A number stays the text that it came as until a caller asks
// for a type of its own, and what does not fit in that type is an error.

const (
	// maxDigits is how many significant digits DynamoDB keeps.
	maxDigits = 38
	// The exponents of the first significant digit, from 1E-130 to 9.99…E+125.
	minExponent, maxExponent = -130, 125
)

// A NumberError says why a text is no number, or a number does not fit.
type NumberError struct {
	// Text is the number.
	Text string
	// Problem is what is wrong with it.
	Problem string
}

func (e *NumberError) Error() string {
	// A text that is no number may hold anything, and any amount of it.
	if e.Problem == notDecimal {
		return fmt.Sprintf("%q %s", start(e.Text, 48), e.Problem)
	}
	return fmt.Sprintf("the number %s %s", start(e.Text, 48), e.Problem)
}

const (
	notDecimal    = "is not a decimal number"
	tooManyDigits = "has more than 38 digits"
	outOfRange    = "is beyond what DynamoDB has"
)

// ParseN checks that a text is a number that DynamoDB has, and keeps it as it is.
//
// An optional sign, digits with at most one point, an optional exponent; no more than 38 significant digits, from 1E-130 to
// 9.99…E+125. The error is a [*NumberError].
func ParseN(text string) (N, error) {
	if err := checkNumber(text); err != nil {
		return "", err
	}
	return N(text), nil
}

// Int makes a number of an integer.
func Int[T ~int | ~int8 | ~int16 | ~int32 | ~int64](integer T) N {
	return N(strconv.FormatInt(int64(integer), 10))
}

// Uint makes a number of an integer.
func Uint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](integer T) N {
	return N(strconv.FormatUint(uint64(integer), 10))
}

// Float makes a number of a float: the shortest text that gives the same float back. An error for what is not a number, is
// infinite, or is beyond the magnitudes that DynamoDB has.
func Float(float float64) (N, error) {
	return ParseN(strconv.FormatFloat(float, 'g', -1, 64))
}

// Int64 is the number as an integer: exactly, or an error. 1E2 is 100, and 1.5 is none.
func (n N) Int64() (int64, error) { return toInt(string(n), 64, reflect.TypeFor[int64]()) }

// Uint64 is the number as an integer: exactly, or an error.
func (n N) Uint64() (uint64, error) { return toUint(string(n), 64, reflect.TypeFor[uint64]()) }

// Float64 is the nearest float. Every number that DynamoDB allows is in range; digits beyond the 17th or so are rounded. Not
// a number when the text is none.
func (n N) Float64() float64 {
	if checkNumber(string(n)) != nil {
		return math.NaN()
	}
	float, _ := strconv.ParseFloat(string(n), 64)
	return float
}

// A decimal has the parts of a decimal text, already checked: whole.fraction times ten to the exponent.
type decimal struct {
	negative        bool
	whole, fraction string
	exponent        int
}

func parseDecimal(text string) (d decimal, ok bool) {
	rest := text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		d.negative = rest[0] == '-'
		rest = rest[1:]
	}
	if at := strings.IndexAny(rest, "eE"); at >= 0 {
		if d.exponent, ok = parseExponent(rest[at+1:]); !ok {
			return decimal{}, false
		}
		rest = rest[:at]
	}
	d.whole, d.fraction, _ = strings.Cut(rest, ".")
	if !isDigits(d.whole) || !isDigits(d.fraction) || len(d.whole)+len(d.fraction) == 0 {
		return decimal{}, false
	}
	return d, true
}

// parseExponent takes an exponent of any length; what is beyond a million is a million, and out of every range.
func parseExponent(text string) (exponent int, ok bool) {
	sign := 1
	if text != "" && (text[0] == '-' || text[0] == '+') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	if text == "" || !isDigits(text) {
		return 0, false
	}
	for i := range len(text) {
		exponent = min(exponent*10+int(text[i]-'0'), 1_000_000)
	}
	return sign * exponent, true
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// significant gives the digits from the first to the last that is not zero, and the exponent of the last. Empty for zero.
func (d decimal) significant() (digits string, exponent int) {
	digits = d.whole + d.fraction
	exponent = d.exponent - len(d.fraction)
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	return strings.TrimLeft(trimmed, "0"), exponent
}

// canonical is one form for all texts of a number, so that 1, 1.0 and 1E0 are equal.
type canonical struct {
	digits   string
	exponent int
	negative bool
}

func canonicalNumber(n N) canonical {
	d, ok := parseDecimal(string(n))
	if !ok {
		// Made by hand, unchecked: equal to itself alone.
		return canonical{digits: "?" + string(n)}
	}
	digits, exponent := d.significant()
	if digits == "" {
		return canonical{}
	}
	return canonical{digits, exponent, d.negative}
}

// isShort tells whether a text is so plain a number that it needs no further look: not too long, and without an exponent, so
// that it is in range too.
func isShort(text string) bool {
	if text != "" && text[0] == '-' {
		text = text[1:]
	}
	if len(text) == 0 || len(text) > maxDigits {
		return false
	}
	digits := 0
	for i := range len(text) {
		if b := text[i]; '0' <= b && b <= '9' {
			digits++
		} else if b != '.' || digits != i {
			// Neither a digit nor the first point.
			return false
		}
	}
	return digits > 0
}

// checkNumber checks that a text is a number that DynamoDB has.
func checkNumber(text string) error {
	// Nearly every number is a short run of digits, perhaps with a sign and a point.
	if isShort(text) {
		return nil
	}
	d, ok := parseDecimal(text)
	if !ok {
		return &NumberError{text, notDecimal}
	}
	digits, exponent := d.significant()
	if digits == "" {
		return nil
	}
	if len(digits) > maxDigits {
		return &NumberError{text, tooManyDigits}
	}
	if first := exponent + len(digits) - 1; first < minExponent || first > maxExponent {
		return &NumberError{text, outOfRange}
	}
	return nil
}

// magnitude gives the number without its sign: an integer below 2^64, or an error.
func magnitude(text string, target fmt.Stringer) (negative bool, magnitude uint64, err error) {
	if err := checkNumber(text); err != nil {
		return false, 0, err
	}
	d, _ := parseDecimal(text)
	digits, exponent := d.significant()
	if exponent < 0 && digits != "" {
		return false, 0, &NumberError{text, "has a fraction, and " + target.String() + " has none"}
	}
	if digits == "" {
		return false, 0, nil
	}
	if len(digits)+exponent <= 20 {
		magnitude, err = strconv.ParseUint(digits+strings.Repeat("0", exponent), 10, 64)
		if err == nil {
			return d.negative, magnitude, nil
		}
	}
	return false, 0, &NumberError{text, "does not fit in " + target.String()}
}

// toInt is the integer that a decimal text stands for: 100, 1E2 and 100.0 are all one hundred.
func toInt(text string, bits int, target fmt.Stringer) (int64, error) {
	// Digits alone, which is what nearly every number is.
	if integer, err := strconv.ParseInt(text, 10, bits); err == nil {
		return integer, nil
	}
	negative, size, err := magnitude(text, target)
	if err != nil {
		return 0, err
	}
	limit := uint64(1) << (bits - 1)
	switch {
	case negative && size <= limit:
		// One below zero more than above it: the lowest value has no positive counterpart.
		return -int64(size), nil
	case !negative && size < limit:
		return int64(size), nil
	}
	return 0, &NumberError{text, "does not fit in " + target.String()}
}

func toUint(text string, bits int, target fmt.Stringer) (uint64, error) {
	if integer, err := strconv.ParseUint(text, 10, bits); err == nil {
		return integer, nil
	}
	negative, size, err := magnitude(text, target)
	if err != nil {
		return 0, err
	}
	if negative && size != 0 || bits < 64 && size>>bits != 0 {
		return 0, &NumberError{text, "does not fit in " + target.String()}
	}
	return size, nil
}

func toFloat(text string, bits int, target fmt.Stringer) (float64, error) {
	if err := checkNumber(text); err != nil {
		return 0, err
	}
	float, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return 0, &NumberError{text, "does not fit in " + target.String()}
	}
	return float, nil
}

// secondsToMS gives seconds as milliseconds, cut off below. Not ok for what is negative or does not fit.
func secondsToMS(text string) (ms uint64, ok bool) {
	if checkNumber(text) != nil {
		return 0, false
	}
	d, _ := parseDecimal(text)
	digits, exponent := d.significant()
	if digits == "" {
		return 0, true
	}
	exponent += 3
	if exponent < 0 {
		digits = digits[:max(0, len(digits)+exponent)]
		exponent = 0
	}
	if digits == "" {
		return 0, true
	}
	if d.negative || len(digits)+exponent > 20 {
		return 0, false
	}
	ms, err := strconv.ParseUint(digits+strings.Repeat("0", exponent), 10, 64)
	return ms, err == nil
}
