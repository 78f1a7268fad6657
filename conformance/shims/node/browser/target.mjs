//! What XMLHttpRequest and WebSocket share: `on…` properties and listeners. Each handler is the client's code:
//! one that throws does not keep the others from running, as in a browser. No bubbling, no capture.

/** Names the method that calls the handlers of an event. */
export const dispatch = Symbol('dispatch');

export class Target {
  #page;
  /** @type {Map<string, Set<Function>>} */
  #listeners = new Map();

  /** @param {import('../device.mjs').Page} page */
  constructor(page) {
    this.#page = page;
  }

  addEventListener(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
  }

  removeEventListener(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  /** For subclasses: not part of a page's view of them, hence the symbol. */
  [dispatch](type, fields = {}) {
    const event = { type, target: this, currentTarget: this, ...fields };
    const handlers = [this[`on${type}`], ...(this.#listeners.get(type) ?? [])];
    for (const handler of handlers) {
      if (typeof handler === 'function') this.#page.call(() => handler.call(this, event));
      else if (typeof handler?.handleEvent === 'function') this.#page.call(() => handler.handleEvent(event));
    }
  }
}
