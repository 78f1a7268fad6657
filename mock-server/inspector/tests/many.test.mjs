//! Ten thousand rows and more: what the page draws is bounded, and what one more row costs does not grow with those that
//! are there. It prints how long things took, and asserts nothing of that: it would tell of the machine. For the numbers:
//! `node --test mock-server/inspector/tests/many.test.mjs`.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { device } from './device.mjs';
import { inspected, rowsIn } from './inspected.mjs';

const ROWS = 10_000;
/** The rows in sight on a laptop, and some around them. */
const DRAWN_MAX = 60;
/** All of the page but its traffic: panels, choices, heads of lanes. */
const ELEMENTS_MAX = 1500;
/** For all rows to be read, on a machine with ten times as much to do as it can. */
const READ_WAIT_MAX_MS = 120_000;
const APP = 'many#rows';

let here;
before(async () => { here = await inspected(); });
after(() => here?.close());

test('ten thousand rows are read, filtered and scrolled, and as few elements are there as with a hundred', async () => {
  const devices = await Promise.all(['alice', 'bob', 'carol', 'dave'].map((user) => device(here.server.rest, APP, user)));
  try {
    await Promise.all(devices.map((one) => one.beat(ROWS / 8)));
    await here.withPage(APP, {}, async (page) => {
      await page.evaluate(() => {
        globalThis.seen = { long: [], drawn: 0, frames: 0, late: 0 };
        // A frame that comes a whole one late, at the 60 a second of a screen, is one that was dropped.
        let before = performance.now();
        const frame = (now) => {
          globalThis.seen.frames += 1;
          globalThis.seen.late += Math.max(Math.round((now - before) * 60 / 1000) - 1, 0);
          before = now;
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
        new PerformanceObserver((list) => globalThis.seen.long.push(...list.getEntries().map(({ duration }) => Math.round(duration)))).observe({ type: 'longtask', buffered: true });
        new MutationObserver(() => { globalThis.seen.drawn = Math.max(globalThis.seen.drawn, document.querySelectorAll('.moment').length); }).observe(document.body, { childList: true, subtree: true });
      });
      const told = async (what) => {
        const { long, drawn, elements, frames, late } = await page.evaluate(() => {
          const now = { ...globalThis.seen, elements: document.querySelectorAll('*').length };
          Object.assign(globalThis.seen, { long: [], frames: 0, late: 0 });
          return now;
        });
        console.log(`# ${what}: ${frames} frames, ${late} dropped; ${long.length} long tasks, ${Math.max(0, ...long)} ms the longest; at most ${drawn} rows drawn, ${elements} elements`);
        assert.ok(drawn <= DRAWN_MAX, `${what}: ${drawn} rows drawn`);
        assert.ok(elements <= ELEMENTS_MAX, `${what}: ${elements} elements`);
      };
      const { rows_ever: all } = await here.look(APP, 'traffic?limit=1');
      assert.ok(all >= ROWS, `${all} rows`);
      const showsAll = (count) => page.waitForFunction((n) => document.querySelector('.found').textContent === `${n.toLocaleString('en')} rows`, count, { timeout: READ_WAIT_MAX_MS });
      await showsAll(all);
      await told('read');

      const box = page.locator('.lanes');
      for (let at = 0; at <= 20; at += 1) {
        await box.evaluate((element, part) => new Promise((resolve) => {
          element.scrollTop = (element.scrollHeight - element.clientHeight) * part;
          requestAnimationFrame(() => requestAnimationFrame(resolve));
        }), at / 20);
      }
      await told('scrolled');
      await box.evaluate((element) => { element.scrollTop = 0; });
      await page.waitForSelector('[aria-posinset="1"]');
      assert.match((await rowsIn(page))[0], /token/);
      assert.equal(await page.getAttribute('[aria-posinset="1"]', 'aria-setsize'), String(all));

      await page.focus('.tools [type=search]');
      await page.keyboard.type('dave unread');
      await page.waitForFunction(() => / of /.test(document.querySelector('.found').textContent) && document.querySelectorAll('.lane-head').length === 1);
      await told('filtered');
      await page.keyboard.press('Escape');
      await showsAll(all);

      // What one more row costs: the page's own model says how often it held a row against the filter.
      await page.evaluate(async () => {
        const { Traffic } = await import('/_mock/inspector/model.js');
        const { append } = Traffic.prototype;
        globalThis.costs = [];
        Traffic.prototype.append = function counted(row) {
          const before = this.looks;
          const kept = append.call(this, row);
          globalThis.costs.push(this.looks - before);
          return kept;
        };
      });
      await page.click('text="Follow"');
      await devices[0].beat(250);
      await showsAll(all + 500);
      const costs = await page.evaluate(() => globalThis.costs);
      assert.equal(costs.length, 500);
      assert.deepEqual([...new Set(costs)], [1]);
      await page.waitForSelector(`[aria-posinset="${all + 500}"]`);
      await told('500 more, followed');
    });
  } finally {
    for (const one of devices) one.close();
  }
});
