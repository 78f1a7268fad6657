//! Knows whether anything that has already reached this process is still on its way to the client's callbacks:
//! bytes in sockets, callbacks, and the short timers by which browser code says "in a moment". `sync` rests on
//! it. It never waits for what a server has yet to say.

import { setImmediate as turn } from 'node:timers/promises';

/**
 * Turns in a row that must bring nothing. One turn of the event loop polls every socket once, but the first
 * may have begun before the question, and a stream hands its bytes on a tick after it read them.
 */
const QUIET_TURNS = 4;
/** The driver must answer within 5 s: a loop that is still busy by then is told as such, in ms. */
const BUSY_MAX_MS = 4_000;

export class Activity {
  #happened = 0;
  #bytesOfClosed = 0;
  #hops = 0;
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();
  #now;
  #busyMaxMs;

  constructor({ now = () => performance.now(), busyMaxMs = BUSY_MAX_MS } = {}) {
    this.#now = now;
    this.#busyMaxMs = busyMaxMs;
  }

  /** A callback of the client was called. */
  note() {
    this.#happened += 1;
  }

  /** A timer so short that it means "next", not "later", was set; call the result when it ran or was cleared. */
  hop() {
    this.#hops += 1;
    let open = true;
    return () => {
      if (open) this.#hops -= 1;
      open = false;
    };
  }

  /** Counts what a socket reads, for as long as it lives. @param {import('node:net').Socket} socket */
  watch(socket) {
    this.#sockets.add(socket);
    socket.once('connect', () => this.note());
    socket.once('close', () => {
      this.note();
      this.#bytesOfClosed += socket.bytesRead;
      this.#sockets.delete(socket);
    });
  }

  /**
   * Resolves when all that the sockets held when it was called has been read and handled.
   * @throws {Error} when the loop is still busy after the limit
   */
  async settled() {
    const deadline = this.#now() + this.#busyMaxMs;
    let quiet = 0;
    while (quiet < QUIET_TURNS) {
      const before = this.#progress();
      await turn();
      quiet = this.#progress() === before && !this.#underWay() ? quiet + 1 : 0;
      if (quiet === 0 && this.#now() > deadline) {
        throw new Error(`the event loop is still busy after ${this.#busyMaxMs} ms (${this.#hops} short timers pending)`);
      }
    }
  }

  #progress() {
    let bytes = this.#bytesOfClosed;
    for (const socket of this.#sockets) bytes += socket.bytesRead;
    return this.#happened + bytes;
  }

  /** On loopback a connection is made or refused at once, and until then its request has not left. */
  #underWay() {
    if (this.#hops > 0) return true;
    for (const socket of this.#sockets) if (socket.connecting) return true;
    return false;
  }
}
