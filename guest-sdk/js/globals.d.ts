// What a handler finds in a component beside the language itself (lib "es2024"), on both engines. It is here for
// projects without the types of Node and of browsers, which declare more than there is.

interface Console {
  /** Prints to stdout, which the host logs, a line each. */
  log(...values: any[]): void;
  /** Writes a log line of level debug. */
  debug(...values: any[]): void;
  /** Writes a log line of level info. */
  info(...values: any[]): void;
  /** Writes a log line of level warn. */
  warn(...values: any[]): void;
  /** Writes a log line of level error. */
  error(...values: any[]): void;
  /** Writes a log line of level trace. */
  trace(...values: any[]): void;
  /** Writes a log line of level error when the condition does not hold. */
  assert(condition?: unknown, ...values: any[]): void;
  dir(value?: any, options?: any): void;
  table(value?: any, columns?: any): void;
  count(label?: string): void;
  countReset(label?: string): void;
  group(...values: any[]): void;
  groupCollapsed(...values: any[]): void;
  groupEnd(): void;
  time(label?: string): void;
  timeLog(label?: string, ...values: any[]): void;
  timeEnd(label?: string): void;
}
declare var console: Console;

interface TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };

interface TextDecoder {
  readonly encoding: string;
  decode(bytes?: ArrayBufferView | ArrayBuffer): string;
}
declare var TextDecoder: {
  prototype: TextDecoder;
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};

interface Crypto {
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
}
declare var crypto: Crypto;

interface Performance {
  now(): number;
  readonly timeOrigin: number;
}
declare var performance: Performance;

declare function atob(text: string): string;
declare function btoa(text: string): string;
declare function structuredClone<T = any>(value: T): T;
declare function queueMicrotask(callback: () => void): void;
declare function setTimeout(callback: (...args: any[]) => void, delayMs?: number, ...args: any[]): number;
declare function clearTimeout(id: number | undefined): void;
declare function setInterval(callback: (...args: any[]) => void, delayMs?: number, ...args: any[]): number;
declare function clearInterval(id: number | undefined): void;
