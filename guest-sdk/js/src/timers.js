// Timers for QuickJS in a component. While a handler awaits, and nothing else is left to do, the call sleeps until the
// next one is due.

import { monotonicMs, sleepMs } from './host-component.js';

let timers = [];
let lastId = 0;

function add(callback, delayMs, args, isRepeated) {
  if (typeof callback !== 'function') throw new TypeError('the callback of a timer is a function');
  const ms = Math.max(1, Number(delayMs) || 0);
  lastId += 1;
  timers.push({ id: lastId, dueMs: monotonicMs() + ms, everyMs: isRepeated ? ms : undefined, callback, args });
  return lastId;
}

function remove(id) {
  timers = timers.filter((timer) => timer.id !== id);
}

/** Sleeps until the next timer is due and calls it. False when there is none. */
export function runNextTimer() {
  if (timers.length === 0) return false;
  const next = timers.reduce((first, timer) => (timer.dueMs < first.dueMs ? timer : first));
  const waitMs = next.dueMs - monotonicMs();
  if (waitMs > 0) sleepMs(waitMs);
  if (next.everyMs === undefined) remove(next.id);
  else next.dueMs = monotonicMs() + next.everyMs;
  next.callback(...next.args);
  return true;
}

/** No timer outlives the call that set it. */
export function dropTimers() {
  timers = [];
}

export const timerGlobals = {
  setTimeout: (callback, delayMs, ...args) => add(callback, delayMs, args, false),
  setInterval: (callback, delayMs, ...args) => add(callback, delayMs, args, true),
  clearTimeout: remove,
  clearInterval: remove,
};
