// What a handler can know about the invocation that it runs in. Each property is one call of the host.

import { invocation as host } from '#host';

function numberOf(value) {
  return value === undefined || value === null ? undefined : Number(value);
}

export const invocation = Object.freeze({
  /** The id of the Lambda invocation. A delivery that repeats an unchanged batch keeps its id. */
  get requestId() {
    return host.requestId();
  },
  /** This handler's name in the manifest. */
  get handler() {
    return host.handler();
  },
  /** The name of the Lambda function, or of what stands in for it. */
  get functionName() {
    return host.functionName();
  },
  /** The version of the Lambda function, such as `$LATEST`. */
  get functionVersion() {
    return host.functionVersion();
  },
  /** How often this environment has handed this record to this handler, this time included. A lower bound. */
  get attempt() {
    return host.attempt();
  },
  /** When the host will stop this call, in milliseconds since the Unix epoch. Undefined when nothing limits it. */
  get deadlineMs() {
    return numberOf(host.deadlineMs());
  },
  /** The milliseconds that are left until then, zero when it is past. Undefined when nothing limits it. */
  get remainingMs() {
    const deadlineMs = this.deadlineMs;
    return deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - Date.now());
  },
  /** The AWS X-Ray trace header of the invocation. */
  get traceHeader() {
    return host.traceHeader() ?? undefined;
  },
});
