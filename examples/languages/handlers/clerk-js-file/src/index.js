// clerk-js-file: called for each record of a table's stream.

/** @import { StreamRecord } from 'gristmill' */

/**
 * Called once for each record. To return means that it need not come again;
 * to throw any error means that it must.
 *
 * @param {StreamRecord} record
 */
export default function file(record) {
  console.log(`event: ${record}`);
}
