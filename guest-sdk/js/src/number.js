// DynamoDB's numbers: decimal text, never rounded on the way.

import { ImageError, told } from './error.js';

/** DynamoDB keeps 38 significant digits. */
const MAX_DIGITS = 38;
/** The exponents of the first significant digit, from 1E-130 to 9.99…E+125. */
const MIN_EXPONENT = -130;
const MAX_EXPONENT = 125;

const DECIMAL = /^([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/;

/** Beyond these JavaScript writes a number with an exponent, and DynamoDB may not have it. */
const MIN_PLAIN = 1e-6;
const MAX_PLAIN = 1e21;

/**
 * The JavaScript number of a text that JavaScript itself would write for it, which nearly every text is; undefined of
 * others. Several times faster than a pattern.
 */
function plainNumber(text) {
  const number = +text;
  const magnitude = number < 0 ? -number : number;
  const isPlain = (magnitude >= MIN_PLAIN && magnitude < MAX_PLAIN) || number === 0;
  return isPlain && `${number}` === text ? number : undefined;
}

/**
 * The parts of a decimal text: whether it is below zero, its significant digits, and the exponent of the last of them.
 * No digits for zero. Undefined when it is no decimal number.
 */
function parse(text) {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const all = whole + fraction;
  let first = 0;
  while (first < all.length && all[first] === '0') first += 1;
  let end = all.length;
  while (end > first && all[end - 1] === '0') end -= 1;
  // An exponent of any length: what is beyond a million is out of every range.
  const power = Math.max(-1e6, Math.min(1e6, Number(exponent)));
  return {
    negative: sign === '-',
    digits: all.slice(first, end),
    exponent: power - fraction.length + (all.length - end),
  };
}

/** Checks that a text is a number that DynamoDB has, and gives it back. */
export function checkNumber(text) {
  if (typeof text !== 'string') throw new ImageError(`expected the number in a string, found ${told(text)}`);
  if (plainNumber(text) !== undefined) return text;
  const parts = parse(text);
  if (parts === undefined) throw new ImageError(`${JSON.stringify(text.slice(0, 48))} is not a decimal number`);
  const count = parts.digits.length;
  if (count > MAX_DIGITS) throw new ImageError(`the number ${text.slice(0, 48)} has more than ${MAX_DIGITS} digits`);
  const first = parts.exponent + count - 1;
  if (count > 0 && (first < MIN_EXPONENT || first > MAX_EXPONENT)) {
    throw new ImageError(`the number ${text.slice(0, 48)} is beyond what DynamoDB has`);
  }
  return text;
}

/** One form for all texts of a number, so that `1`, `1.0` and `1E0` are equal. */
export function canonical(text) {
  const { negative, digits, exponent } = parse(text);
  return digits === '' ? '0' : `${negative ? '-' : ''}${digits}e${exponent}`;
}

/** The number of significant digits, and whether the number is below zero: what its size is counted from. */
export function significantDigits(text) {
  const { negative, digits } = parse(text);
  return { count: digits.length, negative: negative && digits !== '' };
}

/** The JavaScript number that a text stands for, when it is that very number and not only the nearest. */
export function readNumber(text) {
  const plain = typeof text === 'string' ? plainNumber(text) : undefined;
  if (plain !== undefined) return plain;
  const number = Number(checkNumber(text));
  // The shortest text that gives the number back, which is what JavaScript writes, has to mean the same.
  if (canonical(text) !== canonical(String(number))) {
    throw new ImageError(`the number ${text} has more digits than a JavaScript number holds: read it exactly`);
  }
  return number;
}

/** The number of a text, with all of its digits. */
export function readExact(text) {
  return new DynamoNumber(text);
}

/** The whole number that a checked text stands for: `100`, `1E2` and `100.0` are all one hundred. */
export function toBigInt(text) {
  const { negative, digits, exponent } = parse(text);
  if (digits === '') return 0n;
  if (exponent < 0) throw new ImageError(`the number ${text} has a fraction, and BigInt has none`);
  const magnitude = BigInt(digits + '0'.repeat(exponent));
  return negative ? -magnitude : magnitude;
}

/**
 * A DynamoDB number (N), kept as the decimal text that it came as: up to 38 significant digits, which no JavaScript
 * number has.
 */
export class DynamoNumber {
  #text;

  /** Of a decimal text, a number or a bigint. */
  constructor(value) {
    if (value instanceof DynamoNumber) this.#text = value.#text;
    else if (typeof value === 'number' || typeof value === 'bigint') this.#text = checkNumber(String(value));
    else this.#text = checkNumber(value);
  }

  /** The decimal text, as it came. */
  toString() {
    return this.#text;
  }

  /** The very same number. An error when JavaScript has none: `Number(n)` gives the nearest. */
  toNumber() {
    return readNumber(this.#text);
  }

  /** The whole number, exactly. An error when it has a fraction. */
  toBigInt() {
    return toBigInt(this.#text);
  }

  /** Whether it is the same number, in whatever spelling. */
  equals(other) {
    return canonical(this.#text) === canonical(new DynamoNumber(other).#text);
  }

  /** The nearest JavaScript number, for arithmetic and comparisons. Digits beyond the 17th or so are rounded. */
  valueOf() {
    return Number(this.#text);
  }

  /** As text, so that `JSON.stringify` loses nothing. */
  toJSON() {
    return this.#text;
  }

  // `${n}` is the exact text, where valueOf alone would be asked first by +.
  [Symbol.toPrimitive](hint) {
    return hint === 'string' ? this.#text : this.valueOf();
  }

  get [Symbol.toStringTag]() {
    return 'DynamoNumber';
  }
}
