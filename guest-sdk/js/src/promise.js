// Promises for QuickJS in a component, where the engine's own never go on: nothing there runs its queue of jobs. This
// has a queue that is run before a call ends. `async` functions are compiled to it, since esbuild makes generators of
// them (`await` knows no other promise than the engine's).

let jobs = [];

/** Runs after what runs now, as `queueMicrotask`. */
export function enqueue(job) {
  jobs.push(job);
}

/** Runs jobs until there are none. */
export function runJobs() {
  while (jobs.length > 0) {
    const now = jobs;
    jobs = [];
    for (let index = 0; index < now.length; index += 1) {
      try {
        now[index]();
      } catch (error) {
        jobs.unshift(...now.slice(index + 1));
        throw error;
      }
    }
  }
}

/** Rejected promises that nobody looks at: what went wrong there would be lost. */
const unseen = new Set();

/** What is left of a call: jobs that it did not come to, and the reasons of promises that were rejected unseen. */
export function takeUnseen() {
  if (jobs.length > 0) jobs = [];
  if (unseen.size === 0) return [];
  const reasons = [...unseen].map((promise) => promise.reason());
  unseen.clear();
  return reasons;
}

const PENDING = 0;
const FULFILLED = 1;
const REJECTED = 2;

class GristmillPromise {
  #state = PENDING;
  #value;
  #isSeen = false;
  #reactions = [];

  constructor(executor) {
    if (typeof executor !== 'function') throw new TypeError(`Promise resolver ${String(executor)} is not a function`);
    const { resolve, reject } = this.#settlers();
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  // The first of the two that is called decides.
  #settlers() {
    let isDecided = false;
    const resolve = (value) => {
      if (isDecided) return;
      isDecided = true;
      this.#resolve(value);
    };
    const reject = (reason) => {
      if (isDecided) return;
      isDecided = true;
      this.#settle(REJECTED, reason);
    };
    return { resolve, reject };
  }

  #resolve(value) {
    if (value === this) {
      this.#settle(REJECTED, new TypeError('a promise cannot be resolved with itself'));
      return;
    }
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function') {
      this.#settle(FULFILLED, value);
      return;
    }
    let then;
    try {
      then = value.then;
    } catch (error) {
      this.#settle(REJECTED, error);
      return;
    }
    if (typeof then !== 'function') {
      this.#settle(FULFILLED, value);
      return;
    }
    enqueue(() => {
      const { resolve, reject } = this.#settlers();
      try {
        then.call(value, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  #settle(state, value) {
    this.#state = state;
    this.#value = value;
    if (state === REJECTED && !this.#isSeen) unseen.add(this);
    const reactions = this.#reactions;
    this.#reactions = undefined;
    for (const reaction of reactions) enqueue(() => reaction(state, value));
  }

  get isPending() {
    return this.#state === PENDING;
  }

  /** For the end of a call, which looks at it. */
  reason() {
    return this.#value;
  }

  then(onFulfilled, onRejected) {
    const Species = this.constructor?.[Symbol.species] ?? GristmillPromise;
    let settlers;
    const next = new Species((resolve, reject) => {
      settlers = { resolve, reject };
    });
    const { resolve, reject } = settlers;
    const reaction = (state, value) => {
      const handler = state === FULFILLED ? onFulfilled : onRejected;
      if (typeof handler !== 'function') {
        if (state === FULFILLED) resolve(value);
        else reject(value);
        return;
      }
      let result;
      try {
        result = handler(value);
      } catch (error) {
        reject(error);
        return;
      }
      resolve(result);
    };
    this.#isSeen = true;
    if (this.#state === PENDING) {
      this.#reactions.push(reaction);
    } else {
      unseen.delete(this);
      const [state, value] = [this.#state, this.#value];
      enqueue(() => reaction(state, value));
    }
    return next;
  }

  catch(onRejected) {
    return this.then(undefined, onRejected);
  }

  finally(onFinally) {
    if (typeof onFinally !== 'function') return this.then(onFinally, onFinally);
    const Species = this.constructor?.[Symbol.species] ?? GristmillPromise;
    const after = (result, next) => Species.resolve(result).then(next);
    return this.then(
      (value) => after(onFinally(), () => value),
      (reason) =>
        after(onFinally(), () => {
          throw reason;
        }),
    );
  }

  get [Symbol.toStringTag]() {
    return 'Promise';
  }

  static get [Symbol.species]() {
    return this;
  }

  static resolve(value) {
    if (value instanceof GristmillPromise && value.constructor === this) return value;
    return new this((resolve) => resolve(value));
  }

  static reject(reason) {
    return new this((_, reject) => reject(reason));
  }

  static withResolvers() {
    let settlers;
    const promise = new this((resolve, reject) => {
      settlers = { resolve, reject };
    });
    return { promise, ...settlers };
  }

  static try(callback, ...args) {
    return new this((resolve) => resolve(callback(...args)));
  }

  static all(values) {
    return this.#each(values, (promise, index, { results, countDown, reject }) => {
      promise.then((value) => {
        results[index] = value;
        countDown();
      }, reject);
    });
  }

  static allSettled(values) {
    return this.#each(values, (promise, index, { results, countDown }) => {
      const settled = (result) => {
        results[index] = result;
        countDown();
      };
      promise.then(
        (value) => settled({ status: 'fulfilled', value }),
        (reason) => settled({ status: 'rejected', reason }),
      );
    });
  }

  static any(values) {
    return this.#each(
      values,
      (promise, index, { results, countDown, resolve }) => {
        promise.then(resolve, (reason) => {
          results[index] = reason;
          countDown();
        });
      },
      (reasons, { reject }) => reject(new AggregateError(reasons, 'All promises were rejected')),
    );
  }

  static race(values) {
    return new this((resolve, reject) => {
      for (const value of values) this.resolve(value).then(resolve, reject);
    });
  }

  /** `end` is called when `countDown` was, once for each value. */
  static #each(values, see, end = (results, { resolve }) => resolve(results)) {
    return new this((resolve, reject) => {
      const results = [];
      let left = 1;
      const countDown = () => {
        left -= 1;
        if (left === 0) end(results, { resolve, reject });
      };
      let index = 0;
      for (const value of values) {
        left += 1;
        results.push(undefined);
        see(this.resolve(value), index, { results, countDown, resolve, reject });
        index += 1;
      }
      countDown();
    });
  }
}
Object.defineProperty(GristmillPromise, 'name', { value: 'Promise' });

export { GristmillPromise };
