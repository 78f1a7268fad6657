//! One tab of the browser in a context of its own, so that its storage and its network are its own, too. It is kept:
//! for each device it loads its page anew. What is known to work in a page only by a person is done here as a person
//! does it: a file is chosen in the input, a picture is pasted by the keyboard.

import { copyFile, link, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ofConsole, ofException, ofLog } from './remarks.mjs';
import { Traffic } from './traffic.mjs';

/** How long a page may take to load, in ms: it comes from this machine. */
const LOAD_MAX_MS = 20_000;
/** The function in the page that passes texts to the shim. */
const BINDING = 'tellShim';

/**
 * Who hears what a page shows.
 * @typedef {object} Listener
 * @property {(event: object) => void} tell
 * @property {(text: string) => void} remark
 * @property {(text: string) => void} [claim] an error in the SDK's own log, which the app may have been told, too
 */

export class Tab {
  #page;
  #context;
  #cdp;
  #url;
  #traffic;
  #online = true;
  #ready = () => {};
  #loaded = Promise.resolve();
  /** What a page showed while it was loading. @type {object[]} */
  #early = [];
  /** Folders with the files of this page: a file that was chosen is read when it is sent. */
  #folders = [];
  /** @type {Listener | null} null between two devices */
  #listener = null;

  /**
   * @param {import('playwright-core').Browser} browser
   * @param {string} origin of the site
   * @param {string} [path] of the page
   */
  static async open(browser, origin, path = '/') {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    const tab = new Tab(page, context, cdp, origin, path);
    await Promise.all(['Network', 'Runtime', 'Log', 'Page'].map((domain) => cdp.send(`${domain}.enable`)));
    await cdp.send('Runtime.addBinding', { name: BINDING });
    await tab.renew();
    return tab;
  }

  constructor(page, context, cdp, origin, path) {
    this.#page = page;
    this.#context = context;
    this.#cdp = cdp;
    this.#url = `${origin}${path}`;
    const blocked = (text) => this.#judge({ error: text });
    this.#traffic = new Traffic(cdp, origin, blocked);
    cdp.on('Runtime.bindingCalled', ({ name, payload }) => name === BINDING && this.#hear(JSON.parse(payload)));
    cdp.on('Runtime.consoleAPICalled', (call) => this.#judge(ofConsole(call)));
    cdp.on('Runtime.exceptionThrown', ({ exceptionDetails }) => this.#judge(ofException(exceptionDetails)));
    page.on('crash', () => this.#judge({ error: 'the page crashed' }));
    cdp.on('Log.entryAdded', ({ entry }) => this.#judge(ofLog(entry)));
  }

  /** The page of playwright-core. */
  get page() {
    return this.#page;
  }

  /** @type {Traffic} */
  get traffic() {
    return this.#traffic;
  }

  /** Reports to this one from now on. @param {Listener} listener */
  listen(listener) {
    this.#listener = listener;
    for (const news of this.#early.splice(0)) this.#judge(news);
  }

  /**
   * Goes to a page of its own anew. Once this is done the page before is gone with its sockets, and nothing of it is
   * reported; the new one is there when `loaded` is.
   */
  async renew() {
    this.#listener = null;
    if (!this.#online) await this.setOnline(true);
    const ready = new Promise((resolve) => (this.#ready = resolve));
    const { errorText } = await this.#cdp.send('Page.navigate', { url: this.#url });
    if (errorText) throw new Error(`${this.#url}: ${errorText}`);
    this.#early = [];
    this.#traffic.renew();
    this.#loaded = within(LOAD_MAX_MS, ready, `${this.#url} is not there after ${LOAD_MAX_MS} ms`);
    // Whoever needs the page hears of it.
    this.#loaded.catch(() => {});
    await this.forgetFiles();
  }

  /** Resolves when the page has loaded. @returns {Promise<void>} */
  get loaded() {
    return this.#loaded;
  }

  /** Calls a function of the page's `conformance` with texts and gives what it returns, once its promise is kept. */
  async call(name, ...values) {
    const expression = `conformance.${name}(${values.map((value) => JSON.stringify(value)).join()})`;
    const { result, exceptionDetails } = await this.#cdp.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    });
    if (exceptionDetails) throw new Error(`${name} in the page: ${ofException(exceptionDetails).error}`);
    return result.value;
  }

  /**
   * So many rounds through the network's process and the page's event loop.
   * @returns {Promise<number>} how many short timers of the page are still to run
   */
  turn(rounds) {
    return this.call('turn', this.#online, rounds);
  }

  /** A person chooses a file in the input. The page's name for it is `name`, whatever it is called on the disk. */
  async choose(path, name, mediaType, id = 'file') {
    const input = this.#page.locator(`input#${id}`);
    await input.setInputFiles(await this.#named(path, name));
    const chosen = await input.evaluate(({ files: [file] }) => [file.name, file.type]);
    if (chosen[0] === name && chosen[1] === mediaType) return;
    // A name that this system's disks refuse, or a type that it gives to other names.
    await input.setInputFiles({ name, mimeType: mediaType, buffer: await readFile(path) });
  }

  /** A person pastes the picture that the input holds, copied before to the system's clipboard. */
  async paste(id = 'file') {
    await this.call('copy', id);
    await this.call('awaitPaste');
    await this.#page.keyboard.press('ControlOrMeta+v');
    await this.call('pasted');
  }

  /** The host tells the page that its network came or went; while it is gone nothing passes. */
  async setOnline(online) {
    this.#online = online;
    await this.#context.setOffline(!online);
  }

  async close() {
    await this.#context.close();
    await this.forgetFiles();
  }

  async #named(path, name) {
    const folder = await mkdtemp(join(tmpdir(), 'chosen-'));
    this.#folders.push(folder);
    const named = join(folder, name);
    try {
      await link(path, named).catch(() => copyFile(path, named));
      return named;
    } catch {
      return path;
    }
  }

  forgetFiles() {
    return Promise.all(this.#folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  }

  #hear({ ready, event }) {
    if (ready) this.#ready();
    else this.#listener?.tell(event);
  }

  #judge(news) {
    if (!this.#listener) return void this.#early.push(news);
    const { error, claim, remark } = news;
    this.#listener.remark(error ?? claim ?? remark);
    if (error !== undefined) this.#listener.tell({ error: { type: null, message: error } });
    else if (claim !== undefined) this.#listener.claim?.(claim);
  }
}

function within(ms, promise, sentence) {
  let limit;
  const late = new Promise((_, reject) => (limit = setTimeout(() => reject(new Error(sentence)), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(limit));
}
