// Documents of items, in JSON as OpenSearch and Elasticsearch take it. Knows nothing of records.

import { DynamoNumber } from 'gristmill';

/** @import { Value } from 'gristmill' */

/** An item that no document can be made of; the message names the attribute. */
export class NotIndexable extends Error {}

// The limits of OpenSearch and Elasticsearch, as they are when nobody changes them.
const MAX_ID_BYTES = 512;
/** Of a field that is found by its whole text. Longer ones are refused by the index, with the whole document. */
const MAX_TEXT_BYTES = 32_766;
const MAX_DEPTH = 20;

/**
 * The id of an item's document: its key attributes by name, so that each item has one of its own.
 *
 * @param {{ [name: string]: Value }} keys
 */
export function idOf(keys) {
  const parts = Object.keys(keys)
    .sort()
    .map((name) => encodeURIComponent(String(fieldOf(keys[name], [name]))));
  const id = parts.join('/');
  if (id.length > MAX_ID_BYTES)
    throw new NotIndexable(`the key makes an id of ${id.length} bytes, and ${MAX_ID_BYTES} are allowed`);
  return id;
}

/** @param {{ [name: string]: Value }} item */
export function documentOf(item) {
  return fieldsOf(item, []);
}

/**
 * @param {{ [name: string]: Value }} map
 * @param {(string | number)[]} path
 */
function fieldsOf(map, path) {
  if (path.length === MAX_DEPTH) throw new NotIndexable(`${told(path)}: nested deeper than ${MAX_DEPTH} levels`);
  /** @type {[string, unknown][]} */
  const fields = [];
  for (const [name, value] of Object.entries(map)) {
    checkName(name, path);
    // Null is as good as absent to an index.
    if (value !== null) fields.push([name, fieldOf(value, [...path, name])]);
  }
  // Not by assignments: an attribute may be called __proto__.
  return Object.fromEntries(fields);
}

/**
 * A dot in a name would make two fields of one, and a name with `_` before it may be the index's own.
 *
 * @param {string} name
 * @param {(string | number)[]} path
 */
function checkName(name, path) {
  const why =
    name === ''
      ? 'is empty'
      : name.includes('.')
        ? 'has a dot'
        : path.length === 0 && name.startsWith('_')
          ? 'begins with _'
          : '';
  if (why !== '') throw new NotIndexable(`${told([...path, name])}: the name ${why}, and no field can`);
}

/**
 * @param {Value} value
 * @param {(string | number)[]} path
 * @returns {unknown}
 */
function fieldOf(value, path) {
  if (value instanceof DynamoNumber) return numberOf(value);
  if (value instanceof Uint8Array) return textOf(base64(value), path);
  // An index has no sets. Sorted, a set that did not change makes the same document.
  if (value instanceof Set) return [...value].map((element) => fieldOf(element, path)).sort();
  if (Array.isArray(value))
    return value.map((element, index) => (element === null ? null : fieldOf(element, [...path, index])));
  if (typeof value === 'object' && value !== null) return fieldsOf(value, path);
  return typeof value === 'string' ? textOf(value, path) : value;
}

/**
 * A number that JSON's readers would round goes as a text, which a numeric field takes as well.
 *
 * @param {DynamoNumber} number
 */
function numberOf(number) {
  try {
    return number.toNumber();
  } catch {
    return String(number);
  }
}

/**
 * @param {string} text
 * @param {(string | number)[]} path
 */
function textOf(text, path) {
  const bytes = text.length * 3 > MAX_TEXT_BYTES ? new TextEncoder().encode(text).length : 0;
  if (bytes > MAX_TEXT_BYTES) {
    throw new NotIndexable(`${told(path)}: a text of ${bytes} bytes, and a field takes ${MAX_TEXT_BYTES}`);
  }
  return text;
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** @param {(string | number)[]} path */
function told(path) {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}
