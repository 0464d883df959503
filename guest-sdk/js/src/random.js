// Random numbers in a component. The state of the engine is the same in every instance, as it was when the component
// was built, and so would be what its own generator gives.

import { insecureRandomBytes, randomBytes } from './host-component.js';

/** A call of the host gives this many bytes of everyday numbers, which is 32 of them. */
const POOL_BYTES = 256;

let pool = new DataView(new ArrayBuffer(0));
let at = 0;
let isInCall = false;

/** Nothing that was drawn while the component was built is used in a call. */
export function beginRandom() {
  if (!isInCall) {
    isInCall = true;
    pool = new DataView(new ArrayBuffer(0));
    at = 0;
  }
}

export function random() {
  if (at + 8 > pool.byteLength) {
    const bytes = insecureRandomBytes(isInCall ? POOL_BYTES : 8);
    pool = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    at = 0;
  }
  // 53 bits, which is what a number between 0 and 1 holds.
  const high = pool.getUint32(at) >>> 5;
  const low = pool.getUint32(at + 4) >>> 6;
  at += 8;
  return (high * 0x4000000 + low) / 0x20000000000000;
}

const MAX_VALUES_BYTES = 65536;

export function getRandomValues(array) {
  if (
    !ArrayBuffer.isView(array) ||
    array instanceof DataView ||
    array instanceof Float32Array ||
    array instanceof Float64Array
  ) {
    throw new TypeError('getRandomValues takes an array of integers, such as a Uint8Array');
  }
  if (array.byteLength > MAX_VALUES_BYTES) {
    throw new RangeError(`getRandomValues gives up to ${MAX_VALUES_BYTES} bytes at a time`);
  }
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(randomBytes(array.byteLength));
  return array;
}

export function randomUUID() {
  const bytes = Uint8Array.from(randomBytes(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
