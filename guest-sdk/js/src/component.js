// What a component exports: it hands each record to the handler, and says to the host how that ended.

import { failureOf } from './failure.js';
import { print, wellFormed } from './host-component.js';
import { GristmillPromise, runJobs, takeUnseen } from './promise.js';
import { beginRandom } from './random.js';
import { StreamRecord } from './record.js';
import { dropTimers, runNextTimer } from './timers.js';
import { setOrigins } from './trace.js';

/** The engines make the contract's `result` of what is thrown. */
function throwToHost({ kind, text, stack }) {
  if (stack !== '') print('stderr', `${stack}\n`);
  throw { payload: { tag: kind, val: wellFormed(text) } };
}

/** An error that is returned was meant to be thrown, and what has still to be run was not run. */
function checkResult(result) {
  if (result instanceof Error) throw result;
  const isGenerator = typeof result?.next === 'function';
  if (isGenerator || typeof result === 'function') {
    throw new TypeError(`the handler returned a ${isGenerator ? 'generator' : 'function'}, which nobody runs`);
  }
}

function isPromise(result) {
  return typeof result?.then === 'function';
}

/** Waits for a promise: runs what there is to do until it is settled, and then what is left. */
function waitFor(promise) {
  let outcome;
  GristmillPromise.resolve(promise).then(
    (value) => {
      outcome = { value };
    },
    (reason) => {
      outcome = { reason };
    },
  );
  runJobs();
  while (outcome === undefined) {
    if (!runNextTimer()) {
      throw new Error(
        'the handler awaits a promise that nothing will settle any more: its work is not known to be done',
      );
    }
    runJobs();
  }
  if ('reason' in outcome) throw outcome.reason;
  return outcome.value;
}

/** QuickJS: promises are ours, and are run here. */
function handleOnQuickJs(handler, record) {
  let unseen;
  try {
    let result = handler(record);
    if (isPromise(result)) result = waitFor(result);
    else runJobs();
    checkResult(result);
  } finally {
    dropTimers();
    unseen = takeUnseen();
  }
  // Node ends the process for such a promise. What it was to do is not done, so the record has to come again.
  if (unseen.length > 0) throw new Error('a promise that nobody awaits was rejected', { cause: unseen[0] });
}

/** StarlingMonkey: the engine runs its own promises, and waits for one that is returned. */
function handleOnStarlingMonkey(handler, record) {
  const result = handler(record);
  if (!isPromise(result)) {
    checkResult(result);
    return undefined;
  }
  return (async () => checkResult(await result))();
}

const handleRecord = GRISTMILL_ENGINE === 'quickjs' ? handleOnQuickJs : handleOnStarlingMonkey;

/** The export `handler` of the contract. `origins` says what files the bundle is of. */
export function component(handler, origins) {
  if (typeof handler !== 'function') {
    const text = handler === null || handler === undefined ? String(handler) : `of the type ${typeof handler}`;
    throw new TypeError(`the default export is ${text}, and no function that takes a record`);
  }
  if (/^class\b/.test(Function.prototype.toString.call(handler))) {
    throw new TypeError('the default export is a class, and no function that takes a record');
  }
  setOrigins(origins);
  return {
    handle(source) {
      beginRandom();
      const fail = (error) => throwToHost(failureOf(error));
      let result;
      try {
        result = handleRecord(handler, new StreamRecord(source));
      } catch (error) {
        fail(error);
      }
      return result?.catch(fail);
    },
  };
}
