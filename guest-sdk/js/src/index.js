// Write handlers of DynamoDB stream records for gristmill in JavaScript and TypeScript. The types are in index.d.ts.

export { Change, ChangeError } from './change.js';
export { ImageError } from './error.js';
export { Reject, Retry } from './failure.js';
export { invocation } from './invocation.js';
export { log } from './log.js';
export { DynamoNumber } from './number.js';
export { StreamRecord, compareSequenceNumbers } from './record.js';
export { any, listOf, mapOf, oneOf, optional, setOf } from './shape.js';
export { stderr, stdout } from './stdio.js';
export { attributeToJson, itemFromJson, itemToJson, marshall, unmarshall } from './value.js';
