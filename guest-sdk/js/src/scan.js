// What JSON.parse does not tell of a JSON text: names that are there twice, halves of surrogate pairs, and the text of
// a part of it. Slow, and needed for few texts.

import { ImageError } from './error.js';

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /[-+.0-9a-zA-Z]+/y;
/** An escaped half of a surrogate pair, or a whole pair. */
const SURROGATE = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|u[dD][c-fC-F][0-9a-fA-F]{2}|[^])/g;

/** Takes what the pattern matches at the position, which is known to be there: the text was parsed before. */
function take(pattern, text, at) {
  pattern.lastIndex = at;
  pattern.exec(text);
  return pattern.lastIndex;
}

/** Whether a JSON string has half of a surrogate pair, which is no character. */
export function hasHalfPair(text) {
  for (const match of text.matchAll(SURROGATE)) {
    if (match[0].length === 6) return /^\\u[dD][89a-fA-F]/.test(match[0]);
  }
  return false;
}

const ESCAPE = /\\(?:u....|.)/g;

/** How long a JSON text is when each of its escapes is the one character that it stands for. */
export function unescapedLength(text) {
  return text.replace(ESCAPE, '_').length;
}

/**
 * Passes over the JSON value at the position, and gives where it ends. `see` is told of each name of the outermost
 * object, with the places of its value.
 */
function pass(text, start, see, isChecked = true) {
  let at = take(SPACE, text, start);
  const open = text[at];
  if (open === '"') return take(STRING, text, at);
  if (open !== '{' && open !== '[') return take(SCALAR, text, at);
  const close = open === '{' ? '}' : ']';
  const names = open === '{' ? new Set() : undefined;
  let index = 0;
  at = take(SPACE, text, at + 1);
  while (text[at] !== close) {
    let step = index;
    if (names !== undefined) {
      const end = take(STRING, text, at);
      step = JSON.parse(text.slice(at, end));
      if (isChecked && names.has(step)) throw twice(step);
      names.add(step);
      at = take(SPACE, text, end) + 1;
    }
    at = take(SPACE, text, at);
    let end;
    try {
      end = pass(text, at, undefined, isChecked && see === undefined);
    } catch (error) {
      throw error instanceof Doubled ? error.in(step) : error;
    }
    see?.(step, text.slice(at, end));
    at = take(SPACE, text, end);
    if (text[at] === ',') at = take(SPACE, text, at + 1);
    index += 1;
  }
  return at + 1;
}

/** On its way out: the names of attributes alternate with those of types, and lists with both. */
class Doubled extends Error {
  steps = [];

  in(step) {
    this.steps.unshift(step);
    return this;
  }
}

function twice(name) {
  return new Doubled('twice').in(name);
}

/** The text of each value of a JSON object, by name. The text is known to be JSON. */
export function valueTexts(text) {
  const texts = new Map();
  try {
    pass(text, 0, (name, value) => texts.set(name, value));
  } catch (error) {
    if (error instanceof Doubled) throw new ImageError(`${JSON.stringify(error.steps.at(-1))} is there twice`);
    throw error;
  }
  return texts;
}

const NESTED = new Set(['M', 'L']);

/** An error when a name is twice in a map of an image, at any depth. The text is known to be JSON. */
export function checkNames(text) {
  try {
    pass(text, 0, undefined);
  } catch (error) {
    if (!(error instanceof Doubled)) throw error;
    // attribute, type, attribute or index, type, …; the name of a type is no step of a path.
    const steps = error.steps.filter((step, index) => index % 2 === 0 || !NESTED.has(step));
    const isType = error.steps.length % 2 === 0;
    const failure = new ImageError(
      isType ? 'an attribute value with more than one type' : 'the attribute is there twice',
    );
    if (isType) steps.pop();
    for (const step of steps.reverse()) failure.in(step);
    throw failure;
  }
}
