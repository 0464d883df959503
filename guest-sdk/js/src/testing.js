// Records made by hand, for the unit tests of handlers. What a test does not say has a value that AWS could have sent,
// and is the same on every run. A record that cannot be is an error where it is asked for.

import { chain } from './failure.js';
import { native } from './host-native.js';
import { significantDigits } from './number.js';
import { StreamRecord } from './record.js';
import { valueTexts } from './scan.js';
import { attributeToJson, itemFromJson, itemToJson, marshall, toAttribute } from './value.js';

/** 2026-01-05T09:30:00Z, which is also the label of the stream. */
const CREATED_AT_S = 1_767_605_400;
/** An event's records count from these on, so that each is one of its own. */
const FIRST_EVENT_ID = 0x1a872017_89a6e143_15b8038e_bbd3b99dn;
const FIRST_SEQUENCE_NUMBER = 261_800_000_000_059_086_429_283n;

const VIEW_TYPES = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES'];
const ARN = /^arn:[^:]*:dynamodb:([^:]*):[^:]*:table\/([^/]*(?:\/(?!stream\/)[^/]*)*)\/stream\/./s;
const DIGITS = /^[0-9]+$/;

// In JavaScript names that look like numbers come first in an object, and sorted they are in one place for all
// languages.
function sorted(item) {
  const byCodePoint = ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0);
  const entries = Object.entries(item).sort(byCodePoint);
  const texts = entries.map(([name, value]) => `${JSON.stringify(name)}:${sortedValue(value)}`);
  return `{${texts.join(',')}}`;
}

function sortedValue(value) {
  if (value.M !== undefined) return `{"M":${sorted(value.M)}}`;
  if (value.L !== undefined) return `{"L":[${value.L.map(sortedValue).join(',')}]}`;
  return attributeToJson(value);
}

/** Names and values in bytes, as a stream's `SizeBytes` counts them. */
function itemSize(item) {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + size(value), 0);
}

function size(value) {
  /** Of a list or map, whatever is in it; each element adds one. */
  const overhead = 3;
  const sum = (elements, of) => elements.reduce((total, element) => total + of(element), 0);
  const [[tag, inner]] = Object.entries(value);
  switch (tag) {
    case 'S':
      return Buffer.byteLength(inner);
    case 'N':
      return numberSize(inner);
    case 'B':
      return inner.length;
    case 'SS':
      return sum(inner, Buffer.byteLength);
    case 'NS':
      return sum(inner, numberSize);
    case 'BS':
      return sum(inner, (bytes) => bytes.length);
    case 'M':
      return overhead + Object.keys(inner).length + itemSize(inner);
    case 'L':
      return overhead + sum(inner, (element) => 1 + size(element));
    default:
      return 1;
  }
}

/** A byte for every two significant digits, one more, and one for a sign. */
function numberSize(text) {
  const { count, negative } = significantDigits(text);
  return Math.ceil(count / 2) + 1 + (negative ? 1 : 0);
}

/**
 * A stream record in the making. Each method gives another one and leaves this as it is. The key attributes are part of
 * every image by themselves; an attribute that is given twice has the later value.
 */
export class Record {
  #parts;

  constructor(eventName, table) {
    if (typeof table === 'object') {
      this.#parts = table;
      return;
    }
    if (!['INSERT', 'MODIFY', 'REMOVE'].includes(eventName)) throw new Error(`${eventName} is no event name`);
    if (!/^[A-Za-z0-9_.-]+$/.test(table)) {
      throw new Error(`${JSON.stringify(table)} is no table's name: a–z, A–Z, 0–9, \`_\`, \`-\` and \`.\``);
    }
    this.#parts = {
      eventName,
      streamArn: `arn:aws:dynamodb:us-east-1:123456789012:table/${table}/stream/2026-01-05T09:30:00.000`,
      keys: {},
      before: {},
      after: {},
      viewType: 'NEW_AND_OLD_IMAGES',
    };
  }

  /** An item of this table is new. */
  static insert(table) {
    return new Record('INSERT', table);
  }

  /** An item of this table has changed. */
  static modify(table) {
    return new Record('MODIFY', table);
  }

  /** A caller deleted an item of this table. */
  static remove(table) {
    return new Record('REMOVE', table);
  }

  /** Time to Live deleted an item of this table. */
  static ttlDelete(table) {
    return Record.remove(table).userIdentity('Service', 'dynamodb.amazonaws.com');
  }

  #with(parts) {
    return new Record(undefined, { ...this.#parts, ...parts });
  }

  /** A key attribute: the partition key, and a second for the sort key where the table has one. */
  key(name, value) {
    const attribute = toAttribute(value);
    if (!['S', 'N', 'B'].some((type) => type in attribute)) {
      const text = attributeToJson(attribute);
      throw new Error(`the key "${name}" is ${text}: DynamoDB takes a string (S), a number (N) or binary (B)`);
    }
    const keys = { ...this.#parts.keys, [name]: attribute };
    if (Object.keys(keys).length > 2) {
      throw new Error(`the key "${name}" is the third: an item has a partition key and may have a sort key`);
    }
    return this.#with({ keys });
  }

  /** An attribute that the change left as it was: part of each image that the change has. */
  attribute(name, value) {
    const { eventName } = this.#parts;
    const was = eventName === 'INSERT' ? this : this.oldAttribute(name, value);
    return eventName === 'REMOVE' ? was : was.newAttribute(name, value);
  }

  /** An attribute of the item before the change. */
  oldAttribute(name, value) {
    return this.oldImage({ [name]: value });
  }

  /** An attribute of the item after the change. */
  newAttribute(name, value) {
    return this.newImage({ [name]: value });
  }

  /** Attributes of the item before the change, beside those that were given already. */
  oldImage(item) {
    return this.#before(marshall(item));
  }

  /** Attributes of the item after the change, beside those that were given already. */
  newImage(item) {
    return this.#after(marshall(item));
  }

  /** The same as `oldImage`, from DynamoDB JSON. */
  oldImageJson(json) {
    return this.#before(itemFromJson(json));
  }

  /** The same as `newImage`, from DynamoDB JSON. */
  newImageJson(json) {
    return this.#after(itemFromJson(json));
  }

  #before(tree) {
    if (this.#parts.eventName === 'INSERT') throw new Error('an insert has no old image: there was no item');
    return this.#with({ before: { ...this.#parts.before, ...tree } });
  }

  #after(tree) {
    if (this.#parts.eventName === 'REMOVE') throw new Error('a removal has no new image: there is no item');
    return this.#with({ after: { ...this.#parts.after, ...tree } });
  }

  /** What the stream carries. Otherwise both images. */
  viewType(viewType) {
    if (!VIEW_TYPES.includes(viewType)) throw new Error(`${viewType} is no view type: ${VIEW_TYPES.join(', ')}`);
    return this.#with({ viewType });
  }

  /** The ARN of the stream: for another Region, account or label. */
  streamArn(streamArn) {
    if (!ARN.test(streamArn)) {
      throw new Error(`"${streamArn}" is no stream's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL`);
    }
    return this.#with({ streamArn });
  }

  /** The record's `eventID`. Otherwise 32 hexadecimal digits. */
  eventId(eventId) {
    return this.#with({ eventId });
  }

  /** The position in the shard. Otherwise 24 digits. */
  sequenceNumber(sequenceNumber) {
    if (!DIGITS.test(sequenceNumber)) throw new Error(`"${sequenceNumber}" is no sequence number: decimal digits`);
    return this.#with({ sequenceNumber });
  }

  /** About when the change was made, in milliseconds since the Unix epoch. Otherwise 2026-01-05T09:30:00Z. */
  createdAtMs(createdAtMs) {
    return this.#with({ createdAtMs });
  }

  /** Who made the change. Otherwise a caller, or Time to Live for `ttlDelete`. */
  userIdentity(type, principalId) {
    return this.#with({ identity: { type, principalId } });
  }

  /** The record, as a handler is given it. */
  build() {
    return recordFromJson(this.toJson());
  }

  /** The record as Lambda sends it: one element of an event's `Records`. */
  toJson() {
    return this.#numbered(0);
  }

  #numbered(index) {
    const parts = this.#parts;
    const text = JSON.stringify;
    const carries = (image) => parts.viewType === image || parts.viewType === 'NEW_AND_OLD_IMAGES';
    const [after, before] = [this.#whole(parts.after), this.#whole(parts.before)];
    const images = {
      NewImage: carries('NEW_IMAGE') && parts.eventName !== 'REMOVE' ? after : undefined,
      OldImage: carries('OLD_IMAGE') && parts.eventName !== 'INSERT' ? before : undefined,
    };
    const eventId = parts.eventId ?? (FIRST_EVENT_ID + BigInt(index)).toString(16).padStart(32, '0');
    const sequenceNumber = parts.sequenceNumber ?? String(FIRST_SEQUENCE_NUMBER + BigInt(index));
    const createdAtMs = parts.createdAtMs ?? (CREATED_AT_S + index) * 1000;
    const [seconds, fraction] = [Math.floor(createdAtMs / 1000), createdAtMs % 1000];
    const createdAt = fraction === 0 ? `${seconds}` : `${seconds}.${String(fraction).padStart(3, '0')}`;
    const carried = [parts.keys, ...Object.values(images).filter((image) => image !== undefined)];
    const sizeBytes = carried.reduce((sum, item) => sum + itemSize(item), 0);
    const [, region] = ARN.exec(parts.streamArn);

    let json = `{"eventID":${text(eventId)},"eventName":${text(parts.eventName)},"eventVersion":"1.1"`;
    json += `,"eventSource":"aws:dynamodb","awsRegion":${text(region)}`;
    if (parts.identity !== undefined) {
      const { type, principalId } = parts.identity;
      json += `,"userIdentity":{"principalId":${text(principalId)},"type":${text(type)}}`;
    }
    json += `,"dynamodb":{"ApproximateCreationDateTime":${createdAt},"Keys":${sorted(parts.keys)}`;
    for (const [name, image] of Object.entries(images)) {
      if (image !== undefined) json += `,"${name}":${sorted(image)}`;
    }
    json += `,"SequenceNumber":${text(sequenceNumber)},"SizeBytes":${sizeBytes},"StreamViewType":"${parts.viewType}"}`;
    return `${json},"eventSourceARN":${text(parts.streamArn)}}`;
  }

  /** The image of an item with these attributes. A change never changes a key: it is another item then. */
  #whole(attributes) {
    const { keys } = this.#parts;
    if (Object.keys(keys).length === 0) {
      throw new Error('the record has no key: say which item it is of, for example by .key("id", "1")');
    }
    for (const [name, key] of Object.entries(keys)) {
      if (!Object.hasOwn(attributes, name)) continue;
      const [ours, other] = [key, attributes[name]].map(attributeToJson);
      if (ours !== other) throw new Error(`the key "${name}" of the item is ${ours}, and ${other} in an image`);
    }
    return { ...attributes, ...keys };
  }

  /**
   * An event with these records, as Lambda sends it: for `gristmill invoke --event`. A record a line. Records that do
   * not say their event id, sequence number and time count on from one another.
   */
  static event(...records) {
    const arns = new Set(records.map((record) => record.#parts.streamArn));
    if (arns.size > 1) throw new Error(`an event is of one stream: ${[...arns].join(' and ')} are ${arns.size}`);
    const lines = records.map((record, index) => record.#numbered(index));
    return lines.length === 0 ? '{"Records":[]}\n' : `{"Records":[\n${lines.join(',\n')}\n]}\n`;
  }
}

/** See `Record.event`. */
export const event = Record.event;

function wrong(field) {
  return new Error(`not a stream record: ${field} is missing or wrong`);
}

/** A record from its JSON as Lambda sends it: one element of an event's `Records`. */
export function recordFromJson(json) {
  let parsed;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new Error(`not a stream record: ${error.message}`);
  }
  const change = parsed?.dynamodb;
  if (typeof change !== 'object' || change === null) throw wrong('dynamodb');
  const arn = ARN.exec(parsed.eventSourceARN ?? '');
  if (arn === null) throw wrong('eventSourceARN');
  const eventName = { INSERT: 'insert', MODIFY: 'modify', REMOVE: 'remove' }[parsed.eventName];
  if (eventName === undefined) throw wrong('eventName');
  if (!DIGITS.test(change.SequenceNumber ?? '')) throw wrong('dynamodb.SequenceNumber');
  const texts = valueTexts(valueTexts(json).get('dynamodb'));
  const image = (name) => (texts.get(name) === 'null' ? undefined : texts.get(name));
  if (image('Keys') === undefined) throw wrong('dynamodb.Keys');
  const identity = parsed.userIdentity;
  const seconds = change.ApproximateCreationDateTime;
  const source = {
    eventId: parsed.eventID ?? '',
    table: arn[2],
    streamArn: parsed.eventSourceARN,
    region: parsed.awsRegion ?? arn[1],
    sequenceNumber: change.SequenceNumber,
    eventName,
    sizeBytes: Number.isSafeInteger(change.SizeBytes) && change.SizeBytes >= 0 ? change.SizeBytes : undefined,
    createdAtMs: typeof seconds === 'number' && seconds >= 0 ? Math.floor(seconds * 1000 + 1e-4) : undefined,
    userIdentity: identity ? { type: identity.type ?? '', principalId: identity.principalId ?? '' } : undefined,
    keys: image('Keys'),
    newImage: image('NewImage'),
    oldImage: image('OldImage'),
    json,
  };
  const methods = Object.fromEntries(Object.entries(source).map(([name, value]) => [name, () => value]));
  return new StreamRecord(methods);
}

/** Sets what `invocation` gives, until the next call: what is not said has its stand-in. */
export function setInvocation(values = {}) {
  native.invocation = { ...native.standIn, ...values };
}

/** Runs a function, or awaits it, and gives the lines that it wrote with `log`, which are not printed meanwhile. */
export function logLines(run) {
  const lines = [];
  const before = native.seeLog;
  native.seeLog = (line) => lines.push(line);
  const end = () => {
    native.seeLog = before;
    return lines;
  };
  let result;
  try {
    result = run();
  } catch (error) {
    end();
    throw error;
  }
  if (typeof result?.then !== 'function') return end();
  return result.then(end, (error) => {
    end();
    throw error;
  });
}

/** The text of an error with its causes, as the host is told it. */
export function failureText(error) {
  return chain(error);
}
