//! WebSocket over npm `ws`, as a page has it: text frames, events, no compression (which would be decompressed
//! off the event loop, so that `sync` could not know of it). No pings of its own.

import { dialer, isAllowed } from './dial.mjs';
import { Target, dispatch } from './target.mjs';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const STATES = { CONNECTING, OPEN, CLOSING, CLOSED };

/** The longest message taken, in bytes: a page of 50 messages is far below. Longer ends the connection (1009). */
const MESSAGE_MAX_BYTES = 16 * 1024 * 1024;

/**
 * The class for one page.
 * @param {import('../device.mjs').Page} page
 * @param {typeof import('ws').WebSocket} Ws
 */
export function webSocketClass(page, Ws) {
  class WebSocket extends Target {
    onopen = null;
    onmessage = null;
    onerror = null;
    onclose = null;
    /** @type {import('ws').WebSocket | null} null when the URL was refused */
    #ws = null;
    #url;

    constructor(url, protocols = []) {
      super(page);
      this.#url = new URL(url);
      if (this.#url.protocol !== 'ws:' && this.#url.protocol !== 'wss:') {
        throw new SyntaxError(`WebSocket needs a ws: or wss: URL, not ${url}`);
      }
      if (!isAllowed(this.#url)) {
        page.trespass(this.#url);
        page.timers.once(() => this.#broken(), 0);
        return;
      }
      const ws = new Ws(this.#url, protocols, {
        createConnection: dialer(page, this.#url),
        maxPayload: MESSAGE_MAX_BYTES,
        perMessageDeflate: false,
      });
      ws.on('open', () => this[dispatch]('open'));
      ws.on('message', (data, isBinary) => this[dispatch]('message', { data: isBinary ? asArrayBuffer(data) : data.toString() }));
      // `ws` says `error` for what a page is told as error, then close.
      ws.on('error', (error) => {
        page.remark(`WebSocket ${this.url}: ${error.message}`);
        this[dispatch]('error');
      });
      ws.on('close', (code, reason) => this[dispatch]('close', { code, reason: reason.toString(), wasClean: code !== 1006 }));
      this.#ws = ws;
    }

    get url() {
      return this.#url.href;
    }

    get protocol() {
      return this.#ws?.protocol ?? '';
    }

    get readyState() {
      return this.#ws?.readyState ?? CLOSED;
    }

    get bufferedAmount() {
      return this.#ws?.bufferedAmount ?? 0;
    }

    send(data) {
      if (this.#ws?.readyState === CONNECTING) throw new Error('WebSocket.send: still connecting');
      if (this.#ws?.readyState === OPEN) this.#ws.send(data);
    }

    close(code, reason) {
      this.#ws?.close(code, reason);
    }

    #broken() {
      this[dispatch]('error');
      this[dispatch]('close', { code: 1006, reason: '', wasClean: false });
    }
  }

  for (const [name, value] of Object.entries(STATES)) {
    const constant = { value, enumerable: true };
    Object.defineProperty(WebSocket, name, constant);
    Object.defineProperty(WebSocket.prototype, name, constant);
  }
  return WebSocket;
}

/** @param {Buffer} data */
function asArrayBuffer(data) {
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
}
