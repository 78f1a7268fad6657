//! `setTimeout` and its kin as a page has them, of one device, so that a dropped device leaves none behind.
//! Ids are numbers, as in a browser. Time is the machine's: it never runs ahead.

/** In ms. Browsers raise shorter delays to 1 or, nested, 4: such a timer says "in a moment". */
const HOP_MAX_MS = 4;

export class Timers {
  #call;
  #activity;
  #nextId = 1;
  /** @type {Map<number, {stop: () => void}>} */
  #pending = new Map();

  /**
   * @param {(callback: () => void) => void} call runs the client's code and takes what it throws
   * @param {import('../activity.mjs').Activity} activity
   */
  constructor(call, activity) {
    this.#call = call;
    this.#activity = activity;
  }

  /** The four functions, free of `this`. */
  globals() {
    const clear = (id) => this.clear(id);
    return {
      setTimeout: (callback, ms, ...values) => this.once(callback, ms, values),
      setInterval: (callback, ms, ...values) => this.#every(callback, ms, values),
      clearTimeout: clear,
      clearInterval: clear,
    };
  }

  once(callback, ms, values = []) {
    const id = this.#nextId++;
    const delay = Number(ms) || 0;
    const landed = delay <= HOP_MAX_MS ? this.#activity.hop() : () => {};
    const handle = setTimeout(() => {
      this.#pending.delete(id);
      this.#call(() => callback(...values));
      landed();
    }, delay);
    this.#pending.set(id, { stop: () => (clearTimeout(handle), landed()) });
    return id;
  }

  clear(id) {
    this.#pending.get(id)?.stop();
    this.#pending.delete(id);
  }

  clearAll() {
    for (const { stop } of this.#pending.values()) stop();
    this.#pending.clear();
  }

  #every(callback, ms, values) {
    const id = this.#nextId++;
    const handle = setInterval(() => this.#call(() => callback(...values)), Number(ms) || 0);
    this.#pending.set(id, { stop: () => clearInterval(handle) });
    return id;
  }
}
