//! XMLHttpRequest over node:http, as a page of the same origin would have it: asynchronous, one connection a
//! request, uploads in pieces with their progress. It sends no Origin, makes no preflight, keeps no cookies, follows
//! no redirect and does not decompress (it asks for no compression); what the SDKs do not use of the standard is
//! absent, not faked.

import { request as httpRequest } from 'node:http';

import { RESPONSE_TYPES, requestBody, responseBody } from './body.mjs';
import { dialer, isAllowed } from './dial.mjs';
import { Target, dispatch } from './target.mjs';

const UNSENT = 0;
const OPENED = 1;
const HEADERS_RECEIVED = 2;
const LOADING = 3;
const DONE = 4;
const STATES = { UNSENT, OPENED, HEADERS_RECEIVED, LOADING, DONE };

/** The longest body taken, in bytes: the largest attachment is below; a server that never ends is cut off. */
const BODY_MAX_BYTES = 16 * 1024 * 1024;
/** Bytes of an upload between two tellings of its progress: what a browser's network layer takes at a time. */
const UPLOAD_PIECE_BYTES = 64 * 1024;
/** Header names that a page cannot set, of those in the standard's list that could break node's framing. */
const FORBIDDEN_HEADERS = new Set(['connection', 'content-length', 'expect', 'host', 'transfer-encoding', 'upgrade']);

/**
 * The class for one page.
 * @param {import('../device.mjs').Page} page
 * @param {Function} Blob of that page
 */
export function xhrClass(page, Blob) {
  class Upload extends Target {
    onloadstart = null;
    onprogress = null;
    onload = null;
    onerror = null;
    onabort = null;
    ontimeout = null;
    onloadend = null;
  }

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
    #responseType = '';
    /** @type {Buffer[]} the answer's body so far */
    #pieces = [];
    /** Of `pieces`, decoded; for the text types only. */
    #text = '';
    /** What `response` gives for the other types, once it is there. */
    #value = null;
    #upload = new Upload(page);
    #isUploading = false;
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

    /** Without redirects it is the address that was asked, less its fragment. */
    get responseURL() {
      return this.#response === null ? '' : this.#url.href.split('#', 1)[0];
    }

    get upload() {
      return this.#upload;
    }

    get responseText() {
      if (!this.#isText()) throw new Error(`responseText: the responseType is ${this.#responseType}`);
      return this.#text;
    }

    get response() {
      return this.#isText() ? this.#text : this.#value;
    }

    get responseType() {
      return this.#responseType;
    }

    set responseType(type) {
      if (!RESPONSE_TYPES.has(type)) throw new TypeError(`this XMLHttpRequest gives no ${type}`);
      if (this.#state >= LOADING) throw new Error('responseType: the answer is under way');
      this.#responseType = type;
    }

    open(method, url, isAsync = true) {
      if (!isAsync) throw new TypeError('this XMLHttpRequest has no synchronous requests');
      this.#stop();
      this.#url = new URL(url);
      this.#method = String(method).toUpperCase();
      this.#headers.clear();
      this.#forget();
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
      const wanted = this.#method === 'GET' || this.#method === 'HEAD' ? null : requestBody(body);
      this.#sent = true;
      if (!isAllowed(this.#url)) {
        page.trespass(this.#url);
        this.#timer = page.timers.once(() => this.#fail('error'), 0);
        return;
      }
      const request = httpRequest(this.#url, {
        method: this.#method,
        headers: this.#headersFor(wanted),
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
      if (wanted === null || wanted.bytes.length === 0) request.end();
      else this.#send(request, wanted.bytes, ifCurrent);
    }

    abort() {
      const wasUnderWay = this.#sent && this.#state !== DONE;
      if (wasUnderWay) this.#fail('abort');
      this.#stop();
      this.#state = UNSENT;
    }

    overrideMimeType() {}

    #isText() {
      return this.#responseType === '' || this.#responseType === 'text';
    }

    /** @param {{bytes: Buffer, type: string | null} | null} body */
    #headersFor(body) {
      const headers = { accept: '*/*' };
      for (const { name, value } of this.#headers.values()) {
        if (name.toLowerCase() === 'accept') delete headers.accept;
        headers[name] = value;
      }
      if (body === null) return headers;
      if (body.type !== null && !this.#headers.has('content-type')) headers['Content-Type'] = body.type;
      headers['Content-Length'] = body.bytes.length;
      return headers;
    }

    /** Each piece goes when the one before has left for the socket, so that progress is what has gone. */
    #send(request, bytes, ifCurrent) {
      const total = bytes.length;
      const tell = (type, loaded) => this.#upload[dispatch](type, { lengthComputable: true, loaded, total });
      const sendFrom = (from) => {
        const to = Math.min(from + UPLOAD_PIECE_BYTES, total);
        const sent = ifCurrent((error) => {
          if (error || !this.#isUploading) return; // told by the request, or over
          tell('progress', to);
          if (to < total) {
            sendFrom(to);
            return;
          }
          this.#isUploading = false;
          tell('load', total);
          tell('loadend', total);
        });
        if (to < total) request.write(bytes.subarray(from, to), sent);
        else request.end(bytes.subarray(from, to), sent);
      };
      this.#isUploading = true;
      tell('loadstart', 0);
      sendFrom(0);
    }

    /** @param {import('node:http').IncomingMessage} response */
    #receive(response, ifCurrent) {
      this.#response = response;
      this.#become(HEADERS_RECEIVED);
      const isText = this.#isText();
      const decoder = new TextDecoder();
      let taken = 0;
      response.on('data', ifCurrent((chunk) => {
        taken += chunk.length;
        if (taken > BODY_MAX_BYTES) {
          this.#fail('error');
          return;
        }
        if (isText) this.#text += decoder.decode(chunk, { stream: true });
        else this.#pieces.push(chunk);
        this.#become(LOADING);
      }));
      response.on('end', ifCurrent(() => {
        if (isText) this.#text += decoder.decode();
        else this.#value = responseBody(this.#responseType, Buffer.concat(this.#pieces), response.headers['content-type'] ?? '', Blob);
        this.#settle('load');
      }));
      response.on('error', ifCurrent(() => this.#fail('error')));
    }

    #fail(type) {
      this.#forget();
      if (this.#isUploading) {
        this.#isUploading = false;
        this.#upload[dispatch](type, { loaded: 0, total: 0 });
        this.#upload[dispatch]('loadend', { loaded: 0, total: 0 });
      }
      this.#settle(type);
    }

    #forget() {
      this.#response = null;
      this.#pieces = [];
      this.#text = '';
      this.#value = null;
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
