//! `sync` and `reset` keep their word: after the one everything that had arrived has been told, after the other
//! nothing is.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { Activity } from '../activity.mjs';
import { VirtualClock } from '../browser/clock.mjs';
import { Timers } from '../browser/timers.mjs';
import { ShimProcess } from './shim-process.mjs';
import { TinyServer } from './tiny-server.mjs';

test('what lies in a socket when it is asked has been read when it settles', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const activity = new Activity();
  const socket = connect(server.address().port, '127.0.0.1');
  activity.watch(socket);
  const [[peer]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
  let read = 0;
  socket.on('data', (chunk) => (read += chunk.length));

  for (const size of [1, 100_000]) {
    read = 0;
    await new Promise((written) => peer.write(Buffer.alloc(size), written));
    await activity.settled();
    assert.equal(read, size);
  }
  socket.destroy();
  server.close();
});

test('a connection that is being made is waited for', async () => {
  const activity = new Activity();
  const socket = Object.assign(new EventEmitter(), { connecting: true, bytesRead: 0 });
  activity.watch(socket);
  let settled = false;
  const settling = activity.settled().then(() => (settled = true));
  for (let turns = 0; turns < 100; turns += 1) await turn();
  assert.equal(settled, false);
  socket.connecting = false;
  await settling;
});

test('short timers, and those that they set, are waited for; long ones are not', async () => {
  const activity = new Activity();
  const timers = new Timers((callback) => callback(), activity, new VirtualClock());
  const { setTimeout: set, clearTimeout: clear } = timers.globals();
  const ran = [];
  set(() => set(() => ran.push('second'), 0), 0);
  set(() => ran.push('long'), 60_000);
  clear(set(() => ran.push('cleared'), 0));
  await activity.settled();
  assert.deepEqual(ran, ['second']);
  timers.clearAll();
});

test('a client that never comes to rest is told as such', async () => {
  let now = 0;
  const activity = new Activity({ now: () => (now += 1_000), busyMaxMs: 4_000 });
  activity.hop();
  await assert.rejects(activity.settled(), /still busy after 4000 ms \(1 short timers pending\)/);
});

test('a burst that was sent before `sync` is told before its answer, in order', async () => {
  const server = await TinyServer.start();
  const shim = new ShimProcess();
  try {
    await shim.login('bob', server.settings('bob'));
    for (let round = 0; round < 10; round += 1) {
      const before = shim.lines.length;
      const texts = Array.from({ length: 100 }, (_, at) => `${round}.${at}`);
      for (const text of texts) server.pushText('bob', { from: 'alice', text });
      assert.deepEqual(await shim.ask(null, { sync: {} }), { ok: {} });
      assert.deepEqual(shim.events('bob', before).map((event) => event.text.data), texts);
    }
  } finally {
    shim.kill();
    await shim.exited;
    await server.stop();
  }
});

test('after `reset` nothing is open and nothing is told, and the names are free', async () => {
  const server = await TinyServer.start();
  const shim = new ShimProcess();
  try {
    for (let round = 0; round < 3; round += 1) {
      const lines = shim.lines.length;
      for (const user of ['alice', 'alice/phone']) {
        await shim.ask(user, { create: server.settings('alice', { device: user.replace('/', '-'), reconnects: 5 }) });
        await shim.ask(user, { login_password: { password: 'pw-alice' } });
        await shim.line((line) => shim.lines.indexOf(line) >= lines && line.user === user && line.event?.opened);
      }
      server.pushText('alice', { from: 'bob', text: 'too late' });
      await shim.ask('alice', { join_group: { group: '1' } });
      const said = shim.lines.length;
      assert.deepEqual(await shim.ask(null, { reset: {} }), { ok: {} });
      await server.empty();
      assert.deepEqual(await shim.ask(null, { sync: {} }), { ok: {} });
      const told = shim.lines.slice(said);
      const answered = told.findIndex((line) => line.ok);
      assert.deepEqual(told.slice(answered + 1).filter((line) => line.event), []);
    }
  } finally {
    shim.kill();
    await shim.exited;
    await server.stop();
  }
});
