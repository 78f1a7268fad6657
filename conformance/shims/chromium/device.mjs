//! One device: a tab, what a person does before it, and the adapter's calls within it, one after another.

import { isAllowed } from '../node/browser/dial.mjs';

/** By which a client tells its app that something was refused or failed. */
const FAILURES = new Set(['error', 'failed', 'upload_failed', 'download_failed', 'call_failed', 'closed']);

export class Device {
  #tabs;
  #tell;
  #remark;
  #tab = null;
  #dropped = false;
  /** Whether the app was told of any failure. */
  #toldOfFailure = false;
  /** Errors of the SDK's own log. @type {string[]} */
  #claims = [];
  /** The call under way: a file is chosen before the next call is made. */
  #last = Promise.resolve();

  /**
   * @param {object} parts
   * @param {import('./tabs.mjs').Tabs} parts.tabs
   * @param {(event: object) => void} parts.tell
   * @param {(text: string) => void} parts.remark
   */
  constructor({ tabs, tell, remark }) {
    this.#tabs = tabs;
    this.#tell = tell;
    this.#remark = remark;
  }

  /** @type {import('./tab.mjs').Tab | null} */
  get tab() {
    return this.#tab;
  }

  /** Takes a tab and makes the client in it. @returns {Promise<object>} as `run` */
  create(settings) {
    return this.#next(async () => {
      const tab = await this.#tabs.take();
      if (this.#dropped) {
        await this.#tabs.giveBack(tab);
        throw new Error('reset before it was made');
      }
      this.#tab = tab;
      tab.listen({ tell: (event) => this.#hear(event), remark: this.#remark, claim: (text) => this.#claims.push(text) });
      if (settings.now_ms !== undefined) await tab.call('setClock', settings.now_ms);
      return JSON.parse(await tab.call('create', JSON.stringify(settings)));
    });
  }

  /** Makes one call of the client. @returns {Promise<object>} `{ok}`, `{unsupported}` or `{error}` */
  run(name, body) {
    return this.#next(async () => {
      const tab = this.#tab;
      if (!tab) throw new Error('the device was forgotten by a reset');
      switch (name) {
        case 'network':
          await tab.setOnline(body.up);
          return { ok: {} };
        case 'render':
          return JSON.parse(await tab.call('render', body));
        case 'paste_image':
          await tab.choose(body.file, body.filename, body.media_type);
          await this.#tabs.withClipboard(() => tab.paste());
          break;
        default:
          if (body.file !== undefined) await tab.choose(body.file, body.filename, body.media_type);
      }
      return JSON.parse(await tab.call('run', name, JSON.stringify(body)));
    });
  }

  /**
   * The errors of the SDK's own log, if its app was never told that anything failed: it may be told long after the log,
   * when the third try has come to nothing.
   * @returns {string[]}
   */
  get unexplained() {
    return this.#toldOfFailure ? [] : this.#claims;
  }

  /** Gives the tab back; nothing is reported from now on. */
  async drop() {
    this.#dropped = true;
    const tab = this.#tab;
    this.#tab = null;
    if (tab) await this.#tabs.giveBack(tab);
  }

  #hear(event) {
    if (Object.keys(event).some((name) => FAILURES.has(name))) this.#toldOfFailure = true;
    this.#tell(event);
  }

  #next(work) {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done.then((answer) => {
      if (answer.error !== undefined) this.#toldOfFailure = true;
      return answer;
    });
  }
}

/** @throws {Error} when an address is not on this machine */
export function checkAddresses(settings) {
  for (const name of ['rest', 'sockjs']) {
    let url = null;
    try {
      url = new URL(settings[name]);
    } catch {
      // told below, like any other address that is not ours
    }
    if (!url || !isAllowed(url)) throw new Error(`${name} must be an http address on 127.0.0.1, not ${settings[name]}`);
  }
}
