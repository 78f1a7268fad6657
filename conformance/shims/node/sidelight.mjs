//! What is said beside the protocol: the SDK's console and its uncaught errors, on stderr, for the person who
//! looks at a failure. Bounded, so that a client that logs without end cannot bury the rest. Never stdout.

import { format } from 'node:util';

/** Characters of one remark; a log of a whole frame is cut here. */
const REMARK_MAX_CHARS = 2_000;
/** Remarks between two resets, that is: of one scenario. */
const REMARKS_MAX = 500;

export class Sidelight {
  #stream;
  #left = REMARKS_MAX;

  /** @param {NodeJS.WritableStream} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  /** @param {string} user @param {string} text */
  remark(user, text) {
    if (this.#left < 0) return;
    this.#left -= 1;
    if (this.#left < 0) {
      this.#stream.write(`shim: more than ${REMARKS_MAX} remarks; the rest is dropped until the next reset\n`);
      return;
    }
    const cut = text.length > REMARK_MAX_CHARS ? `${text.slice(0, REMARK_MAX_CHARS)}… (${text.length} characters)` : text;
    this.#stream.write(`[${user}] ${cut.replaceAll('\n', '\n    ')}\n`);
  }

  /** A new scenario begins. */
  renew() {
    this.#left = REMARKS_MAX;
  }
}

const LEVELS = ['assert', 'debug', 'dir', 'error', 'group', 'info', 'log', 'table', 'trace', 'warn'];
const SILENT = ['clear', 'count', 'countReset', 'groupCollapsed', 'groupEnd', 'time', 'timeEnd', 'timeLog'];

/** A `console` for a page. @param {(text: string) => void} remark */
export function pageConsole(remark) {
  const console = {};
  for (const level of LEVELS) {
    console[level] = (...values) => {
      if (level === 'assert' && values.shift()) return;
      remark(`console.${level}: ${format(...values)}`);
    };
  }
  for (const name of SILENT) console[name] = () => {};
  return console;
}
