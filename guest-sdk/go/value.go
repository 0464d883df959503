package gristmill

import (
	"bytes"
	"slices"
)

// An AttributeValue is the value of an attribute, without loss: one of [S], [N], [B], [Bool], [Null], [L], [M], [SS], [NS]
// and [BS], which have DynamoDB's names.
//
//	switch value := item["total"].(type) {
//	case gristmill.N:
//		cents, err := value.Int64()
//	case nil: // The item has no such attribute.
//	}
type AttributeValue interface {
	appendJSON(text []byte) []byte
}

type (
	// S is a string.
	S string
	// N is a number, as its decimal text: up to 38 digits survive, which no float has. [ParseN], [Int], [Uint] and [Float]
	// make one; a text that is put here directly is not checked.
	N string
	// B is binary.
	B []byte
	// Bool is true or false.
	Bool bool
	// Null is null, which is not the same as an absent attribute.
	Null struct{}
	// L is a list.
	L []AttributeValue
	// SS is a set of strings, in the order in which they came.
	SS []string
	// NS is a set of numbers, in the order in which they came.
	NS []N
	// BS is a set of byte strings, in the order in which they came.
	BS [][]byte
	// Item is an item, or a part of it: names and values.
	Item map[string]AttributeValue
	// M is a map.
	M = Item
)

// Equal tells whether two values are one to DynamoDB: 1, 1.0 and 1E0 are one number, sets and maps have no order, and lists
// have one. A nil value, an absent attribute, is equal to another such alone.
func Equal(a, b AttributeValue) bool {
	switch a := a.(type) {
	case N:
		b, ok := b.(N)
		return ok && (a == b || canonicalNumber(a) == canonicalNumber(b))
	case B:
		b, ok := b.(B)
		return ok && bytes.Equal(a, b)
	case SS:
		b, ok := b.(SS)
		return ok && sameElements(a, b, func(element string) string { return element })
	case NS:
		b, ok := b.(NS)
		return ok && sameElements(a, b, canonicalNumber)
	case BS:
		b, ok := b.(BS)
		return ok && sameElements(a, b, func(element []byte) string { return string(element) })
	case L:
		b, ok := b.(L)
		return ok && slices.EqualFunc(a, b, Equal)
	case Item:
		b, ok := b.(Item)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			if other, there := b[name]; !there || !Equal(value, other) {
				return false
			}
		}
		return true
	default:
		// What is left can be compared, and is nothing but text, a boolean, null or nil.
		switch b.(type) {
		case S, Bool, Null, nil:
			return a == b
		}
		return false
	}
}

func sameElements[T any, K comparable](a, b []T, key func(T) K) bool {
	if len(a) != len(b) {
		return false
	}
	counts := map[K]int{}
	for _, element := range a {
		counts[key(element)]++
	}
	for _, element := range b {
		k := key(element)
		if counts[k]--; counts[k] < 0 {
			return false
		}
	}
	return true
}
