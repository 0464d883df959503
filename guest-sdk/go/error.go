package gristmill

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// An ImageError says why an image could not be read, and which attribute was in the way.
//
// Printed, it reads "new image: orders[3].price: expected a number (N), found a string (S)".
type ImageError struct {
	// Image is "keys", "new image" or "old image"; empty for a text from elsewhere.
	Image string
	// Message is what is wrong.
	Message string

	// steps lead from the attribute outwards: they are put together while the error is on its way out.
	steps []step
	// cause is the error that the message is of, when it came from elsewhere.
	cause error
}

// Unwrap gives a [*NumberError], or what a type's own UnmarshalText or UnmarshalAttributeValue returned; nil for what this
// package found itself.
func (e *ImageError) Unwrap() error { return e.cause }

// A step is an attribute's name, or an element's index when that is not negative.
type step struct {
	name  string
	index int
}

func imageErrorf(format string, arguments ...any) *ImageError {
	return &ImageError{Message: fmt.Sprintf(format, arguments...)}
}

// asImageError makes one of any error, so that it gets a path on its way out. One that is wrapped stays so: what is around
// it has something to say.
func asImageError(err error) *ImageError {
	if found, ok := err.(*ImageError); ok {
		return found
	}
	return &ImageError{Message: err.Error(), cause: err}
}

func inAttribute(err error, name string) error {
	found := asImageError(err)
	found.steps = append(found.steps, step{name: name, index: -1})
	return found
}

func inElement(err error, index int) error {
	found := asImageError(err)
	found.steps = append(found.steps, step{index: index})
	return found
}

func ofImage(err error, image string) error {
	found := asImageError(err)
	found.Image = image
	return found
}

// Path is that of the attribute that is wrong, for example "orders[3].price"; empty when it is the image as a whole.
func (e *ImageError) Path() string {
	var path strings.Builder
	for i := len(e.steps) - 1; i >= 0; i-- {
		switch step := e.steps[i]; {
		case step.index >= 0:
			path.WriteString("[" + strconv.Itoa(step.index) + "]")
		case isPlain(step.name):
			if path.Len() > 0 {
				path.WriteByte('.')
			}
			path.WriteString(step.name)
		default:
			path.WriteString("[" + strconv.Quote(step.name) + "]")
		}
	}
	return path.String()
}

// isPlain tells whether a name can stand in a path as it is.
func isPlain(name string) bool {
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsNumber(c) && c != '_' && c != '-' {
			return false
		}
	}
	return name != ""
}

func (e *ImageError) Error() string {
	text := e.Message
	if path := e.Path(); path != "" {
		text = path + ": " + text
	}
	if e.Image != "" {
		text = e.Image + ": " + text
	}
	return text
}
