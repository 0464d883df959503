// Plain printing. What a handler prints is logged by the host, a line each.

import { print } from '#host';

function writerTo(stream) {
  return Object.freeze({
    /** Writes a text as it is, without a line end. */
    write: (text) => print(stream, String(text)),
  });
}

export const stdout = writerTo('stdout');
export const stderr = writerTo('stderr');
