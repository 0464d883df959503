// DynamoDB JSON, the tree of attribute values that is the same without loss, and JavaScript's own values.

import { fromBase64, toBase64 } from './base64.js';
import { ImageError, placed, told } from './error.js';
import { DynamoNumber, checkNumber, readExact, readNumber } from './number.js';
import { MAX_DEPTH, quickReader } from './quick.js';
import { checkNames, hasHalfPair, unescapedLength } from './scan.js';

const TYPE_NAMES = {
  __proto__: null,
  S: 'a string (S)',
  N: 'a number (N)',
  B: 'binary (B)',
  SS: 'a string set (SS)',
  NS: 'a number set (NS)',
  BS: 'a binary set (BS)',
  M: 'a map (M)',
  L: 'a list (L)',
  BOOL: 'a boolean (BOOL)',
  NULL: 'null (NULL)',
};

/** For messages: the type of an attribute value. */
export function typeName(tag) {
  return TYPE_NAMES[tag];
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The type of an attribute value, `S` of `{"S":"text"}`, and that it is one. */
export function typeOf(value) {
  if (!isObject(value)) throw new ImageError(`expected an attribute value such as {"S":"…"}, found ${told(value)}`);
  const tags = Object.keys(value);
  if (tags.length === 1 && tags[0] in TYPE_NAMES) return tags[0];
  if (tags.length === 0) throw new ImageError('an attribute value without a type: {}');
  const unknown = tags.find((tag) => !(tag in TYPE_NAMES));
  if (unknown === undefined) throw new ImageError('an attribute value with more than one type');
  const start = JSON.stringify(unknown.slice(0, 16));
  throw new ImageError(`${start} is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)`);
}

/**
 * Whether every value that is read now is known to have one type and no name twice. Then looking for each type is
 * enough, which is several times faster than a list of what is there.
 */
let isQuick = false;

/** What a value has of a type; undefined when it is of another. */
export function innerOf(value, tag) {
  if (!isQuick || typeof value !== 'object' || value === null) typeOf(value);
  return value[tag];
}

/** Reads nothing out: what is left is the length. */
const quickLength = quickReader(
  (text) => text,
  (text) => text,
);

/** A parsed item and its text: what JSON.parse does not tell of it is seen by the text. */
export class ParsedItem {
  #text;
  #item;
  /** Whether the text has nothing but what is found in the item. Undefined until that is known. */
  #isWhole;

  constructor(text) {
    try {
      this.#item = JSON.parse(text);
    } catch (error) {
      throw new ImageError(`not JSON: ${error.message}`);
    }
    if (!isObject(this.#item)) throw new ImageError(`expected a map of attributes, found ${told(this.#item)}`);
    this.#text = text;
  }

  /** The item's plain values. */
  unmarshall(options) {
    const numbers = numbersOf(options);
    if (this.#isWhole !== false) {
      const quick = QUICK_READERS[numbers](this.#item);
      this.#compare(quick?.length);
      if (this.#isWhole && quick !== undefined) return quick.item;
    }
    return this.read((item) => readAttributes(item, 1, READERS[numbers]));
  }

  /** Reads the item: in haste when nothing else is in the text, and otherwise with care. */
  read(reader) {
    if (this.#isWhole === undefined) this.#compare(quickLength(this.#item)?.length);
    isQuick = this.#isWhole;
    try {
      return reader(this.#item);
    } finally {
      isQuick = false;
    }
  }

  /** Compares the text, without its escapes, with the length of what is found in it. */
  #compare(length) {
    this.#isWhole ??= length === this.#text.length || (this.#hasEscapes() && length === unescapedLength(this.#text));
    if (!this.#isWhole) checkNames(this.#text);
  }

  #hasEscapes() {
    if (!this.#text.includes('\\')) return false;
    if (hasHalfPair(this.#text)) throw new ImageError('not JSON: half of a surrogate pair');
    return true;
  }
}

// The parts of values. A value is read from a parsed JSON text, where binary is base64, or from a tree, where it is
// bytes.

export function readString(value) {
  if (typeof value !== 'string') throw new ImageError(`expected a string, found ${told(value)}`);
  return value;
}

export function readBytes(value) {
  return value instanceof Uint8Array ? value : fromBase64(value);
}

export function readBoolean(value) {
  if (typeof value !== 'boolean') throw new ImageError(`expected true or false, found ${told(value)}`);
  return value;
}

export function readNull(value) {
  if (value !== true) throw new ImageError(`expected true, which is what NULL holds, found ${told(value)}`);
  return null;
}

/** Reads each element of a list or a set, with its place in an error. */
export function readElements(list, depth, read) {
  if (!Array.isArray(list)) throw new ImageError(`expected a list in brackets, found ${told(list)}`);
  if (depth > MAX_DEPTH) throw new ImageError(`nested deeper than ${MAX_DEPTH} levels`);
  const elements = new Array(list.length);
  let index = 0;
  try {
    for (; index < list.length; index += 1) elements[index] = read(list[index], depth);
  } catch (error) {
    throw placed(error, index);
  }
  return elements;
}

/** Sets what may have any name, also `__proto__`, which an assignment would take for something else. */
export function setAttribute(object, name, value) {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
  } else {
    object[name] = value;
  }
}

/** Reads each attribute of a map, with its name in an error. */
export function readAttributes(map, depth, read) {
  if (!isObject(map)) throw new ImageError(`expected attributes in braces, found ${told(map)}`);
  if (depth > MAX_DEPTH) throw new ImageError(`nested deeper than ${MAX_DEPTH} levels`);
  const item = {};
  let name;
  try {
    for (name in map) setAttribute(item, name, read(map[name], depth));
  } catch (error) {
    throw placed(error, name);
  }
  return item;
}

// The tree

// No `switch` over the type: QuickJS compares one text after the other, and a look for a property is faster.
function readTree(value, depth) {
  let inner = innerOf(value, 'S');
  if (inner !== undefined) return { S: readString(inner) };
  if ((inner = value.N) !== undefined) return { N: checkNumber(inner) };
  if ((inner = value.M) !== undefined) return { M: readAttributes(inner, depth + 1, readTree) };
  if ((inner = value.L) !== undefined) return { L: readElements(inner, depth + 1, readTree) };
  if ((inner = value.BOOL) !== undefined) return { BOOL: readBoolean(inner) };
  if ((inner = value.B) !== undefined) return { B: readBytes(inner) };
  if ((inner = value.SS) !== undefined) return { SS: readElements(inner, depth + 1, readString) };
  if ((inner = value.NS) !== undefined) return { NS: readElements(inner, depth + 1, checkNumber) };
  if ((inner = value.BS) !== undefined) return { BS: readElements(inner, depth + 1, readBytes) };
  typeOf(value);
  readNull(value.NULL);
  return { NULL: true };
}

/** The tree of one attribute value, from what JSON.parse made of it. */
export function attributeOf(parsed) {
  return readTree(parsed, 1);
}

export function attributesOf(parsed) {
  return readAttributes(parsed, 1, readTree);
}

/** The tree of an item, without loss, from its DynamoDB JSON. */
export function itemFromJson(text) {
  return new ParsedItem(text).read(attributesOf);
}

/** Checks the tree on the way, since a caller may have made it. */
function toWritten(value, depth) {
  const tag = typeOf(value);
  const inner = value[tag];
  switch (tag) {
    case 'B':
      return { B: toBase64(readBytes(inner)) };
    case 'BS':
      return { BS: readElements(inner, depth + 1, (bytes) => toBase64(readBytes(bytes))) };
    case 'M':
      return { M: readAttributes(inner, depth + 1, toWritten) };
    case 'L':
      return { L: readElements(inner, depth + 1, toWritten) };
    default:
      return readTree(value, depth);
  }
}

/** DynamoDB JSON of one attribute value, such as `{"S":"text"}`. */
export function attributeToJson(value) {
  return JSON.stringify(toWritten(value, 1));
}

/** DynamoDB JSON of an item. */
export function itemToJson(item) {
  return JSON.stringify(readAttributes(item, 1, toWritten));
}

// JavaScript's own values

function plainReader(numberOf) {
  return function read(value, depth) {
    let inner = innerOf(value, 'S');
    if (inner !== undefined) return readString(inner);
    if ((inner = value.N) !== undefined) return numberOf(inner);
    if ((inner = value.M) !== undefined) return readAttributes(inner, depth + 1, read);
    if ((inner = value.L) !== undefined) return readElements(inner, depth + 1, read);
    if ((inner = value.BOOL) !== undefined) return readBoolean(inner);
    if ((inner = value.B) !== undefined) return readBytes(inner);
    if ((inner = value.SS) !== undefined) return new Set(readElements(inner, depth + 1, readString));
    if ((inner = value.NS) !== undefined) return new Set(readElements(inner, depth + 1, numberOf));
    if ((inner = value.BS) !== undefined) return new Set(readElements(inner, depth + 1, readBytes));
    typeOf(value);
    return readNull(value.NULL);
  };
}

const READERS = {
  __proto__: null,
  number: plainReader(readNumber),
  exact: plainReader(readExact),
};

const QUICK_READERS = {
  __proto__: null,
  number: quickReader(readNumber, fromBase64),
  exact: quickReader(readExact, fromBase64),
};

function numbersOf(options) {
  const numbers = options?.numbers ?? 'number';
  if (!(numbers in READERS)) {
    throw new TypeError(`numbers is "number" or "exact", and not ${JSON.stringify(numbers)}`);
  }
  return numbers;
}

/** An item's plain values, from its tree. */
export function unmarshall(item, options) {
  return readAttributes(item, 1, READERS[numbersOf(options)]);
}

/** The plain value of one attribute value. */
export function fromAttribute(value, options) {
  return READERS[numbersOf(options)](value, 1);
}

function setToAttribute(set) {
  const elements = [...set];
  if (elements.length === 0) throw new TypeError('an empty Set has no type, and DynamoDB no empty sets');
  if (elements.every((element) => typeof element === 'string')) return { SS: elements };
  if (elements.every((element) => element instanceof Uint8Array)) return { BS: elements };
  const isNumber = (element) => ['number', 'bigint'].includes(typeof element) || element instanceof DynamoNumber;
  if (elements.every(isNumber)) return { NS: elements.map((element) => String(new DynamoNumber(element))) };
  throw new TypeError('the elements of a Set are all strings, all numbers, or all Uint8Array');
}

/** The attribute value of a plain value. Undefined has none. */
export function toAttribute(value, depth = 1) {
  if (depth > MAX_DEPTH) throw new ImageError(`nested deeper than ${MAX_DEPTH} levels`);
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
    case 'bigint':
      return { N: String(new DynamoNumber(value)) };
    case 'boolean':
      return { BOOL: value };
    case 'object':
      break;
    default:
      throw new TypeError(`DynamoDB has no value for ${value === undefined ? 'undefined' : `a ${typeof value}`}`);
  }
  if (value === null) return { NULL: true };
  if (value instanceof DynamoNumber) return { N: String(value) };
  if (value instanceof Uint8Array) return { B: value };
  if (value instanceof Set) return setToAttribute(value);
  if (Array.isArray(value)) return { L: readElements(value, depth, (element) => toAttribute(element, depth + 1)) };
  if (value instanceof Map) return { M: toAttributes(Object.fromEntries(value), depth + 1) };
  const type = classOf(value);
  if (type !== undefined) throw new TypeError(`DynamoDB has no value for a ${type}: make it an object or a text`);
  return { M: toAttributes(value, depth + 1) };
}

function classOf(object) {
  const prototype = Object.getPrototypeOf(object);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain ? undefined : (prototype.constructor?.name ?? 'class');
}

/** The tree of an item from plain values. What is undefined is left out. */
export function marshall(item) {
  if (item instanceof Map) return toAttributes(Object.fromEntries(item), 1);
  // An item may be of a class of one's own. What has no fields, such as a Date or a Set, is no item.
  const isItem = isObject(item) && !ArrayBuffer.isView(item);
  if (!isItem || (classOf(item) !== undefined && Object.keys(item).length === 0)) {
    throw new TypeError(`an item is an object, its attributes by name, and not ${told(item)}`);
  }
  return toAttributes(item, 1);
}

function toAttributes(item, depth) {
  const tree = {};
  let name;
  try {
    for (name of Object.keys(item)) {
      if (item[name] !== undefined) setAttribute(tree, name, toAttribute(item[name], depth));
    }
  } catch (error) {
    if (error instanceof TypeError) error.message = `${name}: ${error.message}`;
    throw placed(error, name);
  }
  return tree;
}
