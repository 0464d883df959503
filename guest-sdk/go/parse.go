package gristmill

// DynamoDB JSON to the tree of values.

// ParseItem reads the tree of an image, or of keys, from its DynamoDB JSON: {"id":{"S":"1"}, …}.
//
// The error, an [*ImageError], says which attribute is wrong: the text is not DynamoDB JSON, has a name twice, or is nested
// deeper than 64 levels.
func ParseItem(text string) (Item, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	return parseItem(text)
}

// parseItem takes a text that is UTF-8.
func parseItem(text string) (Item, error) { return readWhole(text, readMap) }

// ParseValue reads one value from its DynamoDB JSON: {"S":"text"}. See [ParseItem].
func ParseValue(text string) (AttributeValue, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	return parseValue(text)
}

func parseValue(text string) (AttributeValue, error) { return readWhole(text, readValue) }

// readWhole reads a text to its end.
func readWhole[T any](text string, read func(*scanner) (T, error)) (T, error) {
	s := scanner{text: text}
	value, err := read(&s)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		var none T
		return none, err
	}
	return value, nil
}

// readValue reads one level of the tree.
func readValue(s *scanner) (AttributeValue, error) {
	found, err := s.open()
	if err != nil {
		return nil, err
	}
	value, err := readTagged(s, found)
	if err != nil {
		return nil, err
	}
	return value, s.close()
}

// readTagged reads what follows the type.
func readTagged(s *scanner, found tag) (AttributeValue, error) {
	switch found {
	case tagS:
		text, err := s.string()
		return S(text), err
	case tagN:
		number, err := readNumber(s)
		return number, err
	case tagB:
		bytes, err := s.binary()
		return B(bytes), err
	case tagSS:
		set, err := readList(s, (*scanner).string)
		return SS(set), err
	case tagNS:
		set, err := readList(s, readNumber)
		return NS(set), err
	case tagBS:
		set, err := readList(s, (*scanner).binary)
		return BS(set), err
	case tagM:
		return readMap(s)
	case tagL:
		list, err := readList(s, readValue)
		return L(list), err
	case tagBool:
		boolean, err := s.boolean()
		return Bool(boolean), err
	default:
		return Null{}, s.null()
	}
}

func readNumber(s *scanner) (N, error) {
	text, err := s.checkedNumber()
	return N(text), err
}

// readList is never nil, so that an empty list is one.
func readList[T any](s *scanner, read func(*scanner) (T, error)) ([]T, error) {
	if err := s.enter('['); err != nil {
		return nil, err
	}
	list := []T{}
	for {
		more, err := s.next(len(list) == 0, ']')
		if err != nil {
			return nil, err
		}
		if !more {
			s.leave()
			return list, nil
		}
		element, err := read(s)
		if err != nil {
			return nil, inElement(err, len(list))
		}
		list = append(list, element)
	}
}

func readMap(s *scanner) (Item, error) {
	if err := s.enter('{'); err != nil {
		return nil, err
	}
	item := Item{}
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil {
			return nil, err
		}
		if !more {
			s.leave()
			return item, nil
		}
		name, err := s.name()
		if err != nil {
			return nil, err
		}
		value, err := readValue(s)
		if err != nil {
			return nil, inAttribute(err, name)
		}
		before := len(item)
		if item[name] = value; len(item) == before {
			return nil, twice(name)
		}
	}
}

func twice(name string) error {
	return inAttribute(imageErrorf("the attribute is there twice"), name)
}
