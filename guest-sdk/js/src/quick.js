// Plain values the quick way, of an image as nearly all are: JSON without white space. What is unusual in any way is
// left to readers that take their time, and know what is wrong and where.
//
// JSON.parse does not tell everything: of two values of one name it keeps the second, and looking for one type after the
// other sees one of two. Both are seen by the length of the text. All that is found in it, written without white space
// and without escapes, is as long as the text itself if and only if nothing else is in the text.

/** How deep lists, maps and sets may be nested, the item itself included. DynamoDB allows 32 levels. */
export const MAX_DEPTH = 64;

/** Thrown at what is left to the others. */
const UNUSUAL = Symbol('unusual');

/** How long a text is of what has been read so far. */
let length;

function ensure(isUsual) {
  if (!isUsual) throw UNUSUAL;
}

function isString(value) {
  return typeof value === 'string';
}

/** `"…",` for each, in brackets, and no comma at the end. */
function countSet(list) {
  ensure(Array.isArray(list) && list.every(isString));
  length += list.length === 0 ? 2 : 1;
  for (let index = 0; index < list.length; index += 1) length += list[index].length + 3;
}

/**
 * Gives a function that reads an item which JSON.parse has made: `{ item, length }`, or undefined when it is unusual.
 * The item stands for the text only if that is `length` long, without its escapes.
 */
export function quickReader(numberOf, bytesOf) {
  // Few calls and few names: an interpreter pays for each.
  function readMap(map, depth) {
    ensure(typeof map === 'object' && map !== null && !Array.isArray(map) && depth <= MAX_DEPTH);
    const item = {};
    const before = length;
    for (const name in map) {
      if (name === '__proto__') throw UNUSUAL;
      const value = map[name];
      const text = value.S;
      if (typeof text === 'string') {
        // "name":{"S":"text"},
        length += name.length + text.length + 12;
        item[name] = text;
      } else {
        length += name.length + 4;
        item[name] = readValue(value, depth);
      }
    }
    length += length === before ? 2 : 1;
    return item;
  }

  function readList(list, depth) {
    ensure(Array.isArray(list) && depth <= MAX_DEPTH);
    length += list.length === 0 ? 2 : list.length + 1;
    const elements = new Array(list.length);
    for (let index = 0; index < list.length; index += 1) elements[index] = readValue(list[index], depth);
    return elements;
  }

  function readValue(value, depth) {
    let inner = value.N;
    if (typeof inner === 'string') {
      length += inner.length + 8;
      return numberOf(inner);
    }
    if ((inner = value.M) !== undefined) {
      length += 6;
      return readMap(inner, depth + 1);
    }
    if ((inner = value.L) !== undefined) {
      length += 6;
      return readList(inner, depth + 1);
    }
    if (typeof (inner = value.S) === 'string') {
      length += inner.length + 8;
      return inner;
    }
    if (typeof (inner = value.BOOL) === 'boolean') {
      length += inner ? 13 : 14;
      return inner;
    }
    if (value.NULL === true) {
      length += 13;
      return null;
    }
    if (typeof (inner = value.B) === 'string') {
      length += inner.length + 8;
      return bytesOf(inner);
    }
    length += 7;
    if ((inner = value.SS) !== undefined) {
      countSet(inner);
      return new Set(inner);
    }
    if ((inner = value.NS) !== undefined) {
      countSet(inner);
      return new Set(inner.map((text) => numberOf(text)));
    }
    inner = value.BS;
    countSet(inner);
    return new Set(inner.map((text) => bytesOf(text)));
  }

  return (map) => {
    length = 0;
    try {
      return { item: readMap(map, 1), length };
    } catch {
      return undefined;
    }
  };
}
