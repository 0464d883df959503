// `console` in a component: `log` prints to stdout, and the methods that have a level write a log line of it.

import { format, inspect } from './format.js';
import { monotonicMs, print, writeLog } from './host-component.js';

const counts = new Map();
const timesMs = new Map();

function writer(level) {
  return (...values) => writeLog(level, format(values), []);
}

function took(label) {
  const startMs = timesMs.get(label);
  return startMs === undefined ? undefined : `${label}: ${(monotonicMs() - startMs).toFixed(3)} ms`;
}

export const componentConsole = {
  log: (...values) => print('stdout', `${format(values)}\n`),
  debug: writer('debug'),
  info: writer('info'),
  warn: writer('warn'),
  error: writer('error'),
  /** At the level trace: where it is called is no part of the line. */
  trace: writer('trace'),
  dir: (value) => print('stdout', `${inspect(value)}\n`),
  table: (value) => print('stdout', `${inspect(value)}\n`),
  assert: (condition, ...values) => {
    if (!condition) writeLog('error', `Assertion failed${values.length > 0 ? `: ${format(values)}` : ''}`, []);
  },
  count: (label = 'default') => {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    writeLog('debug', `${label}: ${counts.get(label)}`, []);
  },
  countReset: (label = 'default') => void counts.delete(label),
  group: (...values) => {
    if (values.length > 0) componentConsole.log(...values);
  },
  groupCollapsed: (...values) => componentConsole.group(...values),
  groupEnd: () => {},
  time: (label = 'default') => void timesMs.set(label, monotonicMs()),
  timeLog: (label = 'default', ...values) => {
    const text = took(label);
    if (text !== undefined) writeLog('debug', format([text, ...values]), []);
  },
  timeEnd: (label = 'default') => {
    componentConsole.timeLog(label);
    timesMs.delete(label);
  },
};
