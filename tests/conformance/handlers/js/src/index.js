// Answers the protocol that the handlers of every language answer: the key attribute `case` says what to do, and
// attributes of the new image are its arguments.

import { write } from 'gristmill:events/log@0.1.0';

import { Reject, Retry, invocation, itemToJson, log, stderr, stdout } from 'gristmill';

/** @param {import('gristmill').StreamRecord} record */
export default function answer(record) {
  const name = record.keys().case;
  const run = CASES[name];
  if (run === undefined) throw new Reject(`no such case: ${name}`);
  return run(record);
}

const CASES = {
  __proto__: null,

  echo(record) {
    let fields;
    try {
      const texts = [record.keysAttributes(), record.newImageAttributes(), record.oldImageAttributes()];
      const [keys, after, before] = texts.map((item) => item && itemToJson(item));
      fields = { keys, new: after, old: before };
    } catch (error) {
      throw new Reject(error.message);
    }
    log.info('echo', fields);
  },

  accessors(record) {
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
  },

  retry(record) {
    throw new Retry(record.newImage().text);
  },

  reject(record) {
    throw new Reject(record.newImage().text);
  },

  // After an `await`, where only a promise can tell of it.
  async throw(record) {
    await null;
    throw new Error(record.newImage().text);
  },

  trap,
  exit: trap,

  loop() {
    for (;;);
  },

  grow() {
    const kept = [];
    for (;;) kept.push(new Uint8Array(65536).fill(1));
  },

  recurse() {
    const deeper = (depth) => deeper(depth + 1) + 1;
    return deeper(0);
  },

  print(record) {
    const { bytes, text, stream } = record.newImage();
    const line = `${text ?? 'x'.repeat(bytes)}\n`;
    if (stream === 'stderr') stderr.write(line);
    else if (text !== undefined) console.log(text);
    else stdout.write(line);
  },

  log(record) {
    const { level, text, fields } = record.newImage();
    log.write(level, text, fields);
  },

  clock() {
    const first = Date.now();
    let second = first;
    while (second < first + 2) second = Date.now();
    log.info('clock', { 'first-ms': first, 'second-ms': second });
  },

  random() {
    const hex = (number) => number.toString(16).padStart(8, '0');
    const everyday = () => hex(Math.floor(Math.random() * 0x100000000));
    const secure = crypto.getRandomValues(new Uint32Array(2));
    log.info('random', { first: everyday() + everyday(), second: hex(secure[0]) + hex(secure[1]) });
  },
};

// There is no way to end a program in JavaScript without Node, and an error is no trap. What the contract cannot take
// is: the SDK lets no such thing through.
function trap() {
  write('no level', '', []);
}
