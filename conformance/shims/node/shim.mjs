#!/usr/bin/env node
//! The node shim: drives one of the vendor's unmodified Web SDKs by the line protocol of `conformance/DRIVER.md`.
//! `node shim.mjs easemob-websdk-3.6.3`; `--list` prints the SDKs it knows. It answers requests and passes on
//! what the SDK shows; it knows no scenario, repairs nothing that a client does, and talks to 127.0.0.1 only.
//!
//! Each device is a realm of about 1 MB that only a full collection frees; node's `--max-old-space-size` decides how
//! long hundreds of scenarios let them pile up.
//!
//! Exit codes: 0 end of input, 2 wrong use of the shim (arguments, a line that is no request), 3 the SDK is not
//! installed, 70 a fault of the shim itself.

import { Console } from 'node:console';

import { Activity } from './activity.mjs';
import { VirtualClock } from './browser/clock.mjs';
import { Device } from './device.mjs';
import { LineError, readRequests, writeLine } from './lines.mjs';
import { MissingInstall, SDKS, loadSdk } from './sdk.mjs';
import { Sidelight } from './sidelight.mjs';

const PROTOCOL = 1;
const CAPABILITIES = ['virtual_clock'];
const EXIT_USE = 2;
const EXIT_NOT_INSTALLED = 3;
const EXIT_FAULT = 70;

/** The shim of one process: its devices and the commands that need none. */
class Shim {
  #sdk;
  #activity = new Activity();
  #clock = new VirtualClock();
  #sidelight = new Sidelight(process.stderr);
  /** @type {Map<string, Device>} by the harness's name, `alice` or `alice/phone` */
  #devices = new Map();

  constructor(sdk) {
    this.#sdk = sdk;
  }

  hello() {
    const { name, version } = this.#sdk;
    writeLine({ hello: { protocol: PROTOCOL, name, version, capabilities: CAPABILITIES } });
  }

  /** Answers one request, once. @param {import('./lines.mjs').Request} request */
  async answer({ id, user, name, body }) {
    let answer;
    try {
      answer = user === undefined ? await this.#ofProcess(name, body) : this.#ofDevice(user, name, body);
    } catch (error) {
      answer = { error: error?.message ?? String(error) };
    }
    writeLine({ id, ...answer });
  }

  /** Forgets every device; nothing of them is reported once this is done. */
  async reset() {
    const gone = [...this.#devices.values()];
    this.#devices.clear();
    await Promise.all(gone.map((device) => device.drop()));
    this.#sidelight.renew();
  }

  /** A promise that nobody handled: the client's bug if it is of a device's realm, the shim's otherwise. */
  unhandledRejection(reason, promise) {
    const device = Device.ofPromise(promise);
    if (!device) throw reason instanceof Error ? reason : new Error(`a promise of the shim failed: ${String(reason)}`);
    device.uncaught(reason);
  }

  async #ofProcess(name, body) {
    switch (name) {
      case 'sync':
        await this.#activity.settled();
        return { ok: {} };
      case 'advance':
        if (!Number.isSafeInteger(body.ms) || body.ms < 0) throw new Error(`advance: ms: expected whole ms, got ${body.ms}`);
        return { ok: { next_due_ms: await this.#clock.advance(body.ms, () => this.#activity.settled()) } };
      case 'reset':
        await this.reset();
        return { ok: {} };
      default:
        return { unsupported: name };
    }
  }

  #ofDevice(user, name, body) {
    if (name === 'create') {
      if (this.#devices.has(user)) throw new Error(`${user} exists already: reset first`);
      this.#devices.set(user, this.#create(user, body));
      return { ok: {} };
    }
    const device = this.#devices.get(user);
    if (!device) throw new Error(`no device ${user}: create it first`);
    return device.run(name, body);
  }

  #create(user, body) {
    if (body.now_ms !== undefined) this.#clock.set(body.now_ms);
    return new Device({
      sdk: this.#sdk,
      settings: body,
      activity: this.#activity,
      clock: this.#clock,
      tell: (event) => writeLine({ user, event }),
      remark: (text) => this.#sidelight.remark(user, text),
    });
  }
}

async function main() {
  // The lines of stdout belong to the protocol: whatever a library prints goes to stderr.
  globalThis.console = new Console(process.stderr, process.stderr);
  process.stdout.on('error', () => process.exit(0)); // the harness is gone: nobody is left to tell

  const [asked, ...rest] = process.argv.slice(2);
  if (asked === '--list') {
    process.stdout.write(`${Object.keys(SDKS).join('\n')}\n`);
    return;
  }
  if (asked === undefined || rest.length > 0) {
    leave(EXIT_USE, `usage: node shim.mjs <sdk>, where <sdk> is one of: ${Object.keys(SDKS).join(', ')}`);
  }
  if (!Object.hasOwn(SDKS, asked)) {
    leave(EXIT_USE, `unknown SDK ${asked}; known are: ${Object.keys(SDKS).join(', ')}`);
  }

  const shim = new Shim(loadSdk(asked));
  process.on('uncaughtException', (error) => leave(EXIT_FAULT, error?.stack ?? String(error)));
  process.on('unhandledRejection', (reason, promise) => shim.unhandledRejection(reason, promise));
  shim.hello();
  for await (const request of readRequests(process.stdin)) void shim.answer(request);
  await shim.reset();
}

function leave(code, sentence) {
  process.stderr.write(`shim: ${sentence}\n`);
  process.exit(code);
}

main().then(
  () => process.stdout.write('', () => process.exit(0)),
  (error) => {
    if (error instanceof MissingInstall) leave(EXIT_NOT_INSTALLED, error.message);
    if (error instanceof LineError) leave(EXIT_USE, error.message);
    leave(EXIT_FAULT, error?.stack ?? String(error));
  },
);
