// What is around a record: failures, log lines, the invocation, and the parts that only a component has.

import assert from 'node:assert/strict';
import test from 'node:test';

import { DynamoNumber, Reject, Retry, invocation, log } from 'gristmill';
import { Record, failureText, logLines, setInvocation } from 'gristmill/testing';

import { failureOf } from '../src/failure.js';
import { format } from '../src/format.js';
import { GristmillPromise, runJobs, takeUnseen } from '../src/promise.js';
import { setOrigins, traced } from '../src/trace.js';
import { fromUtf8, utf8 } from '../src/utf8.js';

test('the text of a failure has its causes', () => {
  const cause = new Error('connection reset');
  assert.equal(failureText(new Retry('cannot charge', { cause })), 'cannot charge: connection reset');
  assert.equal(failureText(new TypeError('no')), 'TypeError: no');
  assert.equal(failureText(new Error('', { cause: 'why' })), 'why');
  assert.equal(failureText(new Error()), 'an error without a text');
  assert.equal(failureText(new Retry()), '');
  assert.equal(failureText('text'), 'text');
  assert.equal(failureText(undefined), 'undefined');
  assert.equal(failureText({ code: 1 }), '{ code: 1 }');
  assert.equal(
    failureText(new AggregateError([new Error('a'), new RangeError('b')], 'all')),
    'AggregateError: all [a; RangeError: b]',
  );
  const ring = new Error('ring');
  ring.cause = ring;
  assert.ok(failureText(ring).startsWith('ring: ring: '));
});

test('what is thrown is a retry unless it says that it is not', () => {
  assert.deepEqual(failureOf(new Reject('never')), { kind: 'reject', text: 'never', stack: '' });
  assert.deepEqual(failureOf(new Retry('later')), { kind: 'retry', text: 'later', stack: '' });
  const { kind, text, stack } = failureOf(new Error('oops', { cause: new Error('why') }));
  assert.deepEqual([kind, text], ['retry', 'oops: why']);
  assert.match(stack, /^Error: oops\n +at .*\n[^]*\ncaused by Error: why\n/);
  class Mine extends Reject {}
  assert.equal(failureOf(new Mine('x')).kind, 'reject');
  for (const evil of [
    null,
    undefined,
    Object.create(null),
    new Proxy(
      {},
      {
        get: () => {
          throw new Error();
        },
      },
    ),
  ]) {
    assert.equal(failureOf(evil).kind, 'retry');
  }
  const odd = new Error('x');
  Object.defineProperty(odd, 'message', {
    get: () => {
      throw new Error('no');
    },
  });
  assert.equal(failureOf(odd).kind, 'retry');
});

test('log lines are seen in tests', async () => {
  const record = Record.insert('t').key('id', '1').build();
  const lines = logLines(() => {
    log.info('paid', { order: 7, exact: new DynamoNumber('1.50'), gone: undefined, list: [1, 'a'], record });
    log.write('critical', { a: 1 });
  });
  assert.deepEqual(lines, [
    {
      level: 'info',
      message: 'paid',
      fields: { order: '7', exact: '1.50', list: '[ 1, "a" ]', record: String(record) },
    },
    { level: 'critical', message: '{ a: 1 }', fields: {} },
  ]);
  assert.equal((await logLines(async () => log.trace('later'))).length, 1);
  assert.throws(() => log.write('loud', 'x'), /no level of a log line: loud/);
});

test('the invocation has stand-ins', () => {
  assert.equal(invocation.requestId.length, 36);
  assert.deepEqual(
    [invocation.attempt, invocation.deadlineMs, invocation.remainingMs, invocation.traceHeader],
    [1, undefined, undefined, undefined],
  );
  setInvocation({ attempt: 2, deadlineMs: 1 });
  assert.deepEqual([invocation.attempt, invocation.deadlineMs, invocation.remainingMs], [2, 1, 0]);
  setInvocation();
  assert.equal(invocation.attempt, 1);
});

test('console texts are close to JSON', () => {
  for (const [values, text] of [
    [['a', 1, 'b'], 'a 1 b'],
    [['%s is %d, %j %o 100%%', 'x', '5', { a: 1 }, [1], 'rest'], 'x is 5, {"a":1} [ 1 ] 100% rest'],
    [['50%'], '50%'],
    [[{ a: 'x', 'b c': [1n, null, undefined, -0], d: {} }], '{ a: "x", "b c": [ 1n, null, undefined, -0 ], d: {} }'],
    [[new Set(['a']), new Map([['k', 1]])], 'Set(1) { "a" } Map(1) { "k" => 1 }'],
    [[new Uint8Array([1, 2])], 'Uint8Array(2) [ 1, 2 ]'],
    [[new Date(0), [new TypeError('x')], new DynamoNumber('1.0')], '1970-01-01T00:00:00.000Z [ TypeError: x ] 1.0'],
    [[class A {}, () => 1, Symbol('s')], '[Function: A] [Function: (anonymous)] Symbol(s)'],
    [[Object.create(null)], '{}'],
  ]) {
    assert.equal(format(values), text);
  }
  const error = new TypeError('x', { cause: new Error('y') });
  assert.match(format(['failed:', error]), /^failed: TypeError: x\n +at .*\ncaused by Error: y\n +at /s);
  const ring = { a: [] };
  ring.a.push(ring);
  assert.equal(format([ring]), '{ a: [ [Circular] ] }');
  assert.match(format([Array.from({ length: 200 }, () => 0)]), /0, … \]$/);
});

test('UTF-8 is that of the standard', () => {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (const text of [
    '',
    'abc',
    'aé€😀',
    '\u0000\u007f\u0080\u07ff\u0800\uffff',
    'a\ud800b',
    '\udc00',
    '\ud83d\ud83d\ude00',
    '\ufeffx',
    'é'.repeat(9000),
  ]) {
    assert.deepEqual(utf8(text), encoder.encode(text));
    assert.equal(fromUtf8(encoder.encode(text), true), decoder.decode(encoder.encode(text)));
  }
  let state = 1;
  const next = () => (state = (state * 48271) % 0x7fffffff);
  const interesting = [
    0x00, 0x41, 0x7f, 0x80, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
  ];
  for (let round = 0; round < 5000; round += 1) {
    const bytes = Uint8Array.from({ length: next() % 8 }, () => interesting[next() % interesting.length]);
    assert.equal(fromUtf8(bytes, false), decoder.decode(bytes), String(bytes));
  }
});

test('stack traces are told in the files of the handler', () => {
  setOrigins(
    JSON.stringify({
      files: ['gristmill/src/a.js', 'src/index.js'],
      runs: [
        [1, 0, 1],
        [10, 1, 5],
        [20, -1, 1],
        [30, 0, 1],
      ],
    }),
  );
  const stack =
    'Error: x\n    at file (componentize-qjs:user.js:12:9)\n    at next (native)\n    at sdk (componentize-qjs:user.js:3:1)\n    at run (componentize-qjs:user.js:31)';
  assert.equal(traced(stack), 'Error: x\n    at file (src/index.js:7)\n    at next (native)');
});

// The promises that QuickJS uses in a component

const P = GristmillPromise;

function settled(promise) {
  let outcome = 'pending';
  promise.then(
    (value) => (outcome = ['fulfilled', value]),
    (reason) => (outcome = ['rejected', reason]),
  );
  runJobs();
  return outcome;
}

test('promises settle as the standard has it', () => {
  const error = new Error('x');
  const fails = () => {
    throw error;
  };
  for (const [promise, outcome] of [
    [P.resolve(1), ['fulfilled', 1]],
    [P.reject(error), ['rejected', error]],
    [new P(fails), ['rejected', error]],
    [new P(() => {}), 'pending'],
    [new P((resolve) => resolve(P.resolve(2))), ['fulfilled', 2]],
    [
      new P((resolve) => {
        resolve(3);
        throw error;
      }),
      ['fulfilled', 3],
    ],
    [P.resolve({ then: (resolve) => resolve(4) }), ['fulfilled', 4]],
    [P.resolve({ then: fails }), ['rejected', error]],
    [P.resolve(1).then(fails), ['rejected', error]],
    [
      P.reject(error)
        .then(1)
        .catch((reason) => reason),
      ['fulfilled', error],
    ],
    [P.resolve(5).finally(() => 6), ['fulfilled', 5]],
    [P.resolve(5).finally(fails), ['rejected', error]],
    [P.reject(error).finally(() => 6), ['rejected', error]],
    [P.all([1, P.resolve(2)]), ['fulfilled', [1, 2]]],
    [P.all([]), ['fulfilled', []]],
    [P.all([1, P.reject(error)]), ['rejected', error]],
    [
      P.allSettled([1, P.reject(error)]),
      [
        'fulfilled',
        [
          { status: 'fulfilled', value: 1 },
          { status: 'rejected', reason: error },
        ],
      ],
    ],
    [P.any([P.reject(error), 7]), ['fulfilled', 7]],
    [P.race([new P(() => {}), 8]), ['fulfilled', 8]],
    [P.race([]), 'pending'],
    [P.try((a) => a + 1, 1), ['fulfilled', 2]],
    [P.try(fails), ['rejected', error]],
  ]) {
    assert.deepEqual(settled(promise), outcome);
  }
  const [kind, reason] = settled(P.any([P.reject(error)]));
  assert.deepEqual([kind, reason.errors], ['rejected', [error]]);
  const { promise, resolve } = P.withResolvers();
  resolve(promise);
  assert.ok(settled(promise)[1] instanceof TypeError);
  assert.deepEqual(takeUnseen(), []);
});

test('jobs run in the order in which they came', () => {
  const order = [];
  P.resolve()
    .then(() => order.push(1))
    .then(() => order.push(3));
  P.resolve()
    .then(() => order.push(2))
    .then(() => order.push(4));
  runJobs();
  assert.deepEqual(order, [1, 2, 3, 4]);
});

test('a subclass stays one', () => {
  class Mine extends P {}
  assert.ok(Mine.resolve(1).then(() => 1) instanceof Mine);
  assert.ok(P.resolve(Mine.resolve(1)) instanceof P);
});

test('a rejection that nobody looks at is not lost', () => {
  P.reject('a');
  P.resolve().then(() => {
    throw 'b';
  });
  const seen = P.reject('c');
  seen.catch(() => {});
  runJobs();
  assert.deepEqual(takeUnseen(), ['a', 'b']);
  assert.deepEqual(takeUnseen(), []);
});
