// Base64 as DynamoDB writes it: padded, without white space. Not every engine that the SDK runs on has it.

import { ImageError } from './error.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Int8Array(128).fill(-1);
for (let index = 0; index < 64; index += 1) VALUES[LETTERS.charCodeAt(index)] = index;

const hasNative = typeof Uint8Array.fromBase64 === 'function' && typeof Uint8Array.prototype.toBase64 === 'function';

function valueAt(text, index) {
  const code = text.charCodeAt(index);
  const value = code < 128 ? VALUES[code] : -1;
  if (value < 0) throw new ImageError(`not base64: ${JSON.stringify(text[index])} at ${index}`);
  return value;
}

export function fromBase64(text) {
  if (typeof text !== 'string') throw new ImageError('expected binary as base64 in a string');
  if (text.length % 4 !== 0) throw new ImageError('not base64: its length is no multiple of 4');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const length = (text.length / 4) * 3 - padding;
  if (hasNative) {
    try {
      const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' });
      // Shorter when there is white space in the text, which the engine passes over.
      if (bytes.length === length) return bytes;
    } catch {
      // The loop below finds the place.
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let index = 0; index < text.length; index += 4) {
    const left = length - at;
    const word =
      (valueAt(text, index) << 18) |
      (valueAt(text, index + 1) << 12) |
      (left > 1 ? valueAt(text, index + 2) << 6 : 0) |
      (left > 2 ? valueAt(text, index + 3) : 0);
    if ((left === 1 && word & 0xffff) || (left === 2 && word & 0xff))
      throw new ImageError('not base64: bits are left over');
    bytes[at++] = word >> 16;
    if (left > 1) bytes[at++] = word >> 8;
    if (left > 2) bytes[at++] = word;
  }
  return bytes;
}

export function toBase64(bytes) {
  if (hasNative) return bytes.toBase64();
  let text = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index;
    const word = (bytes[index] << 16) | (left > 1 ? bytes[index + 1] << 8 : 0) | (left > 2 ? bytes[index + 2] : 0);
    text += LETTERS[word >> 18] + LETTERS[(word >> 12) & 63];
    text += left > 1 ? LETTERS[(word >> 6) & 63] : '=';
    text += left > 2 ? LETTERS[word & 63] : '=';
  }
  return text;
}
