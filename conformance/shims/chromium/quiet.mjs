//! `sync`: whether anything that has reached this machine's browser is still on its way to the client's callbacks. Bytes
//! that wait in a socket are read by the browser's network process, which hands them to the page's; a word that goes from
//! the page through that process to the site and back comes behind them. It never waits for what a server has yet to say.

/**
 * Rounds in a row that must bring nothing: what the first brings (a frame, the end of a request) may make the client ask
 * for more, and two processes need not hand on what they have in one order.
 */
const QUIET_ROUNDS = 2;
/** The driver must answer within 5 s: a page that is still busy by then is told as such, in ms. */
const BUSY_MAX_MS = 4_000;

/**
 * Resolves when all that the tabs' sockets held when it was called has been read and handled.
 * @param {import('./tab.mjs').Tab[]} live
 * @throws {Error} when a page is still busy after the limit
 */
export async function settled(live, now = () => performance.now()) {
  const deadline = now() + BUSY_MAX_MS;
  const happened = () => live.reduce((sum, tab) => sum + tab.traffic.happened, 0);
  for (;;) {
    const before = happened();
    const hops = await Promise.all(live.map((tab) => tab.turn(QUIET_ROUNDS)));
    // What Chromium tells of a page's traffic comes before the page's answer.
    const calm = happened() === before && hops.every((left) => left === 0) && !live.some((tab) => tab.traffic.underWay);
    if (calm) return;
    if (now() > deadline) throw new Error(`a page is still busy after ${BUSY_MAX_MS} ms`);
  }
}
