/// <reference path="./globals.d.ts" />

/**
 * What a handler is: the default export of its file.
 *
 * Called once for each record. To return means that the record need not come again; to throw, or to return a promise
 * that is rejected, that it must. What else is returned is not looked at.
 */
export type Handler = (record: StreamRecord) => unknown;

/** What happened to the item: it is new, it changed, or it was deleted, by a caller or by Time to Live. */
export type EventName = 'INSERT' | 'MODIFY' | 'REMOVE';

/** Who made the change, when it was a service and not a caller. */
export interface UserIdentity {
  /** For example `Service`. */
  readonly type: string;
  /** For example `dynamodb.amazonaws.com`. */
  readonly principalId: string;
}

/**
 * An attribute's value without loss, as AWS's SDK for JavaScript has it: `{ S: 'text' }`, `{ N: '1.50' }`. Sets are
 * apart from lists, a number is its decimal text, binary is bytes.
 */
export type AttributeValue =
  | AttributeValueOf<'S', string>
  | AttributeValueOf<'N', string>
  | AttributeValueOf<'B', Uint8Array>
  | AttributeValueOf<'SS', string[]>
  | AttributeValueOf<'NS', string[]>
  | AttributeValueOf<'BS', Uint8Array[]>
  | AttributeValueOf<'M', Item>
  | AttributeValueOf<'L', AttributeValue[]>
  | AttributeValueOf<'BOOL', boolean>
  | AttributeValueOf<'NULL', true>;

type AttributeType = 'S' | 'N' | 'B' | 'SS' | 'NS' | 'BS' | 'M' | 'L' | 'BOOL' | 'NULL';
type AttributeValueOf<Type extends AttributeType, Value> = { [T in Type]: Value } & {
  [Other in Exclude<AttributeType, Type>]?: never;
};

/** An item, or a part of it: attributes by name. */
export interface Item {
  [name: string]: AttributeValue;
}

/**
 * A plain value: S is a string, N a number (or a {@link DynamoNumber}), B a Uint8Array, BOOL a boolean, NULL null, L an
 * array, M an object, and SS, NS and BS are Sets.
 */
export type Value =
  | string
  | number
  | DynamoNumber
  | boolean
  | null
  | Uint8Array
  | Set<string>
  | Set<number>
  | Set<DynamoNumber>
  | Set<Uint8Array>
  | Value[]
  | { [name: string]: Value };

/**
 * What plain values are made to attributes from: as {@link Value}, with bigints, Maps, and undefined for what is left
 * out.
 */
export type Writable =
  | string
  | number
  | bigint
  | DynamoNumber
  | boolean
  | null
  | undefined
  | Uint8Array
  | ReadonlySet<string | number | bigint | DynamoNumber | Uint8Array>
  | ReadonlyMap<string, Writable>
  | readonly Writable[]
  | { readonly [name: string]: Writable };

/**
 * What an item is made from: an object, an interface among them, or a Map, whose parts are all {@link Writable}. Not an
 * instance of a class.
 */
export type WritableItem<T> = T extends ReadonlyMap<string, Writable>
  ? T
  : T extends readonly unknown[] | ReadonlySet<unknown> | Uint8Array | DynamoNumber
    ? never
    : WritablePart<T>;

type WritablePart<T> = T extends Writable
  ? T
  : T extends (...values: never[]) => unknown
    ? never
    : T extends object
      ? { [Name in keyof T]: WritablePart<T[Name]> }
      : never;

export interface NumberOptions {
  /**
   * `number` (the default): N is a JavaScript number, and one that has more digits than that holds is an error.
   * `exact`: N is a {@link DynamoNumber}.
   */
  numbers?: 'number' | 'exact';
}

/**
 * One record of a DynamoDB stream.
 *
 * In a component the record stays in the host. Each property and method copies out what it names, once, so images cost
 * nothing until they are asked for. In a unit test, make one with `Record` of `gristmill/testing`.
 */
export class StreamRecord {
  private constructor();

  /** The record's `eventID`, the same on every delivery. */
  readonly eventId: string;
  /** The table's name, as it stands in the stream's ARN. */
  readonly table: string;
  /** The ARN of the stream, label included. */
  readonly streamArn: string;
  /** The Region that the record comes from. */
  readonly region: string;
  /** The position in the shard: decimal digits, too many for a number. See {@link compareSequenceNumbers}. */
  readonly sequenceNumber: string;
  /** What happened to the item. */
  readonly eventName: EventName;
  /** The size of keys and images in bytes, as DynamoDB counts it. */
  readonly sizeBytes: number | undefined;
  /** About when the change was made, in milliseconds since the Unix epoch. */
  readonly createdAtMs: number | undefined;
  /** Who made the change, when it was a service and not a caller. */
  readonly userIdentity: UserIdentity | undefined;
  /**
   * Whether Time to Live deleted the item, and no caller did. In the Region that deleted it, and not in a replica's.
   */
  readonly isTtlDelete: boolean;

  /**
   * The item's key attributes as plain values.
   *
   * @throws {@link ImageError} They are not DynamoDB JSON, or a number has too many digits.
   */
  keys<T = { [name: string]: Value }>(options?: NumberOptions): T;

  /**
   * The item after the change as plain values. Undefined when the record has none, which is not the same as an empty
   * image: a removal has none, nor does a stream of view type `KEYS_ONLY` or `OLD_IMAGE`.
   *
   * `T` is believed and not checked: {@link newImageAs} checks.
   *
   * @throws {@link ImageError} The image is not DynamoDB JSON, or a number has too many digits.
   */
  newImage<T = { [name: string]: Value }>(options?: NumberOptions): T | undefined;

  /** The item before the change as plain values; see {@link newImage}. An insert has none. */
  oldImage<T = { [name: string]: Value }>(options?: NumberOptions): T | undefined;

  /** The key attributes that a shape names, checked; see {@link newImageAs}. */
  keysAs<S extends ItemShape>(shape: S): InferItem<S>;

  /**
   * The attributes after the change that a shape names, checked. Others are passed over. Undefined as for {@link
   * newImage}.
   *
   * ```ts
   * const Order = { id: String, cents: Number, courier: optional(String), lines: [{ sku: String, count: Number }] };
   * const order = record.newImageAs(Order);
   * ```
   *
   * @throws {@link ImageError} An attribute is missing or of another type:
   * `new image: lines[3].count: expected a number (N), found a string (S)`.
   */
  newImageAs<S extends ItemShape>(shape: S): InferItem<S> | undefined;

  /** The attributes before the change that a shape names, checked; see {@link newImageAs}. */
  oldImageAs<S extends ItemShape>(shape: S): InferItem<S> | undefined;

  /** The item's key attributes without loss. */
  keysAttributes(): Item;
  /** The item after the change without loss. */
  newImageAttributes(): Item | undefined;
  /** The item before the change without loss. */
  oldImageAttributes(): Item | undefined;

  /** The item's key attributes as DynamoDB JSON, byte for byte as they came. */
  readonly keysJson: string;
  /** The item after the change as DynamoDB JSON, byte for byte as it came. */
  readonly newImageJson: string | undefined;
  /** The item before the change as DynamoDB JSON, byte for byte as it came. */
  readonly oldImageJson: string | undefined;
  /** The whole record, byte for byte as it came, with fields that gristmill does not know. */
  readonly json: string;

  /**
   * Whether an attribute of the item differs between the old image and the new one.
   *
   * Values are compared by what they mean: `1`, `1.0` and `1E0` are one number, sets and maps have no order. An
   * attribute that is in one image alone has changed. Of an insert every attribute has changed, of a removal too.
   *
   * @throws {@link ChangeError} The stream's view type keeps an image back that the answer needs.
   * @throws {@link ImageError} An image is not DynamoDB JSON.
   */
  changed(attribute: string): boolean;

  /**
   * The attributes of the item that differ between the old image and the new one, sorted by name; see {@link changed}.
   * Top-level attributes: a map of which one element changed is one change.
   */
  changes(): Change[];

  /** The record in a line: `MODIFY test-table keys {…} old {…} new {…}`, with images as they came. */
  toString(): string;
}

/** Below zero when `a` comes before `b` in the shard, above zero when after. */
export function compareSequenceNumbers(a: string, b: string): number;

/** What became of one attribute. */
export class Change {
  private constructor();
  readonly attribute: string;
  readonly kind: 'added' | 'removed' | 'modified';
  /** The value before the change, as `oldImage()` gives it; undefined when there was none. */
  readonly old: Value | undefined;
  /** The value after the change, as `newImage()` gives it; undefined when there is none. */
  readonly new: Value | undefined;
  /** The value before the change without loss. */
  readonly oldAttribute: AttributeValue | undefined;
  /** The value after the change without loss. */
  readonly newAttribute: AttributeValue | undefined;
  /** For people: `modified from {"N":"1"} to {"N":"2"}`. */
  toString(): string;
}

/**
 * It cannot be told what a record changed: the stream's view type keeps an image back. It will be so the next time too.
 */
export class ChangeError extends Error {
  private constructor();
}

/** Why an image could not be read, and which attribute was in the way. */
export class ImageError extends Error {
  private constructor();
  /** `keys`, `new image` or `old image`; undefined for a text from elsewhere. */
  readonly image: string | undefined;
  /** The path of the attribute that is wrong, such as `orders[3].price`; empty when it is the image as a whole. */
  readonly path: string;
  /** What is wrong, without the place. */
  readonly reason: string;
}

/**
 * Throw it to say that it may go better next time: deliver the record again. Every other error but {@link Reject} says
 * the same, and beside that has its stack printed to stderr.
 */
export class Retry extends Error {}

/**
 * Throw it to say that it will never go better. `new Reject('not an order', { cause: error })` keeps the cause's text.
 */
export class Reject extends Error {}

/** A DynamoDB number (N), kept as the decimal text that it came as: up to 38 significant digits. */
export class DynamoNumber {
  /** @throws {@link ImageError} It is no number that DynamoDB has. */
  constructor(value: string | number | bigint | DynamoNumber);
  /** The decimal text, as it came. */
  toString(): string;
  /**
   * The very same number.
   *
   * @throws {@link ImageError} It has more digits than a JavaScript number holds. `Number(n)` gives the nearest.
   */
  toNumber(): number;
  /**
   * The whole number: `100`, `1E2` and `100.0` are all one hundred.
   *
   * @throws {@link ImageError} It has a fraction.
   */
  toBigInt(): bigint;
  /** Whether it is the same number, in whatever spelling. */
  equals(other: string | number | bigint | DynamoNumber): boolean;
  /** The nearest JavaScript number, which `+`, `<` and `>` take too: they may round. */
  valueOf(): number;
  /** The decimal text. */
  toJSON(): string;
}

/** The tree of an item, without loss, from its DynamoDB JSON. */
export function itemFromJson(json: string): Item;
/** DynamoDB JSON of an item, without white space. */
export function itemToJson(item: Item): string;
/** DynamoDB JSON of one attribute value, such as `{"S":"text"}`. */
export function attributeToJson(value: AttributeValue): string;
/** The tree of an item from plain values. What is undefined is left out. */
export function marshall<T extends object>(item: T & WritableItem<T>): Item;
/** An item's plain values from its tree. */
export function unmarshall<T = { [name: string]: Value }>(item: Item, options?: NumberOptions): T;

// Shapes

/** A part of a shape that is not one of JavaScript's own constructors. */
export interface Part<T, IsOptional extends boolean = false> {
  readonly '~type'?: T;
  readonly isOptional: IsOptional;
}

/** Of what type an attribute is: `String`, `Number`, `[String]`, `{ sku: String }`, `optional(String)`, … */
export type Shape =
  | StringConstructor
  | NumberConstructor
  | BigIntConstructor
  | BooleanConstructor
  | Uint8ArrayConstructor
  | typeof DynamoNumber
  | Part<any, boolean>
  | readonly Shape[]
  | ItemShape;

/** Which attributes an item has, and of what type each is. */
export interface ItemShape {
  readonly [name: string]: Shape;
}

/** The type of what is read by a shape. */
export type Infer<S> = S extends StringConstructor
  ? string
  : S extends NumberConstructor
    ? number
    : S extends BigIntConstructor
      ? bigint
      : S extends BooleanConstructor
        ? boolean
        : S extends Uint8ArrayConstructor
          ? Uint8Array
          : S extends typeof DynamoNumber
            ? DynamoNumber
            : S extends Part<infer T, boolean>
              ? T
              : S extends readonly (infer E)[]
                ? Infer<E>[]
                : InferItem<S>;

type OptionalNames<S> = { [Name in keyof S]: S[Name] extends Part<any, true> ? Name : never }[keyof S];

/** The type of an item that is read by a shape. */
export type InferItem<S> = { -readonly [Name in Exclude<keyof S, OptionalNames<S>>]: Infer<S[Name]> } & {
  -readonly [Name in OptionalNames<S>]?: Infer<S[Name]>;
} extends infer T
  ? { [Name in keyof T]: T[Name] }
  : never;

/** Undefined when the attribute is absent or null (NULL). */
export function optional<const S extends Shape>(shape: S): Part<Infer<S> | undefined, true>;
/** A list (L). `[shape]` is the same. */
export function listOf<const S extends Shape>(shape: S): Part<Infer<S>[]>;
/** A set (SS, NS, BS), by what its elements are. */
export function setOf<
  S extends StringConstructor | NumberConstructor | BigIntConstructor | Uint8ArrayConstructor | typeof DynamoNumber,
>(shape: S): Part<Set<Infer<S>>>;
/** A map (M) of any names, whose values are all of one shape. */
export function mapOf<const S extends Shape>(shape: S): Part<{ [name: string]: Infer<S> }>;
/** One of these strings (S). */
export function oneOf<const T extends string>(...texts: T[]): Part<T>;
/** Any value, as `newImage()` gives it. */
export const any: Part<Value>;

// Around the record

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'critical';

/** A log line: a text for people, and fields for machines. Values are written as text, and undefined is no field. */
export type WriteLog = (message: unknown, fields?: { readonly [name: string]: unknown }) => void;

/** Log lines with a level and fields, through the host; in a unit test on stderr. One call of the host each. */
export const log: {
  write(level: Level, message: unknown, fields?: { readonly [name: string]: unknown }): void;
} & { readonly [L in Level]: WriteLog };

/** What a handler can know about the invocation that it runs in. In a unit test, stand-ins. */
export const invocation: {
  /** The id of the Lambda invocation. A delivery that repeats an unchanged batch keeps its id. */
  readonly requestId: string;
  /** This handler's name in the manifest. */
  readonly handler: string;
  /** The name of the Lambda function, or of what stands in for it. */
  readonly functionName: string;
  /** The version of the Lambda function, such as `$LATEST`. */
  readonly functionVersion: string;
  /** How often this environment has handed this record to this handler, this time included. A lower bound. */
  readonly attempt: number;
  /** When the host will stop this call, in milliseconds since the Unix epoch. Undefined when nothing limits it. */
  readonly deadlineMs: number | undefined;
  /** The milliseconds that are left until then, zero when it is past. Undefined when nothing limits it. */
  readonly remainingMs: number | undefined;
  /** The AWS X-Ray trace header of the invocation. */
  readonly traceHeader: string | undefined;
};

/** Plain printing. What is printed is logged by the host, a line each. */
export const stdout: { write(text: string): void };
export const stderr: { write(text: string): void };
