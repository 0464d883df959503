// What a record changed: the difference of its two images, by attribute.
//
// Values are compared by what they mean to DynamoDB and not by their text: a number by its value, a set in any order, a
// map in any order of names.

import { ofImage, placed } from './error.js';
import { canonical } from './number.js';
import { attributeOf, attributeToJson, fromAttribute } from './value.js';

/** An image that the stream does not carry, so that it cannot be told what a record changed. */
export class ChangeError extends Error {
  constructor(eventName, image) {
    super(
      `the ${eventName} record has no ${image} image, so what changed is not known; the stream's view type must be ` +
        'NEW_AND_OLD_IMAGES',
    );
  }
}
Object.defineProperty(ChangeError.prototype, 'name', { value: 'ChangeError', configurable: true, writable: true });

/** What became of one attribute. */
export class Change {
  /** The attribute's name. */
  attribute;
  /** `added`, `removed` or `modified`. */
  kind;
  /** The value before the change, without loss; undefined when there was none. */
  oldAttribute;
  /** The value after the change, without loss; undefined when there is none. */
  newAttribute;

  constructor(attribute, oldAttribute, newAttribute) {
    this.attribute = attribute;
    this.kind = oldAttribute === undefined ? 'added' : newAttribute === undefined ? 'removed' : 'modified';
    this.oldAttribute = oldAttribute;
    this.newAttribute = newAttribute;
  }

  /** The value before the change, as `oldImage()` gives it. */
  get old() {
    return this.oldAttribute === undefined ? undefined : plain('old image', this.attribute, this.oldAttribute);
  }

  /** The value after the change, as `newImage()` gives it. */
  get new() {
    return this.newAttribute === undefined ? undefined : plain('new image', this.attribute, this.newAttribute);
  }

  /** For people: `modified from {"N":"1"} to {"N":"2"}`. */
  toString() {
    const [before, after] = [this.oldAttribute, this.newAttribute].map((value) => value && attributeToJson(value));
    if (this.kind === 'added') return `added ${after}`;
    if (this.kind === 'removed') return `removed ${before}`;
    return `modified from ${before} to ${after}`;
  }
}

function plain(image, attribute, value) {
  return inAttribute(image, attribute, () => fromAttribute(value));
}

function inAttribute(image, attribute, read) {
  return ofImage(image, () => {
    try {
      return read();
    } catch (error) {
      throw placed(error, attribute);
    }
  });
}

/** The change of one attribute; undefined when there is none. */
function changeOf(name, before, after) {
  // Nearly always what did not change is spelled as it was.
  if (Object.hasOwn(before, name) && Object.hasOwn(after, name) && isSpelledSame(before[name], after[name])) {
    return undefined;
  }
  const value = (image, item) => {
    if (!Object.hasOwn(item, name)) return undefined;
    return inAttribute(image, name, () => attributeOf(item[name]));
  };
  const was = value('old image', before);
  const is = value('new image', after);
  if (was === undefined && is === undefined) return undefined;
  if (was !== undefined && is !== undefined && isSame(was, is)) return undefined;
  return new Change(name, was, is);
}

export function changed({ before, after }, name) {
  return changeOf(name, before, after) !== undefined;
}

export function changes({ before, after }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.map((name) => changeOf(name, before, after)).filter((change) => change !== undefined);
}

/** Whether two parsed JSON values are the same but for the order of names. */
function isSpelledSame(a, b) {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((element, index) => isSpelledSame(element, b[index]));
  }
  let left = 0;
  for (const name in a) {
    if (!Object.hasOwn(b, name) || !isSpelledSame(a[name], b[name])) return false;
    left += 1;
  }
  for (const _ in b) left -= 1;
  return left === 0;
}

function sameBytes(a, b) {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Whether two sets have the same elements in any order, by a text of each. */
function sameSets(a, b, text) {
  if (a.length !== b.length) return false;
  const sorted = (set) => JSON.stringify(set.map(text).sort());
  return sorted(a) === sorted(b);
}

/** Whether two attribute values are one to DynamoDB. */
export function isSame(a, b) {
  const [tag] = Object.keys(a);
  if (!Object.hasOwn(b, tag)) return false;
  const [left, right] = [a[tag], b[tag]];
  switch (tag) {
    case 'N':
      return left === right || canonical(left) === canonical(right);
    case 'B':
      return sameBytes(left, right);
    case 'SS':
      return sameSets(left, right, String);
    case 'NS':
      return sameSets(left, right, canonical);
    case 'BS':
      return sameSets(left, right, (bytes) => bytes.join());
    case 'L':
      return left.length === right.length && left.every((element, index) => isSame(element, right[index]));
    case 'M': {
      const names = Object.keys(left);
      if (names.length !== Object.keys(right).length) return false;
      return names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name]));
    }
    default:
      return left === right;
  }
}
