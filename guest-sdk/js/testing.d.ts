import type { DynamoNumber, Level, StreamRecord, Writable, WritableItem, invocation } from './index.d.ts';

export type ViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

/**
 * A stream record in the making, for the unit tests of handlers.
 *
 * ```js
 * const record = Record.modify('orders').key('id', '1').attribute('cents', 1200)
 *   .oldAttribute('status', 'open').newAttribute('status', 'paid').build();
 * ```
 *
 * Each method gives another one and leaves this as it is. The key attributes are part of every image by themselves.
 * What is not said has a value that AWS could have sent, the same on every run. A record that cannot be, such as an
 * insert with an old image, is an error at the line that asks for it.
 */
export class Record {
  private constructor();
  /** An item of this table is new. */
  static insert(table: string): Record;
  /** An item of this table has changed. */
  static modify(table: string): Record;
  /** A caller deleted an item of this table. */
  static remove(table: string): Record;
  /** Time to Live deleted an item of this table. */
  static ttlDelete(table: string): Record;

  /** A key attribute: the partition key, and a second for the sort key where the table has one. */
  key(name: string, value: string | number | bigint | DynamoNumber | Uint8Array): Record;
  /** An attribute that the change left as it was: part of each image that the change has. */
  attribute(name: string, value: Writable): Record;
  /** An attribute of the item before the change. */
  oldAttribute(name: string, value: Writable): Record;
  /** An attribute of the item after the change. */
  newAttribute(name: string, value: Writable): Record;
  /** Attributes of the item before the change, beside those that were given already. */
  oldImage<T extends object>(item: T & WritableItem<T>): Record;
  /** Attributes of the item after the change, beside those that were given already. */
  newImage<T extends object>(item: T & WritableItem<T>): Record;
  /** The same as `oldImage`, from DynamoDB JSON. */
  oldImageJson(json: string): Record;
  /** The same as `newImage`, from DynamoDB JSON. */
  newImageJson(json: string): Record;

  /** What the stream carries. Otherwise both images. */
  viewType(viewType: ViewType): Record;
  /** The ARN of the stream: for another Region, account or label. */
  streamArn(arn: string): Record;
  /** The record's `eventID`. Otherwise 32 hexadecimal digits. */
  eventId(id: string): Record;
  /** The position in the shard. Otherwise 24 digits. */
  sequenceNumber(digits: string): Record;
  /** About when the change was made, in milliseconds since the Unix epoch. Otherwise 2026-01-05T09:30:00Z. */
  createdAtMs(ms: number): Record;
  /** Who made the change. Otherwise a caller, or Time to Live for `ttlDelete`. */
  userIdentity(type: string, principalId: string): Record;

  /** The record, as a handler is given it. */
  build(): StreamRecord;
  /** The record as Lambda sends it: one element of an event's `Records`. */
  toJson(): string;

  /** See {@link event}. */
  static event(...records: Record[]): string;
}

/** An event with these records, as Lambda sends it: for `gristmill invoke --event`. A record a line. */
export function event(...records: Record[]): string;

/** A record from its JSON as Lambda sends it: one element of an event's `Records`. */
export function recordFromJson(json: string): StreamRecord;

/** Sets what `invocation` gives, until the next call. What is not said has its stand-in. */
export function setInvocation(values?: Partial<Omit<typeof invocation, 'remainingMs'>>): void;

/** A line that was written with `log`. */
export interface LogLine {
  level: Level;
  message: string;
  fields: { [name: string]: string };
}

/** Runs a function and gives the lines that it wrote with `log`, which are not printed meanwhile. */
export function logLines(run: () => Promise<unknown>): Promise<LogLine[]>;
export function logLines(run: () => unknown): LogLine[];

/** The text of an error with its causes, as the host is told it. */
export function failureText(error: unknown): string;
