//! The shim as a process, for its tests: writes requests, keeps every line it says. It judges nothing.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SHIM = fileURLToPath(new URL('../shim.mjs', import.meta.url));
/**
 * In ms. What is waited for comes within one, or after what the driver allows an answer, 5 s; what has not come by then
 * never does, and a test that waited on would hang instead of failing.
 */
const LINE_MAX_MS = 30_000;
/** How many of the last lines a test that waited in vain is shown. */
const LINES_SHOWN = 5;

export class ShimProcess {
  #child;
  #nextId = 1;
  #awaited = [];
  /** Every line of stdout, parsed, in order. */
  lines = [];
  stderr = '';
  /** Resolves to the exit code. */
  exited;

  constructor({ shim = SHIM, args = ['easemob-websdk-3.6.3'], env = {} } = {}) {
    this.#child = spawn(process.execPath, [shim, ...args], { env: { ...process.env, ...env } });
    this.#child.stderr.on('data', (chunk) => (this.stderr += chunk));
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      this.lines.push(JSON.parse(text));
      for (const check of this.#awaited.splice(0)) check();
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        resolve(code);
        for (const check of this.#awaited.splice(0)) check(code);
      });
    });
  }

  /** Asks and gives the answer, less its id. */
  async ask(user, command) {
    const id = this.#nextId++;
    this.write({ id, ...(user === null ? {} : { user }), command });
    const { id: _, ...answer } = await this.line((line) => line.id === id);
    return answer;
  }

  /** Makes a device, logs it in, and waits until it is. */
  async login(user, settings) {
    await this.ask(user, { create: settings });
    await this.ask(user, { login_password: { password: `pw-${settings.username}` } });
    await this.event(user, 'opened');
  }

  /** The body of the first event of that name, now or later. */
  async event(user, name) {
    const line = await this.line((said) => said.user === user && said.event && name in said.event);
    return line.event[name];
  }

  /** The events of a user so far, or those after the first `after` lines. */
  events(user, after = 0) {
    return this.lines.slice(after).filter((line) => line.user === user && line.event).map((line) => line.event);
  }

  /** The first line that fits, now or later; an error when the shim leaves or the limit is over. */
  async line(fits) {
    let limit;
    const inVain = new Promise((resolve) => (limit = setTimeout(() => resolve('in vain'), LINE_MAX_MS)));
    try {
      for (;;) {
        const found = this.lines.find(fits);
        if (found) return found;
        const code = await Promise.race([inVain, new Promise((resolve) => this.#awaited.push(resolve))]);
        if (code === 'in vain') throw new Error(`no line that fits ${fits} within ${LINE_MAX_MS} ms; ${this.#said()}`);
        if (code !== undefined) throw new Error(`the shim left with ${code}; ${this.#said()}`);
      }
    } finally {
      clearTimeout(limit);
    }
  }

  #said() {
    const last = this.lines.slice(-LINES_SHOWN).map((line) => JSON.stringify(line));
    return ['its last lines:', ...last, 'stderr:', this.stderr].join('\n');
  }

  write(message) {
    this.writeRaw(`${JSON.stringify(message)}\n`);
  }

  writeRaw(text) {
    this.#child.stdin.write(text);
  }

  /** Ends its input; gives the exit code. */
  async end() {
    this.#child.stdin.end();
    return this.exited;
  }

  kill(signal = 'SIGTERM') {
    this.#child.kill(signal);
  }
}
