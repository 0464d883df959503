// Log lines with a level and fields, one call of the host each.

import { writeLog } from '#host';
import { format, inspect } from './format.js';

/** A field is read by machines: a bigint has no `n`, and an error no stack. */
function fieldText(value) {
  return ['string', 'bigint'].includes(typeof value) ? String(value) : inspect(value);
}

function fieldsOf(fields) {
  if (fields === undefined || fields === null) return [];
  const list = [];
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value !== undefined) list.push([name, fieldText(value)]);
  }
  return list;
}

function writer(level) {
  return (message, fields) => writeLog(level, format([message]), fieldsOf(fields));
}

/** `log.info('paid', { order: id })`: a line for people, and fields for machines. What is undefined is no field. */
export const log = Object.freeze({
  /** Writes a line at a level that is only known at run time. */
  write: (level, message, fields) => {
    if (!LEVELS.includes(level))
      throw new TypeError(`no level of a log line: ${format([level])}; it is ${LEVELS.join(', ')}`);
    writer(level)(message, fields);
  },
  trace: writer('trace'),
  debug: writer('debug'),
  info: writer('info'),
  warn: writer('warn'),
  error: writer('error'),
  critical: writer('critical'),
});

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];
