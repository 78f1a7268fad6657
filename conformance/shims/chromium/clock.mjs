//! The harness's clock in pages: each page has one of its own, of the very text that the shim in Node runs, and here they
//! are moved together. No page sees the host's time, and no timer of a client runs unless it was moved to.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE = join(dirname(fileURLToPath(import.meta.url)), '../node/browser');
/** Modules without imports: as a script they are the same text without the word `export`. */
const MODULES = ['clock.mjs', 'timers.mjs'];

/** The script that gives a page the clock; it comes before the bundle. @returns {string} */
export function clockScript() {
  const texts = MODULES.map((file) => readFileSync(join(NODE, file), 'utf8').replaceAll(/^export /gm, ''));
  return `conformance.installClock((setImmediate) => {\n${texts.join('\n')}\nreturn { VirtualClock, Timers };\n});\n`;
}

/**
 * Moves the clocks of all pages, and runs what falls due on the way, each at its own time.
 * @param {import('./tab.mjs').Tab[]} tabs
 * @param {number} ms
 * @param {() => Promise<void>} settled resolves when all that a timer brought about within the browser is done
 * @returns {Promise<number | null>} in how many ms something is due; null when nothing is
 */
export async function advance(tabs, ms, settled) {
  let left = ms;
  for (;;) {
    await settled();
    const dues = await Promise.all(tabs.map((tab) => tab.call('due')));
    const next = Math.min(...dues.map((due) => due ?? Infinity));
    const step = Math.min(next, left);
    if (step > 0) await Promise.all(tabs.map((tab) => tab.call('pass', step)));
    left -= step;
    if (next > step || tabs.length === 0) return next === Infinity ? null : next - step;
    await tabs[dues.indexOf(next)].call('runDue');
  }
}
