// Answers the protocol that the handlers of every language answer: the key attribute `case` says what to do, and
// attributes of the new image are its arguments. As the handler in JavaScript, and by way of the types.

// @ts-expect-error The contract's own imports have no types here.
import { write } from 'gristmill:events/log@0.1.0';

import { Reject, Retry, any, invocation, itemToJson, log, mapOf, oneOf, optional, stderr, stdout } from 'gristmill';
import type { Item, StreamRecord } from 'gristmill';

const Key = { case: String };
const Text = { text: String };

type Case = (record: StreamRecord) => void | Promise<void>;

export default function answer(record: StreamRecord): void | Promise<void> {
  const name = record.keysAs(Key).case;
  const run = CASES.get(name);
  if (run === undefined) throw new Reject(`no such case: ${name}`);
  return run(record);
}

/** The arguments of a case, which are attributes of the new image. */
function present<T>(image: T | undefined): T {
  if (image === undefined) throw new Reject('the record has no new image');
  return image;
}

function echo(record: StreamRecord): void {
  const json = (item: Item | undefined) => item && itemToJson(item);
  let fields;
  try {
    fields = {
      keys: json(record.keysAttributes()),
      new: json(record.newImageAttributes()),
      old: json(record.oldImageAttributes()),
    };
  } catch (error) {
    throw new Reject(error instanceof Error ? error.message : String(error));
  }
  log.info('echo', fields);
}

function accessors(record: StreamRecord): void {
  log.info('accessors', {
    'event-id': record.eventId,
    table: record.table,
    'stream-arn': record.streamArn,
    region: record.region,
    'sequence-number': record.sequenceNumber,
    'event-name': record.eventName,
    'size-bytes': record.sizeBytes,
    'created-at-ms': record.createdAtMs,
    'identity-type': record.userIdentity?.type,
    'identity-principal-id': record.userIdentity?.principalId,
    'ttl-delete': record.isTtlDelete,
    json: record.json,
    'request-id': invocation.requestId,
    handler: invocation.handler,
    'function-name': invocation.functionName,
    'function-version': invocation.functionVersion,
    attempt: invocation.attempt,
    'deadline-ms': invocation.deadlineMs,
    'trace-header': invocation.traceHeader,
    display: record,
  });
}

/** After an `await`, where only a promise can tell of it. */
async function throwLater(record: StreamRecord): Promise<void> {
  await null;
  throw new Error(present(record.newImageAs(Text)).text);
}

function grow(): void {
  const kept: Uint8Array[] = [];
  for (;;) kept.push(new Uint8Array(65536).fill(1));
}

function recurse(): void {
  const deeper = (depth: number): number => deeper(depth + 1) + 1;
  deeper(0);
}

const Print = { bytes: optional(Number), text: optional(String), stream: optional(String) };

function print(record: StreamRecord): void {
  const { bytes = 0, text, stream } = present(record.newImageAs(Print));
  const line = `${text ?? 'x'.repeat(bytes)}\n`;
  if (stream === 'stderr') stderr.write(line);
  else if (text !== undefined) console.log(text);
  else stdout.write(line);
}

const Line = {
  level: oneOf('trace', 'debug', 'info', 'warn', 'error', 'critical'),
  text: String,
  fields: optional(mapOf(String)),
};

function logLine(record: StreamRecord): void {
  const { level, text, fields } = present(record.newImageAs(Line));
  log[level](text, fields);
}

function clock(): void {
  const first = Date.now();
  let second = first;
  while (second < first + 2) second = Date.now();
  log.info('clock', { 'first-ms': first, 'second-ms': second });
}

function random(): void {
  const hex = (number: number) => number.toString(16).padStart(8, '0');
  const everyday = () => hex(Math.floor(Math.random() * 0x1_0000_0000));
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  log.info('random', { first: everyday() + everyday(), second: hex(high) + hex(low) });
}

const CASES = new Map<string, Case>([
  ['echo', echo],
  ['accessors', accessors],
  [
    'retry',
    (record) => {
      throw new Retry(present(record.newImageAs(Text)).text);
    },
  ],
  [
    'reject',
    (record) => {
      throw new Reject(present(record.newImageAs({ text: any })).text as string);
    },
  ],
  ['throw', throwLater],
  ['trap', trap],
  ['exit', trap],
  [
    'loop',
    () => {
      for (;;);
    },
  ],
  ['grow', grow],
  ['recurse', recurse],
  ['print', print],
  ['log', logLine],
  ['clock', clock],
  ['random', random],
]);

// There is no way to end a program in JavaScript without Node, and an error is no trap. What the contract cannot take
// is: the SDK lets no such thing through.
function trap(): void {
  write('no level', '', []);
}
