//! The SDKs that this shim can drive, and where their installed files are. To add one: a line in `SDKS`, a line
//! in `package.json`, and, for a new generation, an adapter. Never patches what it loads.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script, runInContext } from 'node:vm';

const HERE = dirname(fileURLToPath(import.meta.url));

/**
 * By the name under which `package.json` installs it; one adapter, a folder, serves a generation. `loadedAs`: as its
 * readme tells an app to load it; 3.0.6 as a plain script would leave `WebIM.default` for its own `WebIM`.
 */
export const SDKS = {
  'easemob-websdk-3.0.6': { package: 'easemob-websdk', version: '3.0.6', loadedAs: 'module', adapter: 'websdk3' },
  'easemob-websdk-3.6.3': { package: 'easemob-websdk', version: '3.6.3', loadedAs: 'script', adapter: 'websdk3' },
  'easemob-websdk-4.21.1': { package: 'easemob-websdk', version: '4.21.1', loadedAs: 'script', adapter: 'websdk4' },
};

/**
 * An adapter's files, in the order in which each builds on those before it; those of `shared` know neither generation.
 * An adapter's folder holds what is its own.
 */
const ADAPTER_FILES = {
  websdk3: [
    'shared/shown', 'shared/calls', 'shared/seam', 'shared/attachments', 'shared/conversations', 'shared/circles',
    'websdk3/listeners', 'websdk3/session', 'websdk3/messages', 'websdk3/sessions', 'websdk3/circles', 'websdk3/attach',
  ],
  websdk4: [
    'shared/shown', 'shared/calls', 'shared/seam', 'shared/attachments', 'shared/conversations', 'shared/circles',
    'websdk4/listeners', 'websdk4/session', 'websdk4/messages', 'websdk4/sessions', 'websdk4/circles',
    'websdk4/history', 'websdk4/rich', 'websdk4/people', 'websdk4/rooms', 'websdk4/threads',
    'websdk4/tokens', 'websdk4/attach',
  ],
};

/** The SDK, or something that the shim runs on, is not there. */
export class MissingInstall extends Error {}

/**
 * @typedef {object} Sdk
 * @property {string} name of the package
 * @property {string} version
 * @property {Script} bundle the vendor's file, compiled once, run once a device
 * @property {Adapter} adapter its value is the adapter's `attach`
 * @property {typeof import('ws').WebSocket} Ws
 */

/**
 * @param {keyof typeof SDKS} name
 * @returns {Sdk}
 * @throws {MissingInstall}
 */
export function loadSdk(name) {
  const { package: packageName, version, loadedAs, bundlePath, adapterPaths } = findSdk(name);
  return {
    name: packageName,
    version,
    bundle: loadedAs === 'module' ? compileModule(bundlePath) : compile(bundlePath),
    adapter: new Adapter(adapterPaths),
    Ws: loadPackage('ws').WebSocket,
  };
}

/**
 * Where an SDK's files are, for whoever runs them elsewhere than in a realm of this process.
 * @param {keyof typeof SDKS} name
 * @returns {{package: string, version: string, loadedAs: string, bundlePath: string, adapterPaths: string[]}}
 * @throws {MissingInstall}
 */
export function findSdk(name) {
  const { version, adapter } = SDKS[name];
  const root = sdkRoot();
  const require = createRequire(join(root, 'package.json'));
  const found = installed(() => require(`${name}/package.json`), name, root);
  if (found.version !== version) {
    throw new MissingInstall(`${name} in ${root} is version ${found.version}: install again with \`cargo xtask sdk\``);
  }
  return {
    ...SDKS[name],
    bundlePath: installed(() => require.resolve(name), name, root),
    adapterPaths: ADAPTER_FILES[adapter].map((file) => join(HERE, 'adapters', `${file}.js`)),
  };
}

/** A package that a shim runs on. @param {string} name @throws {MissingInstall} */
export function loadPackage(name) {
  const root = sdkRoot();
  return installed(() => createRequire(join(root, 'package.json'))(name), name, root);
}

/** Some classic scripts, each of which adds to one object; the last adds `attach`. */
class Adapter {
  #scripts;

  /** @param {string[]} paths */
  constructor(paths) {
    this.#scripts = paths.map(compile);
  }

  /** Runs them in a realm. @returns {Function} the adapter's `attach` */
  runInContext(context) {
    const kit = runInContext('({})', context);
    for (const script of this.#scripts) script.runInContext(context)(kit);
    return kit.attach;
  }
}

/** Where npm put the packages: `WEBIM_SDK_DIR`, or `target/sdk` of this repository. */
export function sdkRoot() {
  return resolve(process.env.WEBIM_SDK_DIR || join(HERE, '../../../target/sdk'));
}

function installed(load, name, root) {
  try {
    return load();
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND') throw error;
    throw new MissingInstall(`${name} is not installed in ${root}: run \`cargo xtask sdk\`, or set WEBIM_SDK_DIR`);
  }
}

function compile(path) {
  return new Script(readFileSync(path, 'utf8'), { filename: path });
}

/** As Node loads a CommonJS module: the file's own text within a function. */
function compileModule(path) {
  const head = '(() => { const module = { exports: {} }; (function (exports, module) {';
  const tail = '\n}).call(module.exports, module.exports, module); })();';
  return new Script(head + readFileSync(path, 'utf8') + tail, { filename: path });
}
