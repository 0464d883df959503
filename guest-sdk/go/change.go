package gristmill

import (
	"fmt"
)

// What a record changed: the difference of its two images, by attribute. Values are compared by what they mean to DynamoDB
// and not by their text: see [Equal].

// A Change is what became of one attribute.
type Change struct {
	// Old is the value before the change; nil when the attribute is new.
	Old AttributeValue
	// New is the value after the change; nil when the attribute is gone.
	New AttributeValue
}

// String is for people: modified from {"N":"1"} to {"N":"2"}.
func (c Change) String() string {
	switch {
	case c.Old == nil:
		return "added " + JSON(c.New)
	case c.New == nil:
		return "removed " + JSON(c.Old)
	}
	return "modified from " + JSON(c.Old) + " to " + JSON(c.New)
}

// A MissingImageError says that it cannot be told what a record changed: the stream's view type keeps an image back, and
// must be NEW_AND_OLD_IMAGES. It will be missing the next time too, so [Reject] suits it.
type MissingImageError struct {
	// EventName is what happened to the item.
	EventName EventName
	// Image is "old image" or "new image".
	Image string
}

func (e *MissingImageError) Error() string {
	return fmt.Sprintf("the %s record has no %s, so what changed is not known; the stream's view type must be NEW_AND_OLD_IMAGES",
		e.EventName, e.Image)
}

// Changed tells whether an attribute of the item differs between the old image and the new one.
//
// Values are compared by what they mean, as [Equal] does. An attribute that is in one image alone has changed, also when the
// value there is null. Of an insert every attribute of the new image has changed, of a removal every one of the old image.
// An attribute that is in neither image has not.
//
// The value of this attribute alone is read, and only when its two texts differ; what was not read is not checked. For
// several attributes, [Record.Changes] passes over the images once.
//
// The error is a [*MissingImageError], also for keys, or an [*ImageError].
func (r *Record) Changed(attribute string) (bool, error) {
	oldImage, newImage, err := r.images()
	if err != nil {
		return false, err
	}
	before, wasThere, err := find(oldImage, attribute)
	if err != nil {
		return false, ofImage(err, oldImageName)
	}
	after, isThere, err := find(newImage, attribute)
	if err != nil {
		return false, ofImage(err, newImageName)
	}
	if !wasThere || !isThere {
		return wasThere != isThere, nil
	}
	_, changed, err := modified(attribute, before, after)
	return changed, err
}

// Changes gives the attributes of the item that differ between the old image and the new one, by name, with their values.
//
// What differs is what [Record.Changed] says. Attributes of the item itself: a map of which one element changed is one
// change, with the whole map before and after. Of the values, those are read whose texts differ.
func (r *Record) Changes() (map[string]Change, error) {
	oldImage, newImage, err := r.images()
	if err != nil {
		return nil, err
	}
	before, err := attributes(oldImage)
	if err != nil {
		return nil, ofImage(err, oldImageName)
	}
	after, err := attributes(newImage)
	if err != nil {
		return nil, ofImage(err, newImageName)
	}
	changes := map[string]Change{}
	for name, text := range after {
		oldText, wasThere := before[name]
		if wasThere {
			change, changed, err := modified(name, oldText, text)
			if err != nil {
				return nil, err
			}
			if changed {
				changes[name] = change
			}
			continue
		}
		value, err := attributeOf(name, text, newImageName)
		if err != nil {
			return nil, err
		}
		changes[name] = Change{New: value}
	}
	for name, text := range before {
		if _, isThere := after[name]; isThere {
			continue
		}
		value, err := attributeOf(name, text, oldImageName)
		if err != nil {
			return nil, err
		}
		changes[name] = Change{Old: value}
	}
	return changes, nil
}

// images gives both. One that is absent because there was no item stands for an item without attributes. The event's name
// tells that from an image that the view type keeps back, which stands for nothing: to take it for empty would make
// everything changed, and to take it for the other image nothing.
func (r *Record) images() (oldImage, newImage string, err error) {
	eventName := r.EventName()
	oldImage, ok := r.OldImageJSON()
	if !ok {
		if eventName != Insert {
			return "", "", &MissingImageError{eventName, oldImageName}
		}
		oldImage = "{}"
	}
	newImage, ok = r.NewImageJSON()
	if !ok {
		if eventName != Remove {
			return "", "", &MissingImageError{eventName, newImageName}
		}
		newImage = "{}"
	}
	return oldImage, newImage, nil
}

// eachAttribute shows each attribute of an image, its name and the text of its value, and checks nothing of the value.
func eachAttribute(image string, see func(name, text string) error) error {
	return eachMember(image, levelsBelow(1), see)
}

// find gives the text of one attribute's value. To the end, since what is there twice is not known before.
func find(image, attribute string) (found string, ok bool, err error) {
	err = eachAttribute(image, func(name, text string) error {
		if name != attribute {
			return nil
		}
		if ok {
			return twice(name)
		}
		found, ok = text, true
		return nil
	})
	return found, ok, err
}

func attributes(image string) (map[string]string, error) {
	all := map[string]string{}
	err := eachAttribute(image, func(name, text string) error {
		if _, there := all[name]; there {
			return twice(name)
		}
		all[name] = text
		return nil
	})
	return all, err
}

func attributeOf(name, text, image string) (AttributeValue, error) {
	value, err := parseValue(text)
	if err != nil {
		return nil, ofImage(inAttribute(err, name), image)
	}
	return value, nil
}

// modified is for an attribute that both images have. Nearly always the texts are the same.
func modified(name, before, after string) (change Change, changed bool, err error) {
	if before == after {
		return Change{}, false, nil
	}
	if change.Old, err = attributeOf(name, before, oldImageName); err != nil {
		return Change{}, false, err
	}
	if change.New, err = attributeOf(name, after, newImageName); err != nil {
		return Change{}, false, err
	}
	return change, !Equal(change.Old, change.New), nil
}
