// One record of a DynamoDB stream, as a handler reads it.
//
// In a component the record stays in the host. Each property and method copies out what it names, once: an image costs
// nothing until it is asked for.

import { ChangeError, changed, changes } from './change.js';
import { ofImage } from './error.js';
import { readAs } from './shape.js';
import { ParsedItem, attributesOf } from './value.js';

const EVENT_NAMES = { __proto__: null, insert: 'INSERT', modify: 'MODIFY', remove: 'REMOVE' };

export class StreamRecord {
  /** The host's record, or what stands in for it natively: the methods of the contract's `stream-record`. */
  #source;
  #kept = { __proto__: null };

  constructor(source) {
    this.#source = source;
  }

  /** What a method of the host gives, asked once. What is absent is null on one engine and undefined on another. */
  #of(method) {
    const kept = this.#kept;
    if (!(method in kept)) kept[method] = this.#source[method]() ?? undefined;
    return kept[method];
  }

  /** The record's `eventID`, the same on every delivery. */
  get eventId() {
    return this.#of('eventId');
  }

  /** The table's name, as it stands in the stream's ARN. */
  get table() {
    return this.#of('table');
  }

  /** The ARN of the stream, label included. */
  get streamArn() {
    return this.#of('streamArn');
  }

  /** The Region that the record comes from. */
  get region() {
    return this.#of('region');
  }

  /** The position in the shard: decimal digits, too many for a number. `compareSequenceNumbers` compares two. */
  get sequenceNumber() {
    return this.#of('sequenceNumber');
  }

  /** What happened to the item: `INSERT`, `MODIFY` or `REMOVE`. */
  get eventName() {
    return EVENT_NAMES[this.#of('eventName')];
  }

  /** The size of keys and images in bytes, as DynamoDB counts it. */
  get sizeBytes() {
    const bytes = this.#of('sizeBytes');
    return bytes === undefined ? undefined : Number(bytes);
  }

  /** About when the change was made, in milliseconds since the Unix epoch. */
  get createdAtMs() {
    const ms = this.#of('createdAtMs');
    return ms === undefined ? undefined : Number(ms);
  }

  /** Who made the change, when it was a service and not a caller: `{ type, principalId }`. */
  get userIdentity() {
    return this.#of('userIdentity');
  }

  /** Whether Time to Live deleted the item, and no caller did. */
  get isTtlDelete() {
    if (this.eventName !== 'REMOVE') return false;
    const identity = this.userIdentity;
    return identity?.type === 'Service' && identity.principalId === 'dynamodb.amazonaws.com';
  }

  /** The item's key attributes as DynamoDB JSON, byte for byte as they came. */
  get keysJson() {
    return this.#of('keys');
  }

  /** The item after the change as DynamoDB JSON, byte for byte as it came. Undefined when the record has none. */
  get newImageJson() {
    return this.#of('newImage');
  }

  /** The item before the change as DynamoDB JSON, byte for byte as it came. Undefined when the record has none. */
  get oldImageJson() {
    return this.#of('oldImage');
  }

  /** The whole record, byte for byte as it came. */
  get json() {
    return this.#of('json');
  }

  /** The item's key attributes as plain values. */
  keys(options) {
    return ofImage('keys', () => this.#parsed('keys').unmarshall(options));
  }

  /** The item after the change as plain values. Undefined when the record has none. */
  newImage(options) {
    if (this.newImageJson === undefined) return undefined;
    return ofImage('new image', () => this.#parsed('newImage').unmarshall(options));
  }

  /** The item before the change as plain values. Undefined when the record has none. */
  oldImage(options) {
    if (this.oldImageJson === undefined) return undefined;
    return ofImage('old image', () => this.#parsed('oldImage').unmarshall(options));
  }

  /** The key attributes that a shape names, checked. */
  keysAs(shape) {
    return ofImage('keys', () => this.#parsed('keys').read((item) => readAs(shape, item)));
  }

  /** The attributes after the change that a shape names, checked. Undefined when the record has no such image. */
  newImageAs(shape) {
    if (this.newImageJson === undefined) return undefined;
    return ofImage('new image', () => this.#parsed('newImage').read((item) => readAs(shape, item)));
  }

  /** The attributes before the change that a shape names, checked. Undefined when the record has no such image. */
  oldImageAs(shape) {
    if (this.oldImageJson === undefined) return undefined;
    return ofImage('old image', () => this.#parsed('oldImage').read((item) => readAs(shape, item)));
  }

  /** The item's key attributes as a tree, without loss. */
  keysAttributes() {
    return ofImage('keys', () => this.#parsed('keys').read(attributesOf));
  }

  /** The item after the change as a tree, without loss. Undefined when the record has none. */
  newImageAttributes() {
    if (this.newImageJson === undefined) return undefined;
    return ofImage('new image', () => this.#parsed('newImage').read(attributesOf));
  }

  /** The item before the change as a tree, without loss. Undefined when the record has none. */
  oldImageAttributes() {
    if (this.oldImageJson === undefined) return undefined;
    return ofImage('old image', () => this.#parsed('oldImage').read(attributesOf));
  }

  /** Whether an attribute of the item differs between the old image and the new one. */
  changed(attribute) {
    return changed(this.#images(), attribute);
  }

  /** The attributes of the item that differ between the old image and the new one, sorted by name. */
  changes() {
    return changes(this.#images());
  }

  /** The record in a line: `MODIFY test-table keys {…} old {…} new {…}`, with images as they came. */
  toString() {
    let text = `${this.eventName} ${this.table} keys ${this.keysJson}`;
    if (this.oldImageJson !== undefined) text += ` old ${this.oldImageJson}`;
    if (this.newImageJson !== undefined) text += ` new ${this.newImageJson}`;
    return text;
  }

  /** For `console.log` in Node. */
  [Symbol.for('nodejs.util.inspect.custom')]() {
    return this.toString();
  }

  /** The items before and after the change, as JSON.parse made them. */
  #images() {
    const item = (method, image, noItem) => {
      if (this.#of(method) === undefined) {
        // Absent because there was no item, it stands for an item without attributes. Kept back by the view type, it
        // stands for nothing: to take it for empty would make everything changed, and for the other image nothing.
        if (this.eventName === noItem) return {};
        throw new ChangeError(this.eventName, image);
      }
      return ofImage(`${image} image`, () => this.#parsed(method).read((parsed) => parsed));
    };
    return { before: item('oldImage', 'old', 'INSERT'), after: item('newImage', 'new', 'REMOVE') };
  }

  // What JSON.parse made of an image, kept: nothing here changes it, and nothing of it is given away.
  #parsed(method) {
    const name = `parsed ${method}`;
    this.#kept[name] ??= new ParsedItem(this.#of(method));
    return this.#kept[name];
  }
}

/** Below zero when `a` comes before `b` in the shard, above zero when after. */
export function compareSequenceNumbers(a, b) {
  const [left, right] = [a, b].map((digits) => digits.replace(/^0+(?=.)/, ''));
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
