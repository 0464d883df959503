// The types, held by the compiler: nothing of it runs. `tsc --noEmit` finds no error, so each line that is expected to be
// one is.

import {
  type Handler,
  type InferItem,
  type Item,
  DynamoNumber,
  any,
  listOf,
  mapOf,
  marshall,
  oneOf,
  optional,
  setOf,
} from 'gristmill';
import { Record } from 'gristmill/testing';

const Order = {
  id: String,
  status: oneOf('open', 'paid'),
  cents: BigInt,
  price: DynamoNumber,
  courier: optional(String),
  more: optional(any),
  tags: setOf(String),
  prices: mapOf(Number),
  lines: [{ sku: String, count: Number, note: optional(String) }],
  flags: listOf(Boolean),
  bytes: Uint8Array,
  deep: { grid: [[Number]] },
};

export function parts(order: InferItem<typeof Order>): unknown[] {
  const status: 'open' | 'paid' = order.status;
  const cents: bigint = order.cents;
  const price: DynamoNumber = order.price;
  const courier: string | undefined = order.courier;
  const tags: Set<string> = order.tags;
  const lines: { sku: string; count: number; note?: string | undefined }[] = order.lines;
  const flags: boolean[] = order.flags;
  const bytes: Uint8Array = order.bytes;
  const grid: number[][] = order.deep.grid;
  // @ts-expect-error: it is optional.
  const sure: string = order.courier;
  // @ts-expect-error: there is no such attribute.
  const none = order.none;
  return [status, cents, price, courier, tags, lines, flags, bytes, grid, sure, none];
}

export const handlers: Handler[] = [
  (record) => console.log(record.newImageAs(Order)?.lines[0]?.sku),
  async (record) => {
    await Promise.resolve(record.eventName);
  },
  () => {},
  // @ts-expect-error: an event of Lambda's is no record.
  (event: { Records: unknown[] }) => event.Records.length,
  // @ts-expect-error: nothing else is given.
  (record, context: { id: string }) => [record, context.id],
];

interface Address {
  city: string;
}
interface Customer {
  id: string;
  address: Address;
  others: Address[];
  labels: Set<string>;
  nickname?: string | undefined;
}

export function items(customer: Customer, values: Map<string, number>): Item[] {
  return [
    marshall(customer),
    marshall(values),
    marshall({ id: '1', total: 1n, price: new DynamoNumber('1.50'), list: [1, 'a', null], map: { a: new Uint8Array() } }),
    // @ts-expect-error: a list is no item.
    marshall([1]),
    // @ts-expect-error: nor is a date.
    marshall(new Date()),
    // @ts-expect-error: nor a set.
    marshall(new Set(['a'])),
    // @ts-expect-error: DynamoDB has no functions.
    marshall({ f: () => 1 }),
    // @ts-expect-error: nor dates.
    marshall({ at: new Date() }),
  ];
}

export const records = (customer: Customer): Record[] => [
  Record.insert('t').key('id', '1').newImage(customer),
  // @ts-expect-error: a key is a string, a number or binary.
  Record.insert('t').key('id', true),
  // @ts-expect-error: a list is no image.
  Record.insert('t').newImage(['a']),
];
