//! `setTimeout` and its kin, and `Date`, as a page has them, of one device, so that a dropped device leaves no timer
//! behind. Ids are numbers, as in a browser. What time it is, its clock says.

/** In ms. Browsers raise shorter delays to 1 or, nested, 4: such a timer says "in a moment". */
const HOP_MAX_MS = 4;

export class Timers {
  #call;
  #activity;
  #clock;
  #nextId = 1;
  /** @type {Map<number, () => void>} what calls each off */
  #pending = new Map();

  /**
   * @param {(callback: () => void) => void} call runs the client's code and takes what it throws
   * @param {import('../activity.mjs').Activity} activity
   * @param {import('./clock.mjs').Clock} clock
   */
  constructor(call, activity, clock) {
    this.#call = call;
    this.#activity = activity;
    this.#clock = clock;
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

  /**
   * A realm's own `Date`, by this clock: the realm's objects stay `instanceof` it.
   * @param {DateConstructor} real the realm's
   */
  date(real) {
    const now = () => this.#clock.now();
    const date = new Proxy(real, {
      construct: (target, values, made) => Reflect.construct(target, values.length === 0 ? [now()] : values, made),
      apply: (target) => new target(now()).toString(),
      get: (target, key) => (key === 'now' ? now : target[key]),
    });
    real.prototype.constructor = date;
    return date;
  }

  once(callback, ms, values = []) {
    const id = this.#nextId++;
    const delay = delayOf(ms);
    const run = () => {
      this.#pending.delete(id);
      this.#call(() => callback(...values));
    };
    if (delay > HOP_MAX_MS) {
      this.#pending.set(id, this.#clock.later(delay, run));
      return id;
    }
    const landed = this.#activity.hop();
    const stop = this.#clock.soon(delay, () => {
      run();
      landed();
    });
    this.#pending.set(id, () => {
      stop();
      landed();
    });
    return id;
  }

  clear(id) {
    this.#pending.get(id)?.();
    this.#pending.delete(id);
  }

  clearAll() {
    for (const stop of this.#pending.values()) stop();
    this.#pending.clear();
  }

  /** Never "in a moment", however short: one that a page never stops would keep the process busy for ever. */
  #every(callback, ms, values) {
    const id = this.#nextId++;
    const period = Math.max(delayOf(ms), HOP_MAX_MS);
    const wait = () =>
      this.#pending.set(id, this.#clock.later(period, () => {
        wait();
        this.#call(() => callback(...values));
      }));
    wait();
    return id;
  }
}

/**
 * As WebIDL reads a `long`: a delay that 32 bits cannot hold comes out as another one, often as none, as in a browser.
 * @returns {number} ms, 0 or more
 */
function delayOf(ms) {
  return Math.max(Number(ms) | 0, 0);
}
