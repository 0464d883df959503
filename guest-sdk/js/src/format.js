// Values as text for log lines, as `console` writes them: close to JSON, on one line; an error of its own with its stack.

import { stackOf } from './trace.js';

const MAX_DEPTH = 8;
const MAX_ELEMENTS = 100;
const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/;

function list(open, close, elements, write) {
  const texts = [];
  for (const element of elements) {
    if (texts.length === MAX_ELEMENTS) {
      texts.push('…');
      break;
    }
    texts.push(write(element));
  }
  return texts.length === 0 ? open + close : `${open} ${texts.join(', ')} ${close}`;
}

function inspectObject(value, above) {
  if (above.includes(value)) return '[Circular]';
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  const type = value.constructor?.name;
  // Classes that say how they are printed, such as a record and a DynamoNumber.
  if (
    type !== undefined &&
    type !== 'Object' &&
    !Array.isArray(value) &&
    value.toString !== Object.prototype.toString
  ) {
    if (!(value instanceof Uint8Array) && !ArrayBuffer.isView(value)) return String(value);
  }
  if (above.length === MAX_DEPTH) return Array.isArray(value) ? '[…]' : '{…}';
  const inner = [...above, value];
  const write = (element) => inspect(element, inner);
  if (Array.isArray(value)) return list('[', ']', value, write);
  if (ArrayBuffer.isView(value) && Symbol.iterator in value)
    return `${type}(${value.length}) ${list('[', ']', value, write)}`;
  if (value instanceof Set) return `Set(${value.size}) ${list('{', '}', value, write)}`;
  if (value instanceof Map) {
    return `Map(${value.size}) ${list('{', '}', value, ([name, element]) => `${write(name)} => ${write(element)}`)}`;
  }
  const prefix = type === undefined || type === 'Object' ? '' : `${type} `;
  const name = (key) => (PLAIN_NAME.test(key) ? key : JSON.stringify(key));
  return prefix + list('{', '}', Object.keys(value), (key) => `${name(key)}: ${write(value[key])}`);
}

/** One value as text; a string in quotes. */
export function inspect(value, above = []) {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return `[Function: ${value.name || '(anonymous)'}]`;
    case 'symbol':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : inspectObject(value, above);
    default:
      return Object.is(value, -0) ? '-0' : String(value);
  }
}

function withPlaceholders(values) {
  let next = 1;
  const text = values[0].replace(/%([sdifjoOc%])/g, (whole, kind) => {
    if (kind === '%') return '%';
    if (next === values.length) return whole;
    const value = values[next++];
    if (kind === 's') return typeof value === 'string' ? value : inspect(value);
    if (kind === 'd') return typeof value === 'bigint' ? `${value}n` : String(Number(value));
    if (kind === 'i') return String(Number.parseInt(value, 10));
    if (kind === 'f') return String(Number.parseFloat(value));
    if (kind === 'j') return JSON.stringify(value);
    return kind === 'c' ? '' : inspect(value);
  });
  return { text, rest: values.slice(next) };
}

function textOf(value) {
  if (typeof value === 'string') return value;
  return value instanceof Error ? stackOf(value) : inspect(value);
}

/** What `console.log` writes of its arguments: texts as they are, and other values inspected. */
export function format(values) {
  if (values.length === 1 && typeof values[0] === 'string') return values[0];
  const texts = [];
  let rest = values;
  if (typeof values[0] === 'string' && values[0].includes('%')) {
    const filled = withPlaceholders(values);
    texts.push(filled.text);
    rest = filled.rest;
  }
  for (const value of rest) texts.push(textOf(value));
  return texts.join(' ');
}
