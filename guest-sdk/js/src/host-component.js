// The ABI: the imports of the contract, as both engines bind them, and nothing else. They differ in how they give an
// absent option (null or undefined) and a u64 (number or bigint), which is dealt with where a value is used.

import * as invocationImports from 'gristmill:events/invocation@0.1.0';
import { print as printText, write } from 'gristmill:events/log@0.1.0';
import { now as monotonicNow, subscribeDuration } from 'wasi:clocks/monotonic-clock@0.2.12';
import { getInsecureRandomBytes } from 'wasi:random/insecure@0.2.12';
import { getRandomBytes } from 'wasi:random/random@0.2.12';

export const invocation = invocationImports;

/** Half of a surrogate pair is no character, and no text of the contract can have it. */
export function wellFormed(text) {
  return text.isWellFormed() ? text : text.toWellFormed();
}

export function writeLog(level, message, fields) {
  const texts = fields.map(([name, value]) => [wellFormed(name), wellFormed(value)]);
  write(level, wellFormed(message), texts);
}

/** At once: what waits in a buffer is lost when the call is cut. As a text, since bytes are made here one by one. */
export function print(stream, text) {
  printText(stream, wellFormed(text));
}

// GRISTMILL_ENGINE is put in when a component is built.
const toU64 = GRISTMILL_ENGINE === 'quickjs' ? (number) => number : BigInt;

export function randomBytes(length) {
  return getRandomBytes(toU64(length));
}

export function insecureRandomBytes(length) {
  return getInsecureRandomBytes(toU64(length));
}

/** Since some instant, in milliseconds. */
export function monotonicMs() {
  return Number(monotonicNow()) / 1e6;
}

export function sleepMs(ms) {
  const pollable = subscribeDuration(toU64(Math.ceil(ms * 1e6)));
  pollable.block();
  pollable[Symbol.dispose]?.();
}
