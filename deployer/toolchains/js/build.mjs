// Makes a component of a handler in JavaScript or TypeScript: one bundle of the handler, the SDK and what the handler
// imports, the check of its types, and the component, which is an engine with the bundle in it.
//
//   node build.mjs --entry src/index.ts --sdk vendor/gristmill-js --wit vendor/wit --engine quickjs --out handler.wasm
//                  [--types] [--bundle handler.js] [--inputs inputs.json]
//
// What is wrong with the handler's code is told by esbuild and tsc in their own words. The last line says which step
// failed. Paths in messages are relative to the working directory.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import * as esbuild from 'esbuild';

const WORLD = 'stream-handler';
const WRAPPER = '<gristmill>';
const ENGINES = ['quickjs', 'starlingmonkey'];

/** A step did not work; what is wrong has been said. */
class Failed extends Error {}

function fail(message) {
  throw new Failed(message);
}

function readArguments() {
  const path_ = { type: 'string' };
  const { values } = parseArgs({
    options: {
      entry: path_,
      sdk: path_,
      wit: path_,
      out: path_,
      bundle: path_,
      inputs: path_,
      engine: path_,
      types: { type: 'boolean' },
    },
  });
  for (const name of ['entry', 'sdk', 'wit', 'out']) {
    if (values[name] === undefined) fail(`--${name} is missing`);
    values[name] = path.resolve(values[name]);
  }
  values.engine ??= 'quickjs';
  if (!ENGINES.includes(values.engine)) fail(`--engine is ${ENGINES.join(' or ')}, and not ${values.engine}`);
  if (!existsSync(values.entry)) fail(`there is no ${path.relative('', values.entry)}`);
  return values;
}

/** The module that the component is made of. Globals come first, so that the handler's modules find them. */
function wrapper({ entry, sdk, engine }) {
  const from = (file) => JSON.stringify(path.join(sdk, 'src', file));
  return `
    import ${from(engine === 'quickjs' ? 'globals-quickjs.js' : 'globals.js')};
    import handle from ${JSON.stringify(entry)};
    import { component } from ${from('component.js')};
    export const handler = component(handle, ${JSON.stringify(ORIGINS)});
  `;
}

/** Stands in the bundle for what is known when there is one: which files its lines are of. */
const ORIGINS = '@GRISTMILL_ORIGINS@';
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The numbers of a segment of a source map. */
function segment(text) {
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const digit of text) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}

/** Of a source map: where in the bundle a run of lines of one file begins. Lines count from 1. */
function originsOf({ mappings, sources }, nameOf) {
  const runs = [];
  let [file, line] = [0, 0];
  let expected;
  for (const [index, segments] of mappings.split(';').entries()) {
    let first;
    for (const text of segments === '' ? [] : segments.split(',')) {
      const [, fileStep = 0, lineStep = 0] = segment(text);
      file += fileStep;
      line += lineStep;
      first ??= { file, line };
    }
    const found = first ?? { file: -1, line: 0 };
    if (found.file !== expected?.file || (found.file >= 0 && found.line !== expected.line)) {
      runs.push([index + 1, found.file, found.line + 1]);
    }
    expected = { file: found.file, line: found.line + 1 };
  }
  return { files: sources.map(nameOf), runs };
}

/** The SDK by its name, wherever the handler is and whether or not it was installed there: one copy of it. */
function resolving(sdk) {
  const manifest = JSON.parse(readFileSync(path.join(sdk, 'package.json'), 'utf8'));
  return {
    name: 'gristmill',
    setup(build) {
      build.onResolve({ filter: /^gristmill(\/|$)/ }, ({ path: name }) => {
        const found = manifest.exports[name.replace('gristmill', '.')]?.default;
        if (found === undefined) return { errors: [{ text: `gristmill has no ${JSON.stringify(name)}` }] };
        return { path: path.join(sdk, found) };
      });
      // The contract's interfaces, which the engine binds.
      build.onResolve({ filter: /^(wasi|gristmill):/ }, ({ path: name }) => ({ path: name, external: true }));
      const builtin = new RegExp(
        `^(node:.*|${builtinModules.map((name) => name.replace(/[/.]/g, '\\$&')).join('|')})$`,
      );
      build.onResolve({ filter: builtin }, async ({ path: name, kind, resolveDir, pluginData }) => {
        if (pluginData === 'installed') return undefined;
        if (!name.startsWith('node:')) {
          // A package may have the name, as `buffer` and `events` do.
          const installed = await build.resolve(name, { kind, resolveDir, pluginData: 'installed' });
          if (installed.errors.length === 0) return installed;
        }
        return {
          errors: [{ text: `there is no ${name} in a handler: it is a module of Node, and a component runs without` }],
        };
      });
    },
  };
}

const NO_DEFAULT = /^No matching export in .* for import "default"$/;

function told(error, entry) {
  // Of the wrapper, which the handler's author has never seen.
  if (NO_DEFAULT.test(error.text) && error.location?.file.includes(WRAPPER)) {
    const text =
      `${path.relative('', entry)} has no default export: the handler is the function that it exports as default, ` +
      'such as `export default function file(record) { … }`';
    return { text };
  }
  if (error.text.startsWith('Top-level await is not available')) {
    return { ...error, text: 'await outside of a function: await within the handler', notes: [], pluginName: '' };
  }
  // About options of esbuild, which nobody has here.
  const isMissing = error.text.startsWith('Could not resolve');
  const notes = isMissing
    ? [{ text: '  A package has to be installed: npm install, in the folder of the handler.' }]
    : error.notes;
  return { ...error, notes, pluginName: '' };
}

async function print(messages, kind) {
  const texts = await esbuild.formatMessages(messages, { kind, color: false });
  process.stderr.write(texts.join(''));
}

/** What a file is called in stack traces: from the handler's folder, and the SDK's by its name. */
function namer({ entry, sdk }) {
  const folder = closest(path.dirname(entry), 'package.json') ?? path.dirname(entry);
  return (source) => {
    const file = path.resolve(decodeURIComponent(source));
    const [inSdk, inFolder] = [sdk, folder].map((root) => path.relative(root, file).split(path.sep).join('/'));
    return file.includes(WRAPPER) || !inSdk.startsWith('..') ? `gristmill/${inSdk}` : inFolder;
  };
}

async function bundle(options) {
  // QuickJS has no queue of jobs in a component, so that `await` would never go on. Without async functions the bundle
  // has generators in their place and promises of the SDK's, which it runs itself.
  const lowered = { 'async-await': false, 'async-generator': false, 'for-await': false, using: false };
  let result;
  try {
    result = await esbuild.build({
      stdin: { contents: wrapper(options), resolveDir: path.dirname(options.entry), sourcefile: WRAPPER },
      bundle: true,
      write: false,
      metafile: true,
      outfile: path.resolve('bundle.js'),
      sourcemap: 'external',
      sourcesContent: false,
      format: 'esm',
      platform: 'neutral',
      target: 'es2024',
      supported: options.engine === 'quickjs' ? lowered : {},
      // Of a package that comes in several builds, the one that needs no Node.
      mainFields: ['browser', 'module', 'main'],
      conditions: ['gristmill', 'browser', 'module'],
      define: { GRISTMILL_ENGINE: JSON.stringify(options.engine), 'process.env.NODE_ENV': '"production"' },
      charset: 'utf8',
      keepNames: false,
      legalComments: 'none',
      logLevel: 'silent',
      absWorkingDir: process.cwd(),
      plugins: [resolving(options.sdk)],
    });
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    await print(
      error.errors.map((one) => told(one, options.entry)),
      'error',
    );
    fail('the handler could not be bundled');
  }
  await print(result.warnings, 'warning');
  const [map, code] = ['.map', '.js'].map((end) => result.outputFiles.find((file) => file.path.endsWith(end)).text);
  const origins = originsOf(JSON.parse(map), namer(options));
  return {
    source: code.replace(JSON.stringify(ORIGINS), () => JSON.stringify(JSON.stringify(origins))),
    origins,
    inputs: Object.keys(result.metafile.inputs).filter((name) => !name.endsWith(WRAPPER)),
  };
}

/**
 * As the editor does, by the handler's own tsconfig.json; without one, strictly. Beside the handler, what a component
 * has of globals, and whether the default export is a handler.
 */
function checkTypes({ entry, sdk }) {
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace(/package\.json$/, 'bin/tsc');
  const folder = closest(path.dirname(entry), 'tsconfig.json', 'package.json');
  const own = folder && path.join(folder, 'tsconfig.json');
  const made = mkdtempSync(path.join(tmpdir(), 'gristmill-types-'));
  const write = (name, text) => {
    writeFileSync(path.join(made, name), text);
    return path.join(made, name);
  };
  const types = path.join(sdk, 'index.d.ts');
  const compilerOptions = { noEmit: true, rootDir: path.parse(made).root, allowImportingTsExtensions: true };
  const strictly = {
    target: 'es2024',
    lib: ['es2024'],
    module: 'esnext',
    moduleResolution: 'bundler',
    strict: true,
    skipLibCheck: true,
    types: [],
    paths: { gristmill: [types], 'gristmill/testing': [path.join(sdk, 'testing.d.ts')] },
  };
  const [type, handler] = [types, entry].map((file) => JSON.stringify(file));
  const check = write(
    'check.ts',
    `import type { Handler } from ${type};\nimport handle from ${handler};\n(handle) satisfies Handler;\n`,
  );
  const files = [check, path.join(sdk, 'globals.d.ts')];
  const config =
    own !== undefined && existsSync(own)
      ? { extends: own, compilerOptions, files }
      : { compilerOptions: { ...strictly, ...compilerOptions }, files };
  const project = write('tsconfig.json', JSON.stringify(config));
  const { status, error, stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false', '-p', project], {
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  rmSync(made, { recursive: true, force: true });
  if (error !== undefined) throw error;
  const inCheck = new RegExp(`^\\S*${path.basename(made)}/check\\.ts\\([\\d,]+\\)`, 'gm');
  process.stderr.write(stdout.replaceAll(inCheck, () => `${path.relative('', entry)}, the default export`));
  if (status !== 0) fail('the types of the handler are wrong');
}

/** The nearest folder, upwards, that has one of the files. */
function closest(folder, ...files) {
  if (files.some((file) => existsSync(path.join(folder, file)))) return folder;
  const above = path.dirname(folder);
  return above === folder ? undefined : closest(above, ...files);
}

async function componentize({ engine, wit }, source) {
  if (engine === 'quickjs') {
    const { componentize: make } = await import('componentize-qjs');
    const { component } = await make({ witPath: wit, jsSource: source, world: WORLD, sync: true });
    return component;
  }
  const installed = new URL(
    './starlingmonkey/node_modules/@bytecodealliance/componentize-js/src/componentize.js',
    import.meta.url,
  );
  if (!existsSync(installed)) {
    fail('the engine StarlingMonkey is not installed: npm ci in the folder starlingmonkey beside build.mjs');
  }
  const { componentize: make } = await import(installed);
  const { component } = await make(source, {
    sourceName: 'handler.js',
    witPath: wit,
    worldName: WORLD,
    // Without clocks and random the engine's would stand still.
    disableFeatures: ['http', 'fetch-event'],
  });
  return component;
}

/** The modules of a handler run once while it is built. What they throw comes with a trace of the bundle. */
async function tellOfEvaluation({ sdk }, text, origins) {
  const { setOrigins, traced } = await import(pathToFileURL(path.join(sdk, 'src', 'trace.js')));
  setOrigins(JSON.stringify(origins));
  const own = text.replace(
    /^[\s:]*(Failed to (evaluate user JavaScript module|finish JavaScript module evaluation): )*/,
    '',
  );
  process.stderr.write(`${traced(own).trim()}\n`);
}

async function main() {
  const options = readArguments();
  const { source, origins, inputs } = await bundle(options);
  if (options.inputs !== undefined) {
    writeFileSync(options.inputs, JSON.stringify(inputs.map((name) => path.resolve(name))));
  }
  if (options.bundle !== undefined) writeFileSync(options.bundle, source);
  if (options.types) checkTypes(options);
  let component;
  try {
    component = await componentize(options, source);
  } catch (error) {
    if (error instanceof Failed) throw error;
    await tellOfEvaluation(options, String(error?.message ?? error), origins);
    fail('the handler could not be made a component');
  }
  writeFileSync(options.out, component);
}

try {
  await main();
} catch (error) {
  process.stderr.write(
    error instanceof Failed ? `error: ${error.message}\n` : `${error?.stack ?? error}\nerror: the build broke\n`,
  );
  process.exitCode = 1;
}
