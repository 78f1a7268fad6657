#!/usr/bin/env node
//! The Chromium shim: drives one of the vendor's unmodified Web SDKs in pages of a headless Chromium by the line protocol
//! of `conformance/DRIVER.md`. `node shim.mjs easemob-websdk-3.6.3`; `--list` prints the SDKs it knows, `--chromium` the
//! browser it would start. It answers requests and passes on what the SDK shows; it knows no scenario and repairs nothing.
//!
//! Each device is a tab with a page of this shim's own site: another origin than the mock server's. What the page's console
//! says is an error, but for the browser's own remarks on refusals (`remarks.mjs`).
//!
//! Exit codes: 0 end of input, 2 wrong use of the shim (arguments, a line that is no request), 3 the SDK or Chromium is not
//! installed, 70 a fault of the shim itself.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { advance, clockScript } from './clock.mjs';
import { Device, checkAddresses } from './device.mjs';
import { NoChromium, findChromium, startChromium } from './launch.mjs';
import { settled } from './quiet.mjs';
import { startSite } from './site.mjs';
import { Tabs } from './tabs.mjs';
import { LineError, readRequests, writeLine } from '../node/lines.mjs';
import { MissingInstall, SDKS, findSdk } from '../node/sdk.mjs';
import { Sidelight } from '../node/sidelight.mjs';

const PAGE = join(dirname(fileURLToPath(import.meta.url)), 'page');
const PROTOCOL = 1;
const CAPABILITIES = ['virtual_clock', 'network', 'page'];
const EXIT_USE = 2;
const EXIT_NOT_INSTALLED = 3;
const EXIT_FAULT = 70;
/**
 * How long after its start the shim says hello at the latest, in ms: the driver waits for 30 s. Until then the first tabs
 * are waited for, since each answer has 5 s only.
 */
const HELLO_MAX_MS = 25_000;
/** A page of a browser is to have what its bundle says itself to be: a script. */
const KNOWN = Object.keys(SDKS).filter((name) => SDKS[name].loadedAs === 'script');

/** The shim of one process: its devices and the commands that need none. */
class Shim {
  #sdk;
  #kept;
  #sidelight = new Sidelight(process.stderr);
  /** @type {Map<string, Device>} by the harness's name, `alice` or `alice/phone` */
  #devices = new Map();

  constructor(sdk, tabs) {
    this.#sdk = sdk;
    this.#kept = tabs;
  }

  hello() {
    const { package: name, version } = this.#sdk;
    writeLine({ hello: { protocol: PROTOCOL, name, version, capabilities: CAPABILITIES } });
  }

  /** Answers one request, once. @param {import('../node/lines.mjs').Request} request */
  async answer({ id, user, name, body }) {
    let answer;
    try {
      answer = user === undefined ? await this.#ofProcess(name, body) : await this.#ofDevice(user, name, body);
    } catch (error) {
      answer = { error: error?.message ?? String(error) };
    }
    writeLine({ id, ...answer });
  }

  /**
   * Forgets every device; nothing of them is reported once this is done.
   * @throws {Error} when an SDK's log held an error that is not explained: the scenario is over, and so it fails
   */
  async reset() {
    const gone = [...this.#devices];
    this.#devices.clear();
    await Promise.all(gone.map(([, device]) => device.drop()));
    this.#sidelight.renew();
    const [first] = gone.flatMap(([user, device]) => device.unexplained.map((text) => `${user} told its app of no failure, but the SDK's log has ${text}`));
    if (first !== undefined) throw new Error(first);
  }

  async #ofProcess(name, body) {
    switch (name) {
      case 'sync':
        await settled(this.#tabs());
        return { ok: {} };
      case 'advance':
        if (!Number.isSafeInteger(body.ms) || body.ms < 0) throw new Error(`advance: ms: expected whole ms, got ${body.ms}`);
        return { ok: { next_due_ms: await advance(this.#tabs(), body.ms, () => settled(this.#tabs())) } };
      case 'reset':
        await this.reset();
        return { ok: {} };
      default:
        return { unsupported: name };
    }
  }

  /** Those of devices that are made. */
  #tabs() {
    return [...this.#devices.values()].map((device) => device.tab).filter((tab) => tab !== null);
  }

  async #ofDevice(user, name, body) {
    if (name === 'create') {
      if (this.#devices.has(user)) throw new Error(`${user} exists already: reset first`);
      checkAddresses(body);
      const device = new Device({
        tabs: this.#kept,
        tell: (event) => writeLine({ user, event }),
        remark: (text) => this.#sidelight.remark(user, text),
      });
      this.#devices.set(user, device);
      const answer = await device.create(body);
      if (answer.ok === undefined) {
        this.#devices.delete(user);
        await device.drop();
      }
      return answer;
    }
    const device = this.#devices.get(user);
    if (!device) throw new Error(`no device ${user}: create it first`);
    return device.run(name, body);
  }
}

async function main() {
  process.stdout.on('error', () => process.exit(0)); // the harness is gone: nobody is left to tell

  const [asked, ...rest] = process.argv.slice(2);
  if (rest.length === 0 && asked === '--list') return void process.stdout.write(`${KNOWN.join('\n')}\n`);
  if (rest.length === 0 && asked === '--chromium') return void process.stdout.write(`${findChromium()}\n`);
  if (asked === undefined || rest.length > 0) {
    leave(EXIT_USE, `usage: node shim.mjs <sdk>, where <sdk> is one of: ${KNOWN.join(', ')}`);
  }
  if (!KNOWN.includes(asked)) leave(EXIT_USE, `unknown SDK ${asked}; known are: ${KNOWN.join(', ')}`);

  const sdk = findSdk(asked);
  const browser = await startChromium(findChromium());
  let ending = false;
  browser.on('disconnected', () => ending || leave(EXIT_FAULT, 'Chromium ended by itself'));
  const site = await startSite(filesOf(sdk));
  const tabs = new Tabs(browser, site.origin);
  const shim = new Shim(sdk, tabs);
  await Promise.race([tabs.ready(), new Promise((resolve) => setTimeout(resolve, HELLO_MAX_MS - performance.now()))]);
  shim.hello();
  try {
    for await (const request of readRequests(process.stdin)) void shim.answer(request);
  } finally {
    ending = true;
    await browser.close();
    await tabs.close();
    site.close();
  }
}

/** The site that each tab has its page from. */
function filesOf({ bundlePath, adapterPaths }) {
  const script = (body) => ({ type: 'text/javascript', body });
  const adapter = adapterPaths.map((path) => `${readFileSync(path, 'utf8')}\n//# sourceURL=${path.split(/[\\/]/).at(-1)}`);
  return {
    '/': { type: 'text/html', body: readFileSync(join(PAGE, 'index.html')) },
    '/page.js': script(readFileSync(join(PAGE, 'page.js'))),
    '/clock.js': script(clockScript()),
    '/sdk.js': script(readFileSync(bundlePath)),
    '/adapter.js': script(`conformance.adapter(${JSON.stringify(adapter)});`),
  };
}

function leave(code, sentence) {
  process.stderr.write(`shim: ${sentence}\n`);
  process.exit(code);
}

main().then(
  () => process.stdout.write('', () => process.exit(0)),
  (error) => {
    if (error instanceof MissingInstall || error instanceof NoChromium) leave(EXIT_NOT_INSTALLED, error.message);
    if (error instanceof LineError) leave(EXIT_USE, error.message);
    leave(EXIT_FAULT, error?.stack ?? String(error));
  },
);
