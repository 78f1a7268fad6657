//! XMLHttpRequest over node:http, as a page of the same origin would have it: asynchronous, text in and out, one
//! connection a request. It sends no Origin, makes no preflight, keeps no cookies, follows no redirect and does
//! not decompress (it asks for no compression); what the SDKs do not use of the standard is absent, not faked.

import { request as httpRequest } from 'node:http';

import { dialer, isAllowed } from './dial.mjs';
import { Target, dispatch } from './target.mjs';

const UNSENT = 0;
const OPENED = 1;
const HEADERS_RECEIVED = 2;
const LOADING = 3;
const DONE = 4;
const STATES = { UNSENT, OPENED, HEADERS_RECEIVED, LOADING, DONE };

/** The longest body taken, in bytes: a history page is far below; a server that never ends is cut off. */
const BODY_MAX_BYTES = 16 * 1024 * 1024;
/** Header names that a page cannot set, of those in the standard's list that could break node's framing. */
const FORBIDDEN_HEADERS = new Set(['connection', 'content-length', 'expect', 'host', 'transfer-encoding', 'upgrade']);

/** The class for one page. @param {import('../device.mjs').Page} page */
export function xhrClass(page) {
  class XMLHttpRequest extends Target {
    withCredentials = false;
    timeout = 0;
    onreadystatechange = null;
    onload = null;
    onerror = null;
    onabort = null;
    ontimeout = null;
    onloadend = null;

    #method = 'GET';
    /** @type {URL | null} */
    #url = null;
    /** @type {Map<string, {name: string, value: string}>} by lower-case name */
    #headers = new Map();
    #state = UNSENT;
    #sent = false;
    /** @type {import('node:http').ClientRequest | null} */
    #request = null;
    /** @type {import('node:http').IncomingMessage | null} */
    #response = null;
    #text = '';
    #timer = 0;

    constructor() {
      super(page);
    }

    get readyState() {
      return this.#state;
    }

    get status() {
      return this.#response?.statusCode ?? 0;
    }

    get statusText() {
      return this.#response?.statusMessage ?? '';
    }

    get responseText() {
      return this.#text;
    }

    get response() {
      return this.#text;
    }

    get responseType() {
      return '';
    }

    set responseType(type) {
      if (type !== '' && type !== 'text') throw new TypeError(`this XMLHttpRequest gives text, not ${type}`);
    }

    open(method, url, isAsync = true) {
      if (!isAsync) throw new TypeError('this XMLHttpRequest has no synchronous requests');
      this.#stop();
      this.#url = new URL(url);
      this.#method = String(method).toUpperCase();
      this.#headers.clear();
      this.#response = null;
      this.#text = '';
      this.#sent = false;
      this.#become(OPENED);
    }

    setRequestHeader(name, value) {
      if (this.#state !== OPENED || this.#sent) throw new Error('setRequestHeader: the request is not open, or sent');
      const key = String(name).toLowerCase();
      if (FORBIDDEN_HEADERS.has(key)) return;
      const before = this.#headers.get(key);
      this.#headers.set(key, { name: String(name), value: before ? `${before.value}, ${value}` : String(value) });
    }

    getResponseHeader(name) {
      const value = this.#response?.headers[String(name).toLowerCase()];
      return value === undefined ? null : String(value);
    }

    getAllResponseHeaders() {
      const headers = Object.entries(this.#response?.headers ?? {});
      return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    }

    send(body = null) {
      if (this.#state !== OPENED || this.#sent) throw new Error('send: the request is not open, or sent already');
      if (body !== null && typeof body !== 'string') throw new TypeError('this XMLHttpRequest sends text only');
      this.#sent = true;
      if (!isAllowed(this.#url)) {
        page.trespass(this.#url);
        this.#timer = page.timers.once(() => this.#fail('error'), 0);
        return;
      }
      const bytes = body === null || this.#method === 'GET' || this.#method === 'HEAD' ? null : Buffer.from(body);
      const request = httpRequest(this.#url, {
        method: this.#method,
        headers: this.#headersFor(bytes),
        createConnection: dialer(page, this.#url),
      });
      this.#request = request;
      // Events of a request that was aborted or replaced are none of this object's any more.
      const ifCurrent = (handle) => (value) => {
        if (this.#request === request) handle(value);
      };
      request.on('response', ifCurrent((response) => this.#receive(response, ifCurrent)));
      request.on('error', ifCurrent(() => this.#fail('error')));
      if (this.timeout > 0) this.#timer = page.timers.once(ifCurrent(() => this.#fail('timeout')), this.timeout);
      request.end(bytes);
    }

    abort() {
      const wasUnderWay = this.#sent && this.#state !== DONE;
      if (wasUnderWay) this.#fail('abort');
      this.#stop();
      this.#state = UNSENT;
    }

    overrideMimeType() {}

    #headersFor(bytes) {
      const headers = { accept: '*/*' };
      for (const { name, value } of this.#headers.values()) {
        if (name.toLowerCase() === 'accept') delete headers.accept;
        headers[name] = value;
      }
      if (bytes === null) return headers;
      // A page's string body without a declared type goes out as this.
      if (!this.#headers.has('content-type')) headers['Content-Type'] = 'text/plain;charset=UTF-8';
      headers['Content-Length'] = bytes.length;
      return headers;
    }

    /** @param {import('node:http').IncomingMessage} response */
    #receive(response, ifCurrent) {
      this.#response = response;
      this.#become(HEADERS_RECEIVED);
      const decoder = new TextDecoder();
      let taken = 0;
      response.on('data', ifCurrent((chunk) => {
        taken += chunk.length;
        if (taken > BODY_MAX_BYTES) {
          this.#fail('error');
          return;
        }
        this.#text += decoder.decode(chunk, { stream: true });
        this.#become(LOADING);
      }));
      response.on('end', ifCurrent(() => {
        this.#text += decoder.decode();
        this.#settle('load');
      }));
      response.on('error', ifCurrent(() => this.#fail('error')));
    }

    #fail(type) {
      this.#response = null;
      this.#text = '';
      this.#settle(type);
    }

    #settle(type) {
      this.#stop();
      this.#become(DONE);
      this[dispatch](type);
      this[dispatch]('loadend');
    }

    /** Lets go of the request, if one is under way. */
    #stop() {
      page.timers.clear(this.#timer);
      const request = this.#request;
      this.#request = null;
      if (request && !request.destroyed) request.destroy();
    }

    #become(state) {
      this.#state = state;
      this[dispatch]('readystatechange');
    }
  }

  for (const [name, value] of Object.entries(STATES)) {
    const constant = { value, enumerable: true };
    Object.defineProperty(XMLHttpRequest, name, constant);
    Object.defineProperty(XMLHttpRequest.prototype, name, constant);
  }
  return XMLHttpRequest;
}
