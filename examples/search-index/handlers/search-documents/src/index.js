// search-documents: what a search index is to do for each change of a product, as log lines.
//
// A handler has no network yet, so that a reader of the log does the indexing. What is to be done is found by a
// function that only reads, and logged by another: a unit test sees what the first gives.

import { ImageError, Reject, log } from 'gristmill';

import { NotIndexable, documentOf, idOf } from './document.js';

/** @import { StreamRecord } from 'gristmill' */

/**
 * Called once for each record. To return means that it need not come again;
 * to throw any error means that it must.
 *
 * @param {StreamRecord} record
 */
export default function search(record) {
  const { action, id, version, document } = actionOf(record);
  log.info(`${action} ${id}`, { action, id, version, document: document && JSON.stringify(document) });
}

/**
 * What the index is to do. It keeps the version of each document, and of a deleted one, and passes over an action with
 * a version that is not higher: a record that comes twice, or late, changes nothing.
 *
 * An item that cannot be indexed will be so the next time too: that is a rejection, and no retry.
 *
 * @param {StreamRecord} record
 */
export function actionOf(record) {
  try {
    const id = idOf(record.keys({ numbers: 'exact' }));
    const version = versionOf(record.sequenceNumber);
    if (record.eventName === 'REMOVE') return { action: 'delete', id, version };
    const item = record.newImage({ numbers: 'exact' });
    if (item === undefined) throw new Reject('the stream does not carry new images');
    return { action: 'index', id, version, document: documentOf(item) };
  } catch (error) {
    if (error instanceof NotIndexable || error instanceof ImageError) {
      throw new Reject('not a document', { cause: error });
    }
    throw error;
  }
}

/** DynamoDB's longest, and room above it. */
const VERSION_DIGITS = 40;

/**
 * Higher for each later change of an item. A sequence number is too long for the numbers that indexes have for
 * versions; with zeros before it, it can be compared as a text.
 *
 * @param {string} sequenceNumber
 */
function versionOf(sequenceNumber) {
  return sequenceNumber.padStart(VERSION_DIGITS, '0');
}
