//! A person of a test that makes any call of an SDK and hears what it comes to, in a realm of the shim's. Knows no
//! SDK: a page, which the test writes, does.

import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

import { Activity } from '../activity.mjs';
import { HostClock } from '../browser/clock.mjs';
import { Device } from '../device.mjs';

/** The file that the person chooses, and its name. */
const FILE = fileURLToPath(new URL('../../../../fixtures/media/notes.txt', import.meta.url));

export class Person {
  #device;
  #open = new Map();
  #n = 0;

  /**
   * @param {import('../sdk.mjs').Sdk} sdk
   * @param {string} page text of a script whose value is `(settingsText, tellText, user) => (kind, bodyText) => text`:
   *   with `open` it logs in, with any other kind it makes the call of its body, `{n, name, args}`; what a call comes
   *   to it tells as `{n, ok}` or `{n, error}`
   * @param {object} settings what the page is given: the user, addresses
   */
  constructor(sdk, page, settings) {
    this.#device = new Device({
      sdk: { ...sdk, adapter: new Script(page) },
      settings: { ...settings, app_key: 'org#app', file: FILE },
      activity: new Activity(),
      clock: new HostClock(),
      tell: ({ n, ok, error }) => (error === undefined ? this.#open.get(n)?.resolve(ok) : this.#open.get(n)?.reject(new Error(error))),
      remark: () => {},
    });
  }

  async open() {
    const opened = this.#outcome(0);
    this.#device.run('open', {});
    await opened;
  }

  /** Makes a call; gives what it resolves to. */
  call(kind, name, ...args) {
    this.#n += 1;
    const outcome = this.#outcome(this.#n);
    this.#device.run(kind, { n: this.#n, name, args });
    return outcome;
  }

  drop() {
    return this.#device.drop();
  }

  #outcome(n) {
    return new Promise((resolve, reject) => this.#open.set(n, { resolve, reject }));
  }
}
