// What every handler finds in a component, on both engines.

import { componentConsole } from './console.js';
import { random } from './random.js';

export function setGlobals(values) {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
  }
}

setGlobals({ console: componentConsole });
Math.random = random;
