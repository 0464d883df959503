import assert from 'node:assert/strict';
import test from 'node:test';

import {
  DynamoNumber,
  ImageError,
  any,
  compareSequenceNumbers,
  listOf,
  mapOf,
  oneOf,
  optional,
  setOf,
} from 'gristmill';
import { Record, event, recordFromJson } from 'gristmill/testing';

/** The event that Lambda sends for a change of one item, but for the order of attributes, which is arbitrary. */
const SEED =
  '{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"},"name":{"S":"Tung Nguyen"}},"OldImage":{"id":{"S":"1"},"name":{"S":"Tung"}},"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}';

/** A modification between two images that need not be DynamoDB JSON. */
function raw(before, after) {
  const json = Record.modify('t').key('id', '1').toJson();
  const known = '"NewImage":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}},';
  assert.ok(json.includes(known));
  return recordFromJson(json.replace(known, () => `"NewImage":${after},"OldImage":${before},`));
}

test('a record is written as AWS writes it, and read', () => {
  const record = Record.modify('test-table')
    .key('id', '1')
    .oldAttribute('name', 'Tung')
    .newAttribute('name', 'Tung Nguyen')
    .createdAtMs(1_550_272_599_000)
    .streamArn('arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871');
  assert.equal(record.toJson(), SEED);
  const built = record.build();
  assert.equal(built.json, SEED);
  assert.equal(built.eventId, '1a87201789a6e14315b8038ebbd3b99d');
  assert.equal(built.eventName, 'MODIFY');
  assert.equal(built.table, 'test-table');
  assert.equal(built.region, 'us-west-2');
  assert.equal(built.sequenceNumber, '261800000000059086429283');
  assert.equal(built.sizeBytes, 32);
  assert.equal(built.createdAtMs, 1_550_272_599_000);
  assert.equal(built.userIdentity, undefined);
  assert.equal(built.isTtlDelete, false);
  assert.deepEqual(built.keys(), { id: '1' });
  assert.deepEqual(built.newImage(), { id: '1', name: 'Tung Nguyen' });
  assert.deepEqual(built.oldImageAttributes(), { id: { S: '1' }, name: { S: 'Tung' } });
  assert.equal(
    `${built}`,
    'MODIFY test-table keys {"id":{"S":"1"}} old {"id":{"S":"1"},"name":{"S":"Tung"}} new {"id":{"S":"1"},"name":{"S":"Tung Nguyen"}}',
  );
});

test('absent and empty are two things', () => {
  const insert = Record.insert('t').key('id', '1').build();
  assert.equal(insert.oldImage(), undefined);
  assert.equal(insert.oldImageAs({ id: String }), undefined);
  assert.equal(insert.oldImageJson, undefined);
  assert.deepEqual(raw('{}', '{}').oldImage(), {});
  assert.equal(
    String(Record.remove('t').key('id', '1').build()),
    'REMOVE t keys {"id":{"S":"1"}} old {"id":{"S":"1"}}',
  );
});

test('images stay byte for byte, and what was given away is not the record', () => {
  const record = raw('{ "a" : {"S":"\\u0061"} }', '{"b":{"L":[]}}');
  assert.equal(record.oldImageJson, '{ "a" : {"S":"\\u0061"} }');
  record.newImage().b.push(1);
  record.newImageAttributes().b.L.push(1);
  assert.deepEqual(record.newImage(), { b: [] });
});

test('each call of the host is made when it is asked for, and once', async () => {
  const { StreamRecord } = await import('gristmill');
  const calls = [];
  const source = new Proxy(
    {},
    {
      get: (_, name) => () => {
        calls.push(name);
        return { newImage: '{"n":{"N":"1"}}', eventName: 'insert', sizeBytes: 5n, oldImage: null }[name];
      },
    },
  );
  const record = new StreamRecord(source);
  assert.deepEqual(calls, []);
  assert.deepEqual(
    [record.newImage(), record.newImage(), record.newImageAs({ n: Number })],
    [{ n: 1 }, { n: 1 }, { n: 1 }],
  );
  assert.deepEqual(
    [record.eventName, record.sizeBytes, record.oldImage(), record.oldImageJson],
    ['INSERT', 5, undefined, undefined],
  );
  assert.deepEqual(calls, ['newImage', 'eventName', 'sizeBytes', 'oldImage']);
});

/** What a reading gives, or its error's text. */
function outcome(read) {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof ImageError, String(error?.stack));
    return error.message;
  }
}

test('plain values are the same the quick way and with care', () => {
  const nested = (levels) => `${'{"L":['.repeat(levels)}{"NULL":true}${']}'.repeat(levels)}`;
  for (const value of [
    '{"S":""}',
    '{"S":"a\\u0000b\\"\\\\é😀\\ud83d\\ude00\\n"}',
    '{"S":"\\ud800"}',
    '{"S":1}',
    '{"N":"1249.95"}',
    '{"N":"1"}',
    '{"N":"1x"}',
    '{"N":1}',
    '{"N":"0.12345678901234567890123456789012345678"}',
    '{"B":"AQ=="}',
    '{"B":"AQ="}',
    '{"SS":["b","a"]}',
    '{"SS":[]}',
    '{"SS":["b",1]}',
    '{"NS":["1","2.5"]}',
    '{"BS":["AQI=","/w=="]}',
    '{"BS":{"0":"AQI="}}',
    '{"BOOL":true}',
    '{"BOOL":false}',
    '{"BOOL":"true"}',
    '{"NULL":true}',
    '{"NULL":false}',
    '{"M":{}}',
    '{"M":{"a":{"S":"x"},"":{"L":[]},"__proto__":{"S":"p"},"constructor":{"N":"1"}}}',
    '{"M":{"a":{"S":"x"},"b":{"S":"y"}}}',
    '{"M":[{"S":"a"}]}',
    '{"M":"text"}',
    '{"L":[{"S":"a"},{"N":"2"},{"L":[{"BOOL":true}]}]}',
    '{"L":{"0":{"S":"a"}}}',
    '{"L":"text"}',
    '{"L":["text"]}',
    '{"X":"a"}',
    '{}',
    '[]',
    'null',
    '"text"',
    '1',
    '{"S":"a","N":"1"}',
    '{"S":"a","S":"b"}',
    '{"M":{"a":{"S":"x"},"a":{"S":"x"}}}',
    nested(62),
    nested(63),
  ]) {
    for (const numbers of ['number', 'exact']) {
      const quick = outcome(() => raw('{}', `{"v":${value},"w":{"S":"end"}}`).newImage({ numbers }));
      // White space leaves the quick way.
      const careful = outcome(() => raw('{}', `{"v":${value}, "w":{"S":"end"}}`).newImage({ numbers }));
      assert.deepEqual(quick, careful, value);
      // Of an exact number deepEqual does not see the digits.
      assert.equal(JSON.stringify(quick), JSON.stringify(careful), value);
    }
  }
});

test('white space that makes up for what is missing deceives nobody', () => {
  // A quick reader that took the list for a map would find as much text as there is.
  for (const spaces of Array.from({ length: 12 }, (_, index) => ' '.repeat(index))) {
    for (const value of ['{"M":[{"S":"a"}]}', '{"L":{"0":{"S":"a"}}}', '{"SS":"ab"}', '{"S":"a","N":"1"}', '{"S":null}']) {
      assert.equal(typeof outcome(() => raw('{}', `{"v":${value}${spaces}}`).newImage()), 'string', value);
      assert.equal(typeof outcome(() => raw('{}', `{"v":${value}${spaces}}`).newImageAttributes()), 'string', value);
    }
  }
});

test('a shape takes the attributes that it names, and checks them', () => {
  const Order = {
    id: String,
    cents: Number,
    exact: DynamoNumber,
    whole: BigInt,
    paid: Boolean,
    bytes: Uint8Array,
    status: oneOf('open', 'paid'),
    lines: [{ sku: String, count: Number }],
    prices: mapOf(Number),
    tags: setOf(String),
    sizes: setOf(Number),
    more: any,
    note: optional(String),
    gone: optional(listOf(String)),
    customer: { name: String },
  };
  const item = {
    id: '1',
    cents: 1200,
    exact: 0.5,
    whole: 2n ** 70n,
    paid: true,
    bytes: new Uint8Array([1]),
    status: 'paid',
    lines: [{ sku: 'a', count: 1, other: 'skipped' }],
    prices: { eur: 1.5 },
    tags: new Set(['x']),
    sizes: new Set([1]),
    more: [1, { a: null }],
    note: null,
    customer: { name: 'Tung', more: 2n ** 90n },
    huge: 2n ** 100n,
  };
  const order = Record.insert('t').key('id', '1').newImage(item).build().newImageAs(Order);
  const { huge, ...wanted } = item;
  assert.deepEqual(order, {
    ...wanted,
    exact: order.exact,
    lines: [{ sku: 'a', count: 1 }],
    note: undefined,
    customer: { name: 'Tung' },
  });
  assert.equal(String(order.exact), '0.5');
  for (const [attributes, message] of [
    [
      { ...item, lines: [{ sku: 'a', count: 'x' }] },
      'new image: lines[0].count: expected a number (N), found a string (S)',
    ],
    [{ ...item, lines: {} }, 'new image: lines: expected a list (L), found a map (M)'],
    [{ ...item, cents: 2n ** 70n }, /^new image: cents: the number 1180591620717411303424 has more digits/],
    [{ ...item, whole: 1.5 }, 'new image: whole: the number 1.5 has a fraction, and BigInt has none'],
    [{ ...item, status: 'lost' }, 'new image: status: expected one of "open", "paid", found "lost"'],
    [{ ...item, tags: ['x'] }, 'new image: tags: expected a string set (SS), found a list (L)'],
    [{ ...item, note: 1 }, 'new image: note: expected a string (S), found a number (N)'],
    [{ ...item, cents: undefined }, 'new image: cents: expected a number (N), found no such attribute'],
    [{ ...item, customer: {} }, 'new image: customer.name: expected a string (S), found no such attribute'],
    [{ ...item, prices: { eur: '1' } }, 'new image: prices.eur: expected a number (N), found a string (S)'],
  ]) {
    const record = Record.insert('t').key('id', '1').newImage(attributes).build();
    assert.throws(
      () => record.newImageAs(Order),
      (error) => {
        assert.ok(error instanceof ImageError);
        if (typeof message === 'string') assert.equal(error.message, message);
        else assert.match(error.message, message);
        return true;
      },
    );
  }
  const record = Record.insert('t').key('id', '1').build();
  assert.throws(() => record.newImageAs({ a: 'x' }), TypeError);
  assert.throws(() => record.newImageAs([String]), TypeError);
  assert.throws(
    () => raw('{}', '{"a":{"S":"1"},"a":{"S":"2"}}').newImageAs({ a: String }),
    /new image: a: the attribute is there twice/,
  );
  assert.throws(
    () => raw('{}', '{"a":{"S":"1","N":"2"}}').newImageAs({ a: String }),
    /new image: a: an attribute value with more/,
  );
});

test('what means the same has not changed', () => {
  for (const [before, after] of [
    ['{"S":"é\\n"}', '{ "S" : "\\u00e9\\u000a" }'],
    ['{"N":"1"}', '{"N":"1.0"}'],
    ['{"N":"0.010"}', '{"N":"+1e-2"}'],
    ['{"N":"-0"}', '{"N":"0E5"}'],
    ['{"N":"1200"}', '{"N":"12E2"}'],
    ['{"SS":["a","b"]}', '{"SS":["b","a"]}'],
    ['{"NS":["1","20","-3"]}', '{"NS":["-3.0","2E1","1"]}'],
    ['{"BS":["AQ==","Ag=="]}', '{"BS":["Ag==","AQ=="]}'],
    ['{"M":{"a":{"N":"1"},"b":{"NULL":true}}}', '{"M":{"b":{"NULL":true},"a":{"N":"1.0"}}}'],
    ['{"L":[{"NS":["1","2"]},{"M":{}}]}', '{"L":[{"NS":["2","1.0"]},{"M":{}}]}'],
  ]) {
    const record = raw(`{"v":${before}}`, `{"v":${after}}`);
    assert.equal(record.changed('v'), false, `${before} ${after}`);
    assert.deepEqual(record.changes(), []);
  }
});

test('what means another thing has changed', () => {
  for (const [before, after] of [
    ['{"S":"a"}', '{"S":"A"}'],
    ['{"S":"1"}', '{"N":"1"}'],
    ['{"S":"a"}', '{"SS":["a"]}'],
    ['{"N":"1"}', '{"N":"-1"}'],
    ['{"N":"0"}', '{"N":"1E-130"}'],
    ['{"N":"0.1234567890123456789012345678901234567"}', '{"N":"0.1234567890123456789012345678901234568"}'],
    ['{"B":"AQI="}', '{"B":"AQM="}'],
    ['{"SS":["a","b"]}', '{"SS":["a"]}'],
    ['{"NS":["1"]}', '{"L":[{"N":"1"}]}'],
    ['{"L":[{"N":"1"},{"N":"2"}]}', '{"L":[{"N":"2"},{"N":"1"}]}'],
    ['{"L":[]}', '{"L":[{"NULL":true}]}'],
    ['{"M":{"a":{"N":"1"}}}', '{"M":{"b":{"N":"1"}}}'],
    ['{"BOOL":true}', '{"BOOL":false}'],
    ['{"NULL":true}', '{"BOOL":true}'],
  ]) {
    const [change, ...others] = raw(`{"v":${before}}`, `{"v":${after}}`).changes();
    assert.deepEqual(others, []);
    assert.equal(change.kind, 'modified');
    assert.equal(String(change), `modified from ${before} to ${after}`);
  }
});

test('changes of an insert, a removal and a modification', () => {
  const insert = Record.insert('t').key('id', '1').attribute('a', 1);
  assert.deepEqual(insert.build().changes().map(String), ['added {"N":"1"}', 'added {"S":"1"}']);
  assert.deepEqual(Record.remove('t').key('id', '1').build().changes().map(String), ['removed {"S":"1"}']);
  const record = Record.modify('t').key('id', '1').oldAttribute('gone', null).newAttribute('new', [1]).build();
  assert.deepEqual(
    record.changes().map(({ attribute, kind, old, new: now }) => [attribute, kind, old, now]),
    [
      ['gone', 'removed', null, undefined],
      ['new', 'added', undefined, [1]],
    ],
  );
  assert.ok(record.changed('gone') && !record.changed('id') && !record.changed('never there'));
  for (const [builder, viewType, image] of [
    [insert, 'KEYS_ONLY', 'new'],
    [Record.modify('t').key('id', '1'), 'NEW_IMAGE', 'old'],
    [Record.modify('t').key('id', '1'), 'OLD_IMAGE', 'new'],
    [Record.remove('t').key('id', '1'), 'NEW_IMAGE', 'old'],
  ]) {
    assert.throws(() => builder.viewType(viewType).build().changed('a'), {
      name: 'ChangeError',
      message: new RegExp(
        `has no ${image} image, so what changed is not known; the stream's view type must be NEW_AND_OLD_IMAGES`,
      ),
    });
  }
  const good = '{"v":{"N":"1"}}';
  assert.throws(() => raw(good, '{"v":{"N":"x"}}').changes(), { message: 'new image: v: "x" is not a decimal number' });
  assert.throws(() => raw('{"v":{"N":"1"},"v":{"N":"1"}}', good).changed('v'), {
    message: 'old image: v: the attribute is there twice',
  });
});

test('a record that cannot be is an error at once', () => {
  const modify = Record.modify('t').key('id', '1');
  for (const [make, message] of [
    [() => Record.insert('a/stream/b'), /is no table's name/],
    [() => Record.insert('t').build(), /the record has no key/],
    [() => modify.key('b', '1').key('c', '1'), /is the third/],
    [() => modify.key('b', true), /the key "b" is {"BOOL":true}/],
    [() => modify.newAttribute('id', 1).build(), /the key "id" of the item is {"S":"1"}, and {"N":"1"} in an image/],
    [() => Record.insert('t').oldAttribute('a', 1), /an insert has no old image/],
    [() => Record.remove('t').newImageJson('{}'), /a removal has no new image/],
    [() => modify.newImageJson('{"a":{}}'), /a: an attribute value without a type/],
    [() => modify.sequenceNumber('26x'), /is no sequence number/],
    [() => modify.streamArn('arn:aws:sqs:eu-west-1:1:q'), /is no stream's ARN/],
    [() => modify.viewType('ALL'), /is no view type/],
    [() => event(modify, Record.insert('u').key('id', '1')), /an event is of one stream/],
    [() => recordFromJson('{}'), /dynamodb is missing or wrong/],
    [() => recordFromJson('{'), /not a stream record/],
  ]) {
    assert.throws(make, message);
  }
});

test('records of an event count on, and Time to Live is told from a caller', () => {
  const of = (id) => Record.insert('t').key('id', id);
  const records = JSON.parse(event(of('1'), of('2').sequenceNumber('9').createdAtMs(1500), of('3'))).Records;
  assert.deepEqual(
    records.map((record) => record.dynamodb.SequenceNumber),
    ['261800000000059086429283', '9', '261800000000059086429285'],
  );
  assert.deepEqual(
    records.map((record) => record.dynamodb.ApproximateCreationDateTime),
    [1767605400, 1.5, 1767605402],
  );
  assert.equal(event(), '{"Records":[]}\n');
  assert.ok(Record.ttlDelete('t').key('id', '1').build().isTtlDelete);
  assert.ok(!Record.remove('t').key('id', '1').userIdentity('User', 'dynamodb.amazonaws.com').build().isTtlDelete);
});

test('sequence numbers are compared as numbers', () => {
  assert.ok(compareSequenceNumbers('9', '10') < 0);
  assert.ok(compareSequenceNumbers('261800000000059086429284', '261800000000059086429283') > 0);
  assert.equal(compareSequenceNumbers('007', '7'), 0);
  assert.equal(compareSequenceNumbers('0', '000'), 0);
});
