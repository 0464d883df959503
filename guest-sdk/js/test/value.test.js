import assert from 'node:assert/strict';
import test from 'node:test';

import { DynamoNumber, ImageError, attributeToJson, itemFromJson, itemToJson, marshall, unmarshall } from 'gristmill';

/** The message of reading an image with the one attribute `v`. */
function refused(value) {
  try {
    itemFromJson(`{"v":${value}}`);
  } catch (error) {
    assert.ok(error instanceof ImageError, String(error?.stack));
    return error.message;
  }
  return assert.fail(`${value} was taken`);
}

function nested(levels) {
  return `${'{"L":['.repeat(levels)}{"NULL":true}${']}'.repeat(levels)}`;
}

test('text to tree to text changes nothing', () => {
  for (const value of [
    '{"S":""}',
    '{"S":"a\\u0000b\\"\\\\é😀\u2028"}',
    '{"N":"0.12345678901234567890123456789012345678"}',
    '{"N":"-99999999999999999999999999999999999999"}',
    '{"N":"1.50"}',
    '{"N":"-0"}',
    '{"N":"+1e-130"}',
    '{"N":"9.9999999999999999999999999999999999999E+125"}',
    '{"N":".5"}',
    '{"B":""}',
    '{"B":"AQ=="}',
    '{"B":"/+8="}',
    '{"SS":["b","a"]}',
    '{"NS":["1","1.0"]}',
    '{"BS":["AQI=","/w=="]}',
    '{"SS":[]}',
    '{"M":{"__proto__":{"S":"p"},"constructor":{"N":"1"},"":{"BOOL":false}}}',
    '{"L":[{"L":[]},{"M":{}},{"NULL":true},{"BOOL":true}]}',
    nested(62),
  ]) {
    assert.equal(itemToJson(itemFromJson(`{"v":${value}}`)), `{"v":${value}}`);
  }
});

test('an item with a huge string', () => {
  const text = 'é"x'.repeat(200_000);
  assert.equal(itemFromJson(itemToJson({ v: { S: text } })).v.S, text);
});

test('what is not DynamoDB JSON is an error that names its place', () => {
  const types = 'is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)';
  for (const [value, message] of [
    ['{"N":"x"}', 'v: "x" is not a decimal number'],
    ['{"N":1}', 'v: expected the number in a string, found 1'],
    ['{"L":[{"M":{"price":{"N":"1x"}}}]}', 'v[0].price: "1x" is not a decimal number'],
    ['{"M":{"a b":{"N":""}}}', 'v["a b"]: "" is not a decimal number'],
    ['{"NS":["1","x"]}', 'v[1]: "x" is not a decimal number'],
    ['{"X":1}', `v: "X" ${types}`],
    ['{"s":"a"}', `v: "s" ${types}`],
    ['{"S":"a","N":"1"}', 'v: an attribute value with more than one type'],
    ['{"S":"a","S":"b"}', 'v: an attribute value with more than one type'],
    ['{"S":"a","X":"b"}', `v: "X" ${types}`],
    ['{}', 'v: an attribute value without a type: {}'],
    ['5', 'v: expected an attribute value such as {"S":"…"}, found 5'],
    ['null', 'v: expected an attribute value such as {"S":"…"}, found null'],
    ['[]', 'v: expected an attribute value such as {"S":"…"}, found []'],
    ['{"S":1}', 'v: expected a string, found 1'],
    ['{"S":null}', 'v: expected a string, found null'],
    ['{"BOOL":"true"}', 'v: expected true or false, found "true"'],
    ['{"NULL":false}', 'v: expected true, which is what NULL holds, found false'],
    ['{"NULL":null}', 'v: expected true, which is what NULL holds, found null'],
    ['{"M":[]}', 'v: expected attributes in braces, found []'],
    ['{"L":{}}', 'v: expected a list in brackets, found {}'],
    ['{"SS":"a"}', 'v: expected a list in brackets, found "a"'],
    ['{"SS":[1]}', 'v[0]: expected a string, found 1'],
    ['{"B":"A*=="}', 'v: not base64: "*" at 1'],
    ['{"B":"AQI"}', 'v: not base64: its length is no multiple of 4'],
    ['{"B":"AR=="}', 'v: not base64: bits are left over'],
    ['{"B":" AQI=   "}', 'v: not base64: " " at 0'],
    ['{"BS":["AQ==","="]}', 'v[1]: not base64: its length is no multiple of 4'],
    ['{"S":"\\ud800"}', 'not JSON: half of a surrogate pair'],
    ['{"S":"\\uDC00\\ud800"}', 'not JSON: half of a surrogate pair'],
  ]) {
    assert.equal(refused(value), message, value);
  }
  assert.equal(itemFromJson('{"v":{"S":"\\ud83d\\ude00\\\\ud800"}}').v.S, '😀\\ud800');
  assert.match(refused(nested(64)), /^v(\[0\]){63}: nested deeper than 64 levels$/);
  for (const text of ['', '{', '[]', 'null', '"x"', '{"a":{"S":"b"}}x', "{'a':1}"]) {
    assert.throws(() => itemFromJson(text), ImageError, text);
  }
  assert.throws(() => itemFromJson('['.repeat(100_000)), ImageError);
});

test('a name that is twice in a map is an error, wherever it is', () => {
  for (const [json, message] of [
    ['{"a":{"S":"1"},"a":{"S":"1"}}', 'a: the attribute is there twice'],
    ['{"a":{"S":"1"},"\\u0061":{"S":"1"}}', 'a: the attribute is there twice'],
    [
      '{"l":{"L":[{"S":"x"},{"M":{"b":{"N":"1"},"c":{"S":":"},"b":{"N":"2"}}}]}}',
      'l[1].b: the attribute is there twice',
    ],
    ['{ "a" : {"S":"1"} , "a" : {"S":"1"} }', 'a: the attribute is there twice'],
  ]) {
    assert.throws(() => itemFromJson(json), { message });
  }
  // What looks like more names, and is none.
  const odd = '{"a":{"S":":x"},"b":{"S":"\\":"},"c" : {"S":"\\\\"}}';
  assert.deepEqual(itemFromJson(odd), { a: { S: ':x' }, b: { S: '":' }, c: { S: '\\' } });
});

test('numbers that DynamoDB does not have are refused', () => {
  for (const text of [
    '',
    '-',
    '.',
    'e1',
    '1e',
    '0x1',
    '1_000',
    'NaN',
    'Infinity',
    '1.2.3',
    ' 1',
    '1 ',
    '--1',
    '1e1.5',
    '٣',
  ]) {
    assert.throws(() => new DynamoNumber(text), { message: `${JSON.stringify(text)} is not a decimal number` });
  }
  const digits = '123456789012345678901234567890123456789';
  assert.throws(() => new DynamoNumber(digits), { message: `the number ${digits} has more than 38 digits` });
  assert.equal(String(new DynamoNumber(digits.slice(1))), digits.slice(1));
  for (const text of ['1e126', '1e-131', '1e+300', '1e-300', '1e999999999999999999999', '-1e-99999999999999999999']) {
    assert.throws(() => new DynamoNumber(text), /is beyond what DynamoDB has/, text);
  }
  for (const text of [
    '9.9999999999999999999999999999999999999E+125',
    '1E-130',
    '0e999999999',
    '1',
    '.5',
    '5.',
    '+3',
    '-0',
  ]) {
    assert.equal(String(new DynamoNumber(text)), text);
  }
  assert.throws(() => new DynamoNumber(NaN));
  assert.throws(() => new DynamoNumber(Infinity));
  assert.throws(() => new DynamoNumber(Number.MAX_VALUE));
});

test('a number becomes what JavaScript has, exactly or not at all', () => {
  assert.equal(new DynamoNumber('1.50').toNumber(), 1.5);
  assert.equal(new DynamoNumber('0.1').toNumber(), 0.1);
  assert.equal(new DynamoNumber('1E-130').toNumber(), 1e-130);
  assert.equal(new DynamoNumber('9007199254740993').toBigInt(), 9007199254740993n);
  assert.throws(() => new DynamoNumber('9007199254740993').toNumber(), /more digits than a JavaScript number holds/);
  assert.throws(() => new DynamoNumber('0.12345678901234567890123').toNumber());
  assert.equal(Number(new DynamoNumber('9007199254740993')), 9007199254740992);
  for (const text of ['100', '1E2', '100.0', '+1e+2', '00100']) assert.equal(new DynamoNumber(text).toBigInt(), 100n);
  assert.equal(new DynamoNumber('-1.2E3').toBigInt(), -1200n);
  assert.equal(new DynamoNumber('-0').toBigInt(), 0n);
  assert.throws(() => new DynamoNumber('1.5').toBigInt(), {
    message: 'the number 1.5 has a fraction, and BigInt has none',
  });
  assert.ok(
    new DynamoNumber('1.0').equals('1') && new DynamoNumber('0E5').equals(-0) && !new DynamoNumber(1).equals(-1),
  );
  const big = new DynamoNumber('12345678901234567890.5');
  assert.equal(`${big}`, '12345678901234567890.5');
  assert.equal(JSON.stringify({ big }), '{"big":"12345678901234567890.5"}');
  assert.ok(big > 1 && big + 1 > 1);
  assert.equal(String(new DynamoNumber(1e21)), '1e+21');
});

const PLAIN = {
  s: 'text',
  n: -1.5,
  yes: true,
  nothing: null,
  bytes: new Uint8Array([1, 2]),
  strings: new Set(['a', 'b']),
  numbers: new Set([1, 2.5]),
  binaries: new Set([new Uint8Array([1])]),
  list: [1, 'x', [true]],
  map: { deep: { deeper: 0 } },
};

test('plain values there and back', () => {
  const item = marshall(PLAIN);
  assert.deepEqual(item.strings, { SS: ['a', 'b'] });
  assert.deepEqual(item.numbers, { NS: ['1', '2.5'] });
  assert.deepEqual(item.nothing, { NULL: true });
  assert.deepEqual(unmarshall(item), PLAIN);
  assert.deepEqual(unmarshall(itemFromJson(itemToJson(item))), PLAIN);
  assert.equal(marshall({ big: 2n ** 64n }).big.N, '18446744073709551616');
  assert.deepEqual(marshall({ gone: undefined, map: new Map([['a', 1]]) }), { map: { M: { a: { N: '1' } } } });
  class Order {
    id = '1';
  }
  assert.deepEqual(marshall(new Order()), { id: { S: '1' } });
  assert.deepEqual(marshall(new Map([['a', 1]])), { a: { N: '1' } });
  for (const item of [new Set(['a']), new Date(0), [1], 'a', null, undefined, new (class {})(), new Uint8Array(1)]) {
    assert.throws(() => marshall(item), /an item is an object, its attributes by name, and not /);
  }
  for (const [value, message] of [
    [{ v: new Set() }, 'v: an empty Set has no type, and DynamoDB no empty sets'],
    [{ v: new Set([1, 'a']) }, 'v: the elements of a Set are all strings, all numbers, or all Uint8Array'],
    [{ v: () => 1 }, 'v: DynamoDB has no value for a function'],
    [{ v: new Date(0) }, 'v: DynamoDB has no value for a Date: make it an object or a text'],
    [{ v: [undefined] }, 'v: DynamoDB has no value for undefined'],
    [{ v: NaN }, 'v: "NaN" is not a decimal number'],
  ]) {
    assert.throws(() => marshall(value), { message });
  }
  const ring = {};
  ring.ring = ring;
  assert.throws(() => marshall(ring), /nested deeper than 64 levels/);
});

test('a number that does not fit is an error, or exact when asked for', () => {
  const item = itemFromJson('{"v":{"L":[{"N":"12345678901234567890"},{"NS":["1"]}]}}');
  assert.throws(() => unmarshall(item), {
    message: 'v[0]: the number 12345678901234567890 has more digits than a JavaScript number holds: read it exactly',
  });
  const { v } = unmarshall(item, { numbers: 'exact' });
  assert.equal(v[0].toBigInt(), 12345678901234567890n);
  assert.ok([...v[1]][0] instanceof DynamoNumber);
  assert.throws(() => unmarshall(item, { numbers: 'some' }), TypeError);
  assert.ok(Object.is(unmarshall({ v: { N: '-0' } }).v, -0));
});

test('a tree that somebody made is checked', () => {
  assert.throws(() => attributeToJson({ S: 'a', N: '1' }), /more than one type/);
  assert.throws(() => attributeToJson({ N: 1 }), ImageError);
  assert.throws(() => itemToJson({ v: { M: { a: 'x' } } }), {
    message: 'v.a: expected an attribute value such as {"S":"…"}, found "x"',
  });
  assert.throws(() => unmarshall({ v: { S: 'a', N: '1' } }), /more than one type/);
});
