// clerk-ts-file: called for each record of a table's stream.

import type { StreamRecord } from 'gristmill';

/**
 * Called once for each record. To return means that it need not come again;
 * to throw any error means that it must.
 */
export default function file(record: StreamRecord): void {
  console.log(`event: ${record}`);
}
