package gristmilltest

import (
	"fmt"
	"strconv"

	gristmill "github.com/gristmill/gristmill/guest-sdk/go"
)

// Value makes an attribute's value of what Go has: a string, an integer, a float, a bool, []byte, nil (null), []any,
// map[string]any, or a gristmill.AttributeValue as it is. It panics at anything else.
func Value(value any) gristmill.AttributeValue {
	switch value := value.(type) {
	case nil:
		return gristmill.Null{}
	case gristmill.AttributeValue:
		return value
	case string:
		return gristmill.S(value)
	case bool:
		return gristmill.Bool(value)
	case []byte:
		return gristmill.B(value)
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return gristmill.N(fmt.Sprint(value))
	case float32:
		// Its own shortest text: that of the float64 has digits which nobody wrote.
		return checked(gristmill.ParseN(strconv.FormatFloat(float64(value), 'g', -1, 32)))
	case float64:
		return checked(gristmill.Float(value))
	case []any:
		list := gristmill.L{}
		for _, element := range value {
			list = append(list, Value(element))
		}
		return list
	case map[string]any:
		item := gristmill.Item{}
		for name, value := range value {
			item[name] = Value(value)
		}
		return item
	}
	panic(fmt.Sprintf("no attribute's value can be made of a %T; a set says which it is: gristmill.SS{…}", value))
}

func checked(number gristmill.N, err error) gristmill.N {
	if err != nil {
		panic(err)
	}
	return number
}
