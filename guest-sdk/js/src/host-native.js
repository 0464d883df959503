// What stands in for the host in Node, so that a unit test of a handler runs: log lines go to stderr, and the
// invocation is made up. `gristmill/testing` changes both.

const STAND_IN = {
  requestId: '00000000-0000-0000-0000-000000000000',
  handler: 'handler',
  functionName: 'function',
  functionVersion: '$LATEST',
  attempt: 1,
  deadlineMs: undefined,
  traceHeader: undefined,
};

export const native = { invocation: { ...STAND_IN }, standIn: STAND_IN, seeLog: undefined };

export const invocation = Object.fromEntries(
  Object.keys(STAND_IN).map((name) => [name, () => native.invocation[name]]),
);

export function writeLog(level, message, fields) {
  if (native.seeLog !== undefined) {
    native.seeLog({ level, message, fields: Object.fromEntries(fields) });
    return;
  }
  const texts = fields.map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  process.stderr.write(`${level.toUpperCase()} ${message}${texts.join('')}\n`);
}

export function print(stream, text) {
  process[stream].write(text);
}
