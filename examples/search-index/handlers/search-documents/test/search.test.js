// `npm install`, once, and `npm test`.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';

import { Reject } from 'gristmill';
import { Record, event, failureText, logLines } from 'gristmill/testing';

import search, { actionOf } from '../src/index.js';

const TABLE = 'shop-dev_products';

const kettle = Record.insert(TABLE)
  .key('id', 'kettle-1')
  .newImage({
    name: 'Kettle',
    cents: 4900,
    tags: new Set(['steel', 'kitchen']),
    sizes: new Set([2, 1.5]),
    barcode: 12345678901234567890n,
    maker: { name: 'Zoë & Söhne', since: 1923 },
    parts: ['lid', { name: 'filter', count: 2 }],
    thumbnail: new Uint8Array([1, 2, 255]),
    successor: null,
  });

const cheaper = Record.modify(TABLE)
  .key('id', 'kettle-1')
  .attribute('name', 'Kettle')
  .oldAttribute('cents', 4900)
  .newAttribute('cents', 3900);

const gone = Record.remove(TABLE).key('id', 'kettle-1').attribute('name', 'Kettle');
const expired = Record.ttlDelete(TABLE).key('id', 'offer 7/8').attribute('name', 'Offer');
const dotted = Record.insert(TABLE).key('id', 'pan-1').newAttribute('weight.kg', 1.2);

/** The text with which a record is rejected. */
function rejection(record) {
  try {
    search(record.build());
  } catch (error) {
    assert.ok(error instanceof Reject, error);
    return failureText(error);
  }
  return assert.fail('it was taken');
}

test('a new product is a document', () => {
  assert.deepEqual(actionOf(kettle.build()), {
    action: 'index',
    id: 'kettle-1',
    version: '0000000000000000261800000000059086429283',
    document: {
      id: 'kettle-1',
      name: 'Kettle',
      cents: 4900,
      tags: ['kitchen', 'steel'],
      sizes: [1.5, 2],
      barcode: '12345678901234567890',
      maker: { name: 'Zoë & Söhne', since: 1923 },
      parts: ['lid', { name: 'filter', count: 2 }],
      thumbnail: 'AQL/',
    },
  });
});

test('a changed product is a document with a higher version', () => {
  const [first, second] = [kettle, cheaper.sequenceNumber('1000000000000000000000000')].map((record) =>
    actionOf(record.build()),
  );
  assert.deepEqual(second.document, { id: 'kettle-1', name: 'Kettle', cents: 3900 });
  assert.ok(second.version > first.version);
});

test('a product that is gone or expired is deleted', () => {
  assert.deepEqual(actionOf(gone.build()), {
    action: 'delete',
    id: 'kettle-1',
    version: '0000000000000000261800000000059086429283',
  });
  assert.equal(actionOf(expired.build()).id, 'offer%207%2F8');
  // It needs no image.
  assert.equal(actionOf(gone.viewType('KEYS_ONLY').build()).action, 'delete');
});

test('each item has an id of its own', () => {
  const id = (range) => actionOf(Record.remove(TABLE).key('id', 'a/b').key('range', range).build()).id;
  assert.equal(id(7), 'a%2Fb/7');
  assert.equal(id(12345678901234567890n), 'a%2Fb/12345678901234567890');
  assert.equal(id(new Uint8Array([255])), 'a%2Fb/%2Fw%3D%3D');
});

test('what cannot be indexed is rejected, and says which attribute it is', () => {
  const of = (item) => Record.insert(TABLE).key('id', '1').newImage(item);
  let deep = 'x';
  for (let level = 0; level < 21; level += 1) deep = { deep };
  for (const [record, text] of [
    [dotted, 'not a document: weight.kg: the name has a dot, and no field can'],
    [of({ _id: 'x' }), 'not a document: _id: the name begins with _, and no field can'],
    [of({ a: [{ '': 1 }] }), 'not a document: a[0].: the name is empty, and no field can'],
    [of({ a: 'é'.repeat(20_000) }), 'not a document: a: a text of 40000 bytes, and a field takes 32766'],
    [of({ deep }), /^not a document: (deep\.?){20}: nested deeper than 20 levels$/],
    [
      Record.remove(TABLE).key('id', 'x'.repeat(600)),
      'not a document: the key makes an id of 600 bytes, and 512 are allowed',
    ],
    [kettle.viewType('KEYS_ONLY'), 'the stream does not carry new images'],
  ]) {
    if (typeof text === 'string') assert.equal(rejection(record), text);
    else assert.match(rejection(record), text);
  }
  // Below the top a name may begin as it likes.
  assert.deepEqual(actionOf(of({ a: { _b: 1 } }).build()).document.a, { _b: 1 });
});

test('a log line says what is to be done', () => {
  const [line] = logLines(() => search(cheaper.build()));
  assert.equal(line.message, 'index kettle-1');
  assert.deepEqual(JSON.parse(line.fields.document), { cents: 3900, id: 'kettle-1', name: 'Kettle' });
  const [deletion] = logLines(() => search(gone.build()));
  assert.deepEqual(Object.keys(deletion.fields), ['action', 'id', 'version']);
});

// `event.json` is made of the records above; `GRISTMILL_BLESS=1 npm test` writes it anew.
test('the event is of these records', () => {
  const file = new URL('../../../event.json', import.meta.url);
  const text = event(kettle, cheaper, dotted, gone, expired);
  if (process.env.GRISTMILL_BLESS) writeFileSync(file, text);
  assert.equal(readFileSync(file, 'utf8'), text);
});
