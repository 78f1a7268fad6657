//! What one tab does in the network, as Chromium itself tells it: whether anything happened since the last look, whether
//! a request has yet to leave, and what was blocked. It never waits for what a server has yet to say.

/** What a page may talk to. */
const HOST = '127.0.0.1';

/**
 * How long after its head a response is waited for, in ms of this machine's time. Chromium hands the end of one on later
 * than many words of a socket; one that a server leaves open is the server's affair.
 */
const END_MAX_MS = 1_000;

/** Each is something that happened between page and network. */
const EVENTS = [
  'requestWillBeSent',
  'requestWillBeSentExtraInfo',
  'responseReceivedExtraInfo',
  'responseReceived',
  'dataReceived',
  'loadingFinished',
  'loadingFailed',
  'webSocketCreated',
  'webSocketWillSendHandshakeRequest',
  'webSocketHandshakeResponseReceived',
  'webSocketFrameReceived',
  'webSocketFrameSent',
  'webSocketFrameError',
  'webSocketClosed',
];

export class Traffic {
  #origin;
  #blocked;
  #happened = 0;
  /** Requests of the page to the site that it is from: not the client's. */
  #own = new Set();
  /** How often each was begun, less how often it left: below 0 when the network's process was heard first. */
  #waiting = new Map();
  /** When the head of each came whose end has not been told; those that ended before the head was heard: `null`. */
  #begun = new Map();
  #now;

  /**
   * @param {import('playwright-core').CDPSession} cdp with the domain Network enabled
   * @param {string} origin of the page
   * @param {(text: string) => void} blocked a request that Chromium did not let through, or that should not be
   * @param {() => number} now
   */
  constructor(cdp, origin, blocked, now = () => performance.now()) {
    this.#origin = origin;
    this.#blocked = blocked;
    this.#now = now;
    for (const name of EVENTS) cdp.on(`Network.${name}`, (event) => this.#hear(name, event));
  }

  /** Grows with everything that happens. */
  get happened() {
    return this.#happened;
  }

  /**
   * Whether a request was made that has not left yet, for a preflight goes before it or its connection is being made, or
   * a response has begun to come that the page has not had whole.
   */
  get underWay() {
    const since = this.#now() - END_MAX_MS;
    return [...this.#waiting.values()].some((times) => times > 0) || [...this.#begun.values()].some((at) => at !== null && at > since);
  }

  /** The tab's page is another one. */
  renew() {
    this.#own.clear();
    this.#waiting.clear();
    this.#begun.clear();
  }

  #hear(name, event) {
    const id = event.requestId;
    const url = event.request?.url ?? event.url;
    const begins = name === 'requestWillBeSent' || name === 'webSocketCreated';
    if (begins && this.#isOwn(url)) this.#own.add(id);
    if (this.#own.has(id)) return;
    this.#happened += 1;
    if (begins) {
      this.#count(id, 1);
      this.#check(url);
    } else if (name === 'requestWillBeSentExtraInfo' || name === 'webSocketWillSendHandshakeRequest') {
      this.#count(id, -1);
    } else if (name === 'responseReceivedExtraInfo') {
      // The network's process and the page's are heard in no order.
      if (this.#begun.get(id) === null) this.#begun.delete(id);
      else this.#begun.set(id, this.#now());
    } else if (name === 'loadingFinished' || name === 'loadingFailed' || name === 'webSocketClosed') {
      this.#waiting.delete(id);
      if (!this.#begun.delete(id) && name === 'loadingFinished') this.#begun.set(id, null);
    }
    if (name === 'loadingFailed') this.#checkFailure(event);
  }

  #count(id, by) {
    const times = (this.#waiting.get(id) ?? 0) + by;
    if (times === 0) this.#waiting.delete(id);
    else this.#waiting.set(id, times);
  }

  #isOwn(text) {
    const { protocol, host } = new URL(text);
    const { host: own } = new URL(this.#origin);
    return host === own && (protocol === 'http:' || protocol === 'ws:');
  }

  #check(text) {
    const { protocol, hostname } = new URL(text);
    if (protocol === 'blob:' || protocol === 'data:' || hostname === HOST) return;
    this.#blocked(`the client asked for ${text}, which is not on ${HOST}`);
  }

  /** CORS and content policies: what the page asked for and Chromium kept from it. */
  #checkFailure({ corsErrorStatus, blockedReason, errorText }) {
    if (corsErrorStatus) this.#blocked(`a cross-origin request was blocked: ${corsErrorStatus.corsError} ${corsErrorStatus.failedParameter}`);
    else if (blockedReason) this.#blocked(`a request was blocked: ${blockedReason} ${errorText}`);
  }
}
