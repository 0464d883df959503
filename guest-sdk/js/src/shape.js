// Items as a type of one's own, checked: a shape says which attributes there are and of what type each is.

import { ImageError, placed, told } from './error.js';
import { DynamoNumber, checkNumber, readExact, readNumber, toBigInt } from './number.js';
import {
  fromAttribute,
  innerOf,
  readAttributes,
  readBoolean,
  readBytes,
  readElements,
  readString,
  setAttribute,
  typeName,
  typeOf,
} from './value.js';

/** A part of a shape that is not one of JavaScript's own constructors. */
class Part {
  constructor(read, isOptional = false) {
    this.read = read;
    this.isOptional = isOptional;
  }
}

function only(tag, read) {
  return (value, depth) => {
    const inner = innerOf(value, tag);
    if (inner !== undefined) return read(inner, depth);
    throw new ImageError(`expected ${typeName(tag)}, found ${typeName(typeOf(value))}`);
  };
}

const readBigInt = (text) => toBigInt(checkNumber(text));

const CONSTRUCTORS = new Map([
  [String, only('S', readString)],
  [Number, only('N', readNumber)],
  [BigInt, only('N', readBigInt)],
  [DynamoNumber, only('N', readExact)],
  [Boolean, only('BOOL', readBoolean)],
  [Uint8Array, only('B', readBytes)],
]);

const SET_ELEMENTS = new Map([
  [String, ['SS', readString]],
  [Number, ['NS', readNumber]],
  [BigInt, ['NS', readBigInt]],
  [DynamoNumber, ['NS', readExact]],
  [Uint8Array, ['BS', readBytes]],
]);

/** How a part of a shape is read. */
function readerOf(shape) {
  const read = CONSTRUCTORS.get(shape);
  if (read !== undefined) return read;
  if (shape instanceof Part) return shape.read;
  if (Array.isArray(shape) && shape.length === 1) return listOf(shape[0]).read;
  if (typeof shape === 'object' && shape !== null && Object.getPrototypeOf(shape) === Object.prototype) {
    const readMap = attributesReader(shape);
    return only('M', (map, depth) => readMap(map, depth + 1));
  }
  throw new TypeError(`no shape of an attribute: ${told(shape)}; it is String, Number, [String], { name: String }, …`);
}

/** A list (L). `[shape]` is the same. */
export function listOf(shape) {
  const read = readerOf(shape);
  return new Part(only('L', (list, depth) => readElements(list, depth + 1, read)));
}

/** A set (SS, NS, BS), by what its elements are: String, Number, BigInt, DynamoNumber or Uint8Array. */
export function setOf(shape) {
  const elements = SET_ELEMENTS.get(shape);
  if (elements === undefined) throw new TypeError('a set is of String, Number, BigInt, DynamoNumber or Uint8Array');
  const [tag, read] = elements;
  return new Part(only(tag, (list, depth) => new Set(readElements(list, depth + 1, read))));
}

/** A map (M) of any names, whose values are all of one shape. */
export function mapOf(shape) {
  const read = readerOf(shape);
  return new Part(only('M', (map, depth) => readAttributes(map, depth + 1, read)));
}

/** One of these strings (S). */
export function oneOf(...texts) {
  return new Part(
    only('S', (text) => {
      if (texts.includes(text)) return text;
      throw new ImageError(
        `expected one of ${texts.map((known) => JSON.stringify(known)).join(', ')}, found ${told(text)}`,
      );
    }),
  );
}

/** Undefined when the attribute is absent or null (NULL). */
export function optional(shape) {
  const read = readerOf(shape);
  return new Part((value, depth) => (typeOf(value) === 'NULL' ? undefined : read(value, depth)), true);
}

/** Any value, as `newImage()` gives it. */
export const any = new Part((value) => fromAttribute(value));

function nameOf(shape) {
  if (CONSTRUCTORS.has(shape)) {
    const tags = new Map([
      [String, 'S'],
      [Boolean, 'BOOL'],
      [Uint8Array, 'B'],
    ]);
    return typeName(tags.get(shape) ?? 'N');
  }
  return 'a value';
}

/** Reads the attributes that the shape names, and passes over all others. */
function attributesReader(shape) {
  const wanted = Object.keys(shape).map((name) => {
    const isOptional = shape[name] instanceof Part && shape[name].isOptional;
    return { name, read: readerOf(shape[name]), isOptional, expected: nameOf(shape[name]) };
  });
  return (map, depth) => {
    if (typeof map !== 'object' || map === null || Array.isArray(map)) {
      throw new ImageError(`expected attributes in braces, found ${told(map)}`);
    }
    const item = {};
    for (const { name, read, isOptional, expected } of wanted) {
      try {
        if (Object.hasOwn(map, name)) setAttribute(item, name, read(map[name], depth));
        else if (!isOptional) throw new ImageError(`expected ${expected}, found no such attribute`);
      } catch (error) {
        throw placed(error, name);
      }
    }
    return item;
  };
}

/** A shape is nearly always one object that is used for each record. */
const known = new WeakMap();

/** The attributes of an item that a shape names, checked. */
export function readAs(shape, item) {
  let read = known.get(shape);
  if (read === undefined) {
    if (typeof shape !== 'object' || shape === null || Array.isArray(shape)) {
      throw new TypeError('the shape of an item is an object, such as { id: String, cents: Number }');
    }
    read = attributesReader(shape);
    known.set(shape, read);
  }
  return read(item, 1);
}
