// How a handler says that it did not do what the record asks for, and the text of whatever else it threw.

import { format } from './format.js';
import { MAX_CAUSES, stackOf } from './trace.js';

/** It may go better next time: deliver the record again. Any other error that is thrown means the same. */
export class Retry extends Error {}

/** It will never go better. */
export class Reject extends Error {}

for (const [type, name] of [
  [Retry, 'Retry'],
  [Reject, 'Reject'],
]) {
  Object.defineProperty(type.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** Names that say no more than the text does. */
const PLAIN_NAMES = new Set(['Error', 'Retry', 'Reject', 'ImageError', 'ChangeError']);

function textOf(error) {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : format([error]);
  const name = String(error.name);
  const message = String(error.message);
  if (PLAIN_NAMES.has(name)) return message;
  return message === '' ? name : `${name}: ${message}`;
}

/** The text of an error and of its causes, joined by ": ". */
export function chain(error) {
  const texts = [];
  let link = error;
  while (texts.length < MAX_CAUSES) {
    let text = textOf(link);
    if (link instanceof AggregateError) text += ` [${[...link.errors].slice(0, MAX_CAUSES).map(textOf).join('; ')}]`;
    texts.push(text);
    if (!(link instanceof Error) || link.cause === undefined || link.cause === null) break;
    link = link.cause;
  }
  const text = texts.filter((part) => part !== '').join(': ');
  const isMeant = error instanceof Retry || error instanceof Reject;
  return text === '' && !isMeant ? 'an error without a text' : text;
}

/** The failure that something thrown stands for. Never throws itself. */
export function failureOf(thrown) {
  const kind = thrown instanceof Reject ? 'reject' : 'retry';
  try {
    return { kind, text: chain(thrown), stack: stackOfUnmeant(thrown) };
  } catch {
    return { kind, text: 'an error whose text cannot be had', stack: '' };
  }
}

/** For stderr: where an error that nobody meant to be a failure was thrown, and where its causes were. */
function stackOfUnmeant(thrown) {
  const isMeant = thrown instanceof Retry || thrown instanceof Reject;
  return isMeant || !(thrown instanceof Error) ? '' : stackOf(thrown);
}
