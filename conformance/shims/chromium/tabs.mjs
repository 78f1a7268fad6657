//! The tabs of one browser, kept: making one takes longer than a scenario, loading its page anew does not. There is one
//! more than a scenario has had devices at most.

import { Tab } from './tab.mjs';

/** Tabs that stand ready before anybody asks: most scenarios have two devices. */
const READY = 2;

export class Tabs {
  #browser;
  #origin;
  /** @type {Promise<Tab>[]} the next one first */
  #free = [];
  /** @type {Set<Tab>} */
  #all = new Set();
  /** One clipboard is shared by all. */
  #clipboard = Promise.resolve();

  /**
   * @param {import('playwright-core').Browser} browser
   * @param {string} origin of the site
   */
  constructor(browser, origin) {
    this.#browser = browser;
    this.#origin = origin;
    for (let made = 0; made < READY; made += 1) this.#free.push(this.#open());
  }

  /** Resolves when the first tabs have their pages. */
  async ready() {
    await Promise.all(this.#free.map(async (opening) => (await opening).loaded));
  }

  /** A tab whose page has loaded. @returns {Promise<Tab>} */
  async take() {
    const taken = this.#free.shift() ?? this.#open();
    // The next may be asked for at once, and on a busy machine making one takes longer than an answer may.
    if (this.#free.length === 0) this.#free.push(this.#open());
    const tab = await taken;
    await tab.loaded;
    return tab;
  }

  /** Takes one back; done when what it showed is gone. @param {Tab} tab */
  async giveBack(tab) {
    await tab.renew();
    this.#free.push(Promise.resolve(tab));
  }

  /** What works with the clipboard, one after another. */
  withClipboard(work) {
    const done = this.#clipboard.then(work);
    this.#clipboard = done.catch(() => {});
    return done;
  }

  /** For when the browser is closed: what the tabs left on the disk. */
  async close() {
    await Promise.all([...this.#all].map((tab) => tab.forgetFiles()));
  }

  #open() {
    const opening = Tab.open(this.#browser, this.#origin).then((tab) => {
      this.#all.add(tab);
      return tab;
    });
    // Whoever takes it hears of it.
    opening.catch(() => {});
    return opening;
  }
}
