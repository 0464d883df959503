// What QuickJS lacks in a component, as far as it is small: promises that go on, timers, texts as bytes, random values.

import './globals.js';
import { setGlobals } from './globals.js';
import { monotonicMs } from './host-component.js';
import { GristmillPromise, enqueue } from './promise.js';
import { getRandomValues, randomUUID } from './random.js';
import { timerGlobals } from './timers.js';
import { fromUtf8, utf8 } from './utf8.js';

class TextEncoder {
  get encoding() {
    return 'utf-8';
  }

  encode(text = '') {
    return utf8(String(text));
  }
}

class TextDecoder {
  #fatal;
  #ignoreBOM;

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`the encoding ${label} is not there: utf-8 is`);
    this.#fatal = fatal;
    this.#ignoreBOM = ignoreBOM;
  }

  get encoding() {
    return 'utf-8';
  }

  decode(input = new Uint8Array(0)) {
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    const text = fromUtf8(bytes, this.#fatal);
    return !this.#ignoreBOM && text.startsWith('\ufeff') ? text.slice(1) : text;
  }
}

function clone(value, seen) {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError');
  }
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (copy) => {
    seen.set(value, copy);
    return copy;
  };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (value instanceof DataView)
    return keep(new DataView(clone(value.buffer, seen), value.byteOffset, value.byteLength));
  if (ArrayBuffer.isView(value)) {
    return keep(new value.constructor(clone(value.buffer, seen), value.byteOffset, value.length));
  }
  if (value instanceof Error) {
    const copy = keep(Object.create(Object.getPrototypeOf(value)));
    for (const name of ['message', 'stack', 'cause']) {
      if (Object.hasOwn(value, name)) {
        Object.defineProperty(copy, name, { value: clone(value[name], seen), configurable: true, writable: true });
      }
    }
    return copy;
  }
  if (value instanceof Map) {
    const copy = keep(new Map());
    for (const [key, element] of value) copy.set(clone(key, seen), clone(element, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set());
    for (const element of value) copy.add(clone(element, seen));
    return copy;
  }
  const copy = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) {
    Object.defineProperty(copy, key, {
      value: clone(value[key], seen),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return copy;
}

async function fromAsync(items, map = (value) => value, self = undefined) {
  const array = [];
  if (items[Symbol.asyncIterator] === undefined && items[Symbol.iterator] === undefined) {
    for (let index = 0; index < items.length; index += 1) array.push(await map.call(self, await items[index], index));
    return array;
  }
  for await (const value of items) array.push(await map.call(self, value, array.length));
  return array;
}

/** Since the first question, as the instance knows no other beginning. */
let originMs;

setGlobals({
  Promise: GristmillPromise,
  queueMicrotask: (callback) => enqueue(() => callback()),
  ...timerGlobals,
  TextEncoder,
  TextDecoder,
  structuredClone: (value) => clone(value, new Map()),
  crypto: Object.freeze({ getRandomValues, randomUUID }),
  performance: Object.freeze({
    now: () => {
      const ms = monotonicMs();
      originMs ??= ms;
      return ms - originMs;
    },
    get timeOrigin() {
      return Date.now() - this.now();
    },
  }),
});
Object.defineProperty(Array, 'fromAsync', { value: fromAsync, configurable: true, writable: true });
