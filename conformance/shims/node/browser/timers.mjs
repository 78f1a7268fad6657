//! `setTimeout` and its kin as a page has them, of one device, so that a dropped device leaves none behind.
//! Ids are numbers, as in a browser. Time is the machine's, less what the process slept through: it never runs ahead.

/** In ms. Browsers raise shorter delays to 1 or, nested, 4: such a timer says "in a moment". */
const HOP_MAX_MS = 4;
/**
 * In ms. A delay is counted in slices of at most this, each for no more than it is however late it ends. While another
 * device's realm loads its bundle, or the collector runs, nobody reads this device's sockets: a delay that ran on would
 * make the client give up a server that has long answered, such as on a SockJS link that gets no `o` within 600 ms.
 */
const SLICE_MAX_MS = 50;

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
    const wait = (left) => {
      const slice = Math.min(left, SLICE_MAX_MS);
      const handle = setTimeout(() => {
        if (left > slice) return wait(left - slice);
        this.#pending.delete(id);
        this.#call(() => callback(...values));
        landed();
      }, slice);
      this.#pending.set(id, { stop: () => (clearTimeout(handle), landed()) });
    };
    wait(delay);
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
