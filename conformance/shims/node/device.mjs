//! One device: one realm (a vm context with the globals of a small page) in which the SDK's bundle and the
//! adapter's glue run, so that every callback, option and array the SDK sees is of that realm. Only texts cross
//! the border, and files, which are of the page's own classes. A 3.x SDK holds one connection a loaded module,
//! hence a realm a device.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';

import { location, urlClass } from './browser/address.mjs';
import { bytesOf, fileClasses } from './browser/blob.mjs';
import { isAllowed } from './browser/dial.mjs';
import { fileReaderClass } from './browser/reader.mjs';
import { localStorageOf } from './browser/storage.mjs';
import { Timers } from './browser/timers.mjs';
import { webSocketClass } from './browser/websocket.mjs';
import { xhrClass } from './browser/xhr.mjs';
import { pageConsole } from './sidelight.mjs';

/** Devices by their realm's `Promise.prototype`, dropped ones too, for as long as the realm lives. */
const DEVICE_OF_REALM = new WeakMap();

/**
 * What a page's classes need of their device.
 * @typedef {object} Page
 * @property {import('./activity.mjs').Activity} activity
 * @property {Timers} timers whose time-outs are the page's too
 * @property {(callback: () => void) => void} call runs the client's code; what it throws is the client's bug
 * @property {(socket: import('node:net').Socket) => void} keep closes the socket with the device
 * @property {(text: string) => void} remark
 * @property {(url: URL) => void} trespass the client asked for a host that is not ours
 */

export class Device {
  #tell;
  #remark;
  #run;
  #timers;
  #dropped = false;
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();

  /** The device in whose realm a promise was made. */
  static ofPromise(promise) {
    return DEVICE_OF_REALM.get(Object.getPrototypeOf(promise));
  }

  /**
   * @param {object} parts
   * @param {import('./sdk.mjs').Sdk} parts.sdk
   * @param {object} parts.settings the arguments of `create`
   * @param {import('./activity.mjs').Activity} parts.activity
   * @param {import('./browser/clock.mjs').Clock} parts.clock
   * @param {(event: object) => void} parts.tell
   * @param {(text: string) => void} parts.remark
   * @throws {Error} when an address is not on this machine, or the SDK refuses the settings
   */
  constructor({ sdk, settings, activity, clock, tell, remark }) {
    for (const name of ['rest', 'sockjs']) checkAddress(name, settings[name]);
    this.#tell = tell;
    this.#remark = remark;
    const call = (callback) => this.#call(callback, activity);
    this.#timers = new Timers(call, activity, clock);
    const page = {
      activity,
      timers: this.#timers,
      call,
      keep: (socket) => this.#keep(socket),
      remark: (text) => this.#say(text),
      trespass: (url) => this.uncaught(new Error(`the client asked for ${url.href}, which is not on 127.0.0.1`)),
    };
    const classes = fileClasses();
    const context = newRealm(page, sdk.Ws, classes, new URL(settings.rest));
    DEVICE_OF_REALM.set(runInContext('Promise.prototype', context), this);
    try {
      sdk.bundle.runInContext(context);
      const attach = sdk.adapter.runInContext(context);
      this.#run = attach(JSON.stringify(settings), (text) => this.#report(JSON.parse(text)), userOf(classes));
    } catch (error) {
      this.#dropped = true;
      this.#timers.clearAll();
      throw error;
    }
  }

  /** Makes one call of the client. @returns {object} `{ok}`, `{unsupported}` or `{error}` */
  run(name, body) {
    return JSON.parse(this.#run(name, JSON.stringify(body)));
  }

  /** What the client threw where no one of its own caught it: an app would see it, so the harness does. */
  uncaught(reason) {
    const name = reason?.stack && reason.name ? `${reason.name}: ` : '';
    const message = reason?.message ?? (typeof reason === 'object' ? safeJson(reason) : String(reason));
    this.#say(`uncaught: ${reason?.stack ?? message}`);
    this.#report({ error: { type: null, message: `uncaught: ${name}${message}` } });
  }

  /** Closes every socket and timer; resolves when the sockets are closed. Nothing is reported from now on. */
  async drop() {
    this.#dropped = true;
    this.#timers.clearAll();
    const closed = [...this.#sockets].map(
      (socket) => new Promise((done) => {
        socket.once('close', done);
        socket.destroy();
      }),
    );
    await Promise.all(closed);
    // A close handler of the client may have set a timer on its way out.
    this.#timers.clearAll();
  }

  #call(callback, activity) {
    if (this.#dropped) return;
    activity.note();
    try {
      callback();
    } catch (error) {
      this.uncaught(error);
    }
  }

  #report(event) {
    if (!this.#dropped) this.#tell(event);
  }

  #say(text) {
    if (!this.#dropped) this.#remark(text);
  }

  #keep(socket) {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#dropped) socket.destroy();
  }
}

/** A realm with what an SDK needs of a page, all of it there before the bundle runs. */
function newRealm(page, Ws, classes, server) {
  const context = createContext({}, { name: 'page', codeGeneration: { strings: true, wasm: false } });
  const global = runInContext('globalThis', context);
  const navigator = runInContext('({ userAgent: "node", plugins: [] })', context);
  // The page is the server's own, so that no request of it crosses an origin.
  const address = runInContext('(fields) => Object.assign({}, fields)', context)(location(new URL('/', server).href));
  const globals = {
    window: global,
    self: global,
    localStorage: localStorageOf(),
    Date: page.timers.date(runInContext('Date', context)),
    navigator,
    console: pageConsole(page.remark),
    location: address,
    URL: urlClass(server.origin),
    ...classes,
    FileReader: fileReaderClass(page),
    XMLHttpRequest: xhrClass(page, classes.Blob),
    WebSocket: webSocketClass(page, Ws),
    ...page.timers.globals(),
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(global, name, { value, writable: true, configurable: true, enumerable: true });
  }
  return context;
}

/**
 * What the person before the page does, and the page cannot: chooses a file, looks at one that was loaded.
 * @typedef {object} User
 * @property {(path: string, name: string, mediaType: string) => object} fileInput an input with the file chosen
 * @property {(blob: Blob, take: (text: string) => void) => void} sha256
 * @property {() => File} [pasted] what was pasted last, where there is a page to paste into
 */

/** @returns {User} */
function userOf({ File }) {
  return {
    fileInput: (path, name, mediaType) => {
      const file = new File([readFileSync(path)], name, { type: mediaType });
      return { files: { length: 1, item: () => file, 0: file } };
    },
    // A browser reads files and digests them in its own time.
    sha256: (blob, take) => take(createHash('sha256').update(blob[bytesOf]).digest('hex')),
  };
}

function checkAddress(name, text) {
  let url = null;
  try {
    url = new URL(text);
  } catch {
    // told below, like any other address that is not ours
  }
  if (!url || !isAllowed(url)) throw new Error(`${name} must be an http address on 127.0.0.1, not ${text}`);
}

function safeJson(value) {
  try {
    return JSON.stringify(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
