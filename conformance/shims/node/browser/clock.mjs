//! What time it is in a page, and when what it put off is due. Two kinds: the harness's clock, which stands still until
//! `advance` moves it and is the same for all pages of a process, and the host's. Neither knows a page.

/**
 * In ms. Only the host's clock: a delay is counted in slices of at most this, each for no more than it is however late
 * it ends. While another device's realm loads its bundle, or the collector runs, nobody reads this device's sockets: a
 * delay that ran on would make the client give up a server that has long answered, such as on a SockJS link that gets
 * no `o` within 600 ms.
 */
const SLICE_MAX_MS = 50;

/**
 * @typedef {object} Clock
 * @property {() => number} now ms since 1970
 * @property {(ms: number, run: () => void) => () => void} later runs it after so long; the result calls that off
 * @property {(ms: number, run: () => void) => () => void} soon the same for a delay that means "in a moment"
 */

/**
 * The harness's clock.
 *
 * A moment is no time: what is to run soon runs by itself, one thing a turn of the event loop, in the order of its
 * delay, while the clock stands. So code that takes a breath between two steps goes on, `sync` can wait for it, and the
 * pages' time remains the world's to the millisecond.
 * @implements {Clock}
 */
export class VirtualClock {
  /** What the clock shows when nothing has been moved yet. */
  #origin;
  #passed = 0;
  #seq = 0;
  /** @type {Set<Entry>} by the time that has passed */
  #later = new Set();
  /** @type {Set<Entry>} by the moments, which count on their own */
  #soon = new Set();
  #moment = 0;
  #isTurning = false;

  /** @typedef {{at: number, seq: number, run: () => void}} Entry */

  constructor(origin = Date.now()) {
    this.#origin = origin;
  }

  now() {
    return this.#origin + this.#passed;
  }

  /** Shows another time. What is due stays as far away as it was. @param {number} ms since 1970 */
  set(ms) {
    this.#origin = ms - this.#passed;
  }

  later(ms, run) {
    return this.#add(this.#later, this.#passed + ms, run);
  }

  soon(ms, run) {
    // Browsers count a delay of 0 as 1: something that calls itself again and again is overtaken by a delay of 4.
    const stop = this.#add(this.#soon, this.#moment + Math.max(ms, 1), run);
    this.#turn();
    return stop;
  }

  /**
   * Moves the clock, and runs what falls due on the way, each at its own time.
   * @param {number} ms
   * @param {() => Promise<void>} settled resolves when all that a timer brought about within this process is done
   * @returns {Promise<number | null>} in how many ms something is due; null when nothing is
   */
  async advance(ms, settled) {
    let left = ms;
    for (;;) {
      await settled();
      const due = this.due();
      const step = Math.min(due ?? Infinity, left);
      this.pass(step);
      left -= step;
      if (due === null || due > step) return due === null ? null : due - step;
      this.runDue();
    }
  }

  /** In how many ms something is due; null when nothing is. @returns {number | null} */
  due() {
    const next = earliest(this.#later);
    return next ? next.at - this.#passed : null;
  }

  /** Moves the clock and runs nothing. @param {number} ms no more than `due` */
  pass(ms) {
    this.#passed += ms;
  }

  /** Runs one thing that is due by now, if there is any. */
  runDue() {
    const next = earliest(this.#later);
    if (!next || next.at > this.#passed) return;
    this.#later.delete(next);
    next.run();
  }

  #add(entries, at, run) {
    const entry = { at, seq: this.#seq++, run };
    entries.add(entry);
    return () => void entries.delete(entry);
  }

  #turn() {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => {
      this.#isTurning = false;
      const next = earliest(this.#soon);
      if (!next) return;
      this.#soon.delete(next);
      this.#moment = next.at;
      if (this.#soon.size > 0) this.#turn();
      next.run();
    });
  }
}

/**
 * The host's time, less what the process slept through: a delay never runs ahead of the sockets.
 * @implements {Clock}
 */
export class HostClock {
  now() {
    return Date.now();
  }

  later(ms, run) {
    let handle;
    const wait = (left) => {
      const slice = Math.min(left, SLICE_MAX_MS);
      handle = setTimeout(() => (left > slice ? wait(left - slice) : run()), slice);
    };
    wait(ms);
    return () => clearTimeout(handle);
  }

  soon(ms, run) {
    return this.later(ms, run);
  }
}

/** @param {Set<Entry>} entries @returns {Entry | undefined} */
function earliest(entries) {
  let first;
  for (const entry of entries) {
    if (!first || entry.at < first.at || (entry.at === first.at && entry.seq < first.seq)) first = entry;
  }
  return first;
}
