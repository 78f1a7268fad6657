//! Time in a page is the harness's: `Date`, timers and time-outs stand still until `advance` moves them, and only what
//! means "in a moment" goes on by itself.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';

import { Activity } from '../activity.mjs';
import { HostClock, VirtualClock } from '../browser/clock.mjs';
import { Timers } from '../browser/timers.mjs';
import { device } from './page.mjs';
import { ShimProcess } from './shim-process.mjs';
import { TinyServer } from './tiny-server.mjs';

/** 2021-12-31T00:00:00Z, where the worlds of clients with a virtual clock start. */
const START = 1_640_908_800_000;

/** Timers on a clock of their own; `log` tells what ran, and at what time since the start. */
function timers() {
  const activity = new Activity();
  const clock = new VirtualClock(START);
  const log = [];
  const globals = new Timers((callback) => callback(), activity, clock).globals();
  return {
    ...globals,
    log,
    note: (name) => () => log.push([name, clock.now() - START]),
    settled: () => activity.settled(),
    advance: (ms) => clock.advance(ms, () => activity.settled()),
  };
}

test('timers run by advance alone, each at its own time, those of one time in the order they were set', async () => {
  const { setTimeout: set, setInterval: every, clearInterval, advance, log, note } = timers();
  set(note('late'), 30_000);
  set(note('first'), 500);
  set(note('second'), 500);
  set(() => set(note('nested'), 100), 450);
  const ticks = every(note('tick'), 400);
  assert.equal(await advance(0), 400);
  assert.deepEqual(log, []);
  assert.equal(await advance(399), 1);
  assert.deepEqual(log, []);
  assert.equal(await advance(1_000), 201);
  assert.deepEqual(log, [['tick', 400], ['first', 500], ['second', 500], ['nested', 550], ['tick', 800], ['tick', 1_200]]);
  clearInterval(ticks);
  assert.equal(await advance(201), 28_400);
  assert.equal(log.length, 6);
  assert.equal(await advance(28_400), null);
  assert.deepEqual(log.at(-1), ['late', 30_000]);
});

test('a moment passes by itself and is no time; a longer moment comes after a shorter one', async () => {
  const { setTimeout: set, settled, advance, log, note } = timers();
  const again = (left) => (left === 0 ? note('end of many')() : set(() => again(left - 1), 0));
  set(note('four'), 4);
  again(10);
  set(note('none'));
  await settled();
  assert.deepEqual(log, [['none', 0], ['four', 0], ['end of many', 0]]);
  assert.equal(await advance(0), null);
});

test('what a timer sets for in a moment has run before the clock goes on', async () => {
  const { setTimeout: set, advance, log, note } = timers();
  set(() => set(note('moment'), 0), 100);
  set(note('next'), 200);
  await advance(1_000);
  assert.deepEqual(log, [['moment', 100], ['next', 200]]);
});

test('an interval however short waits for the clock, so that it cannot keep the process busy', async () => {
  const { setInterval: every, clearInterval, settled, advance, log, note } = timers();
  const ticks = every(note('tick'), 0);
  await settled();
  assert.deepEqual(log, []);
  await advance(8);
  clearInterval(ticks);
  assert.deepEqual(log, [['tick', 4], ['tick', 8]]);
});

for (const [what, ms] of [['no number', 'soon'], ['below 0', -5], ['above 31 bits', 2 ** 31], ['none', undefined]]) {
  test(`a delay that is ${what} is none, as in a browser`, async () => {
    const { setTimeout: set, settled, log, note } = timers();
    set(note('now'), ms);
    await settled();
    assert.deepEqual(log, [['now', 0]]);
  });
}

test('the time that a page is told is the clock\'s, however it asks', async () => {
  const clock = new VirtualClock(START);
  const page = `() => {
    class Later extends Date {}
    return {
      now: Date.now(), made: new Date().getTime(), sub: new Later().getTime(), said: Date(), plus: +new Date,
      through: new (new Date(0).constructor)().getTime(),
      given: new Date(5).getTime(), parts: Date.UTC(2021, 11, 31), parsed: Date.parse('2021-12-31T00:00:00Z'),
      is: new Date() instanceof Date && new Later() instanceof Later, name: Date.name, length: Date.length,
    };
  }`;
  const { made, activity } = device(page, { clock });
  const { ok } = made.run('page', {});
  const { said, ...rest } = ok;
  assert.match(said, /^(Thu|Fri) Dec 3[01] 2021 /);
  assert.deepEqual(rest, {
    now: START, made: START, sub: START, plus: START, through: START,
    given: 5, parts: START, parsed: START, is: true, name: 'Date', length: 7,
  });
  await clock.advance(1_234, () => activity.settled());
  assert.equal(made.run('page', {}).ok.now, START + 1_234);
  await made.drop();
});

test('a clock that is set shows another time, and what is due stays as far away', async () => {
  const clock = new VirtualClock(0);
  const ran = [];
  clock.later(100, () => ran.push(clock.now()));
  clock.set(START);
  assert.equal(await clock.advance(0, async () => {}), 100);
  await clock.advance(100, async () => {});
  assert.deepEqual(ran, [START + 100]);
});

test('what the process slept through is no time of the host\'s clock, so that sockets are read before a timer', async () => {
  const ran = [];
  const done = new Promise((resolve) => new HostClock().later(60, () => resolve(ran.push('timer'))));
  const woken = performance.now() + 120;
  while (performance.now() < woken);
  setImmediate(() => ran.push('sockets'));
  await done;
  assert.deepEqual(ran, ['sockets', 'timer']);
});

test('a request that is not answered in its time is told so when the clock gets there', async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const events = [];
  const { made, activity, clock } = device(
    `({ url }, tell) => {
      const xhr = new XMLHttpRequest();
      xhr.timeout = 15000;
      xhr.ontimeout = () => tell('timeout', { state: xhr.readyState });
      xhr.open('GET', url);
      xhr.send();
    }`,
    { events },
  );
  made.run('page', { url: `http://127.0.0.1:${server.address().port}/` });
  assert.equal(await clock.advance(14_999, () => activity.settled()), 1);
  assert.deepEqual(events, []);
  await clock.advance(1, () => activity.settled());
  assert.deepEqual(events, [{ timeout: { state: 4 } }]);
  await made.drop();
  server.close();
});

test('a dropped device leaves nothing that falls due', async () => {
  const { made, activity, clock } = device('() => { setTimeout(() => {}, 50); setInterval(() => {}, 60); }');
  made.run('page', {});
  assert.equal(await clock.advance(0, () => activity.settled()), 50);
  await made.drop();
  assert.equal(await clock.advance(0, () => activity.settled()), null);
});

let server;
let shim;

beforeEach(async () => {
  server = await TinyServer.start();
  shim = new ShimProcess();
});

afterEach(async () => {
  shim.kill();
  await shim.exited;
  await server.stop();
});

test('the shim says that its clock is virtual, and moves it by whole ms', async () => {
  const { hello } = await shim.line((line) => line.hello);
  assert.deepEqual(hello.capabilities, ['virtual_clock']);
  assert.deepEqual(await shim.ask(null, { advance: { ms: 5 } }), { ok: { next_due_ms: null } });
  for (const ms of [-1, 0.5, '5', null]) {
    const { error } = await shim.ask(null, { advance: { ms } });
    assert.equal(error, `advance: ms: expected whole ms, got ${ms}`);
  }
});

test('the devices of a process share one clock, which starts at create\'s now_ms', async () => {
  await shim.login('alice', server.settings('alice', { now_ms: START }));
  await shim.ask(null, { advance: { ms: 10_000 } });
  await shim.login('bob', server.settings('bob', { now_ms: START + 10_000 }));
  // One each at its login.
  await server.took(() => server.heartbeats.length === 2);
  assert.deepEqual(await shim.ask(null, { advance: { ms: 0 } }), { ok: { next_due_ms: 20_000 } });
  assert.deepEqual(await shim.ask(null, { advance: { ms: 20_000 } }), { ok: { next_due_ms: 10_000 } });
  await server.took(() => server.heartbeats.length === 3);
  assert.deepEqual(await shim.ask(null, { advance: { ms: 10_000 } }), { ok: { next_due_ms: 20_000 } });
  await server.took(() => server.heartbeats.length === 4);
  assert.deepEqual(server.heartbeats, ['alice', 'bob', 'alice', 'bob']);
});

test('a lost link is taken up again when its delay has passed on the clock, and not before', async () => {
  await shim.login('alice', server.settings('alice', { reconnects: 2 }));
  server.cut('alice');
  await shim.event('alice', 'error');
  const before = shim.lines.length;
  const { ok } = await shim.ask(null, { advance: { ms: 0 } });
  assert.equal(ok.next_due_ms, 500);
  await shim.ask(null, { advance: { ms: 499 } });
  assert.deepEqual(shim.events('alice', before), []);
  await shim.ask(null, { advance: { ms: 1 } });
  await shim.line((line) => shim.lines.indexOf(line) >= before && line.event?.opened);
});
