// `npm install`, once, and `npm test`.

import test from 'node:test';

import { Record } from 'gristmill/testing';

import handler from '../src/index.js';

test('a change is handled', async () => {
  const record = Record.modify('test-table')
    .key('id', '1')
    .oldAttribute('name', 'Tung')
    .newAttribute('name', 'Tung Nguyen')
    .build();
  await handler(record);
});
