//! One server process: found, started, ended. Its stdin is the leash: however this process ends, the pipe is closed and
//! the server with it, on every system.

'use strict';

const { spawn } = require('node:child_process');
const { accessSync, constants, statSync } = require('node:fs');
const { delimiter, dirname, join, resolve } = require('node:path');

const { Control } = require('./control.cjs');
const { MockServerError } = require('./error.cjs');
const { World } = require('./world.cjs');

const PROGRAM = process.platform === 'win32' ? 'mock-server.exe' : 'mock-server';
/** `listening on http://127.0.0.1:8989`, the one line on stdout. */
const LISTENING = /^listening on (http:\/\/\S+?)\r?$/m;
/** As much of what the server says on stderr is kept for an error: its last lines. */
const SAID_CHARS_MAX = 8192;

/** A running server. */
class MockServer {
  #child;
  #ended;
  #control;
  #worlds = new Map();

  constructor(child, ended, url) {
    this.#child = child;
    this.#ended = ended;
    this.#control = new Control(url);
    /** Where it listens, such as `http://127.0.0.1:40123`. */
    this.url = url;
  }

  /** What goes into an SDK's options, beside `appKey`. @param {'3' | '4' | 3 | 4} generation */
  sdkOptions(generation) {
    switch (String(generation)) {
      case '3':
        // With ws:// that SDK waits for ever without a word.
        return { url: `${this.url}/ws`, apiUrl: this.url, isHttpDNS: false };
      case '4':
        return { url: `${this.url.replace(/^http/, 'ws')}/websocket`, apiUrl: this.url, isHttpDNS: false };
      default:
        throw new MockServerError('generation', `there is no generation ${generation} of the SDK; 3 and 4 there are`);
    }
  }

  /** The world of an app key. It is there from its first call, or from the first login, on. */
  world(appKey) {
    const [org, app, more] = String(appKey).split('#');
    if (!org || !app || more !== undefined) {
      throw new MockServerError('app_key', `${JSON.stringify(appKey)} is no app key: org#app is expected, such as easemob#demo`);
    }
    if (!this.#worlds.has(appKey)) this.#worlds.set(appKey, new World(this.#control, org, app));
    return this.#worlds.get(appKey);
  }

  /** Every world that is there, in a few numbers. */
  async worlds() {
    return (await this.#control.get('/_mock/worlds')).worlds;
  }

  /** Every error and situation that has a name, for `world.stage`. */
  catalog() {
    return this.#control.get('/_mock/catalog');
  }

  /** All worlds as a document. */
  state() {
    return this.#control.get('/_mock/state');
  }

  /** Puts the worlds of such a document in the place of all that are there. */
  load(state) {
    return this.#control.send('PUT', '/_mock/state', state);
  }

  /** Ends it, and comes back when it has ended: what was to be saved is. */
  async stop() {
    this.#control.close();
    this.#child.ref();
    this.#child.stdin.end();
    const { code, signal, said } = await this.#ended;
    if (code !== 0) {
      throw new MockServerError('ended', `the server ended with ${code ?? signal}, and said:\n${said().trimEnd()}`);
    }
  }

  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.stop();
  }
}

/**
 * @param {import('../index.d.ts').StartOptions} [options]
 * @returns {Promise<MockServer>}
 */
async function startMockServer({ binary, args = [], strict = false, nasty, state } = {}) {
  const program = binary === undefined ? findProgram() : named('the option binary', binary);
  const flags = ['--listen', '127.0.0.1:0', '--end-with-stdin'];
  if (strict) flags.push('--strict');
  if (nasty !== undefined) flags.push('--nasty', String(nasty));
  if (state !== undefined) flags.push('--state', resolve(state));
  const child = spawn(program, [...flags, ...args], { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-SAID_CHARS_MAX)));
  // Closing a pipe to a process that has ended is no news.
  child.stdin.on('error', () => {});
  const ended = new Promise((tell) => child.once('close', (code, signal) => tell({ code, signal, said: () => said })));
  const url = await new Promise((tell, refuse) => {
    let line = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      line += text;
      const [, url] = LISTENING.exec(line) ?? [];
      if (url) tell(url);
    });
    child.once('error', (cause) => {
      refuse(new MockServerError('no_start', `${program} does not start: ${cause.message}`, { cause }));
    });
    void ended.then(({ code, signal }) => {
      const words = said.trimEnd() || 'nothing';
      refuse(new MockServerError('no_start', `${program} ended with ${code ?? signal} before it listened, and said:\n${words}`));
    });
  });
  // A test process that has nothing else to do may end, and the server ends with it.
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref();
  return new MockServer(child, ended, url);
}

function findProgram() {
  if (process.env.MOCK_SERVER_BIN) return named('MOCK_SERVER_BIN', process.env.MOCK_SERVER_BIN);
  const target = process.env.CARGO_TARGET_DIR ?? join(__dirname, '../../../target');
  const built = ['release', 'debug'].map((profile) => join(target, profile, PROGRAM)).filter(isProgram);
  // Of two builds the later one is what its author has just made.
  built.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean).map((folder) => join(folder, PROGRAM));
  const found = built[0] ?? onPath.find(isProgram);
  if (found) return found;
  throw new MockServerError(
    'no_binary',
    `no ${PROGRAM}: build it (cargo build -p mock-server), install it on PATH, or say where it is by the option binary ` +
      `or the variable MOCK_SERVER_BIN; looked in ${join(target, 'release')}, ${dirname(join(target, 'debug', PROGRAM))} and PATH`,
  );
}

function named(by, path) {
  const program = resolve(path);
  if (isProgram(program)) return program;
  throw new MockServerError('no_binary', `${by} is ${path}, which is no program: ${program}`);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

module.exports = { startMockServer };
