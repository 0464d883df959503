// Stack traces of a component in terms of the handler's own files. The bundle that the engine runs has been put
// together of them, line by line.

const PLACE = /(?:componentize-qjs:user|handler)\.js:(\d+)(?::\d+)?/;
/** StarlingMonkey's own JavaScript, around the handler. */
const ENGINE_FILE = /sources\/initializer\.js:\d+/;

/** A chain of causes can be a ring. */
export const MAX_CAUSES = 16;
/** Of an endless recursion the engine gives a hundred lines and more, all the same. */
const MAX_LINES = 24;

/**
 * Files, and where in the bundle a run of lines of one of them begins: `[line in the bundle, file, line in the file]`.
 * Undefined where no bundle was made: in Node.
 */
let origins;

/** As JSON, since it is read for a trace alone. */
export function setOrigins(json) {
  origins = json;
}

function originOf({ files, runs }, line) {
  let found;
  for (const run of runs) {
    if (run[0] > line) break;
    found = run;
  }
  if (found === undefined || found[1] < 0) return undefined;
  return { file: files[found[1]], line: found[2] + line - found[0] };
}

/** The trace with the places in files, and without the lines that are about the SDK. */
export function traced(stack) {
  if (origins === undefined) return stack;
  const parsed = JSON.parse(origins);
  const lines = [];
  for (const line of stack.split('\n')) {
    const place = PLACE.exec(line);
    if (place === null) {
      if (!ENGINE_FILE.test(line)) lines.push(line);
      continue;
    }
    const origin = originOf(parsed, Number(place[1]));
    if (origin !== undefined && !origin.file.startsWith('gristmill/')) {
      lines.push(line.replace(PLACE, `${origin.file}:${origin.line}`));
    }
  }
  return lines.join('\n');
}

/** An error's text and stack, and those of its causes. */
export function stackOf(error) {
  let text = '';
  let link = error;
  for (let count = 0; link instanceof Error && count < MAX_CAUSES; count += 1) {
    const lines = typeof link.stack === 'string' ? link.stack.trimEnd().split('\n') : [];
    const stack = (lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), '…'] : lines).join('\n');
    const head = `${link.name}: ${link.message}`;
    // V8 begins the stack with the text, and the other engines do not.
    text += `${count > 0 ? 'caused by ' : ''}${stack.startsWith(link.name) ? stack : `${head}\n${stack}`}\n`;
    link = link.cause;
  }
  return traced(text.trimEnd());
}
