//! The shim as a process: what it says first, what it refuses, and that no Chromium outlives it.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ShimProcess } from '../../node/tests/shim-process.mjs';
import { Device } from '../device.mjs';
import { findChromium } from '../launch.mjs';

const shim = fileURLToPath(new URL('../shim.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'shim-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SETTINGS = {
  app_key: 'org#app',
  username: 'alice',
  device: 'web',
  rest: 'http://127.0.0.1:9',
  sockjs: 'http://127.0.0.1:9/ws',
  websocket: 'ws://127.0.0.1:9/websocket',
  reconnects: 0,
  delivery: false,
};

for (const [what, options, code, words] of [
  ['no SDK', { args: [] }, 2, /usage: node shim.mjs <sdk>.*easemob-websdk-3\.6\.3, easemob-websdk-4\.21\.1/],
  ['an SDK that is loaded as a module', { args: ['easemob-websdk-3.0.6'] }, 2, /unknown SDK easemob-websdk-3\.0\.6/],
  ['a Chromium that is none', { env: { CHROMIUM: folder } }, 3, /CHROMIUM is set to .*, which is no program/],
  ['no installed SDK', { env: { WEBIM_SDK_DIR: folder } }, 3, /is not installed in .*: run `cargo xtask sdk`/],
]) {
  test(`leaves with ${code} for ${what}`, async () => {
    const process = new ShimProcess({ shim, ...options });
    assert.equal(await process.exited, code, process.stderr);
    assert.match(process.stderr, words);
    assert.deepEqual(process.lines, []);
  });
}

test('says hello first, then answers and refuses', async () => {
  const process = new ShimProcess({ shim });
  await process.line(() => true);
  const { hello } = process.lines[0];
  assert.deepEqual(hello, {
    protocol: 1, name: 'easemob-websdk', version: '3.6.3', capabilities: ['virtual_clock', 'network', 'page'],
  });
  for (const [user, command, answer] of [
    [null, { wait: {} }, { unsupported: 'wait' }],
    [null, { sync: {} }, { ok: {} }],
    [null, { advance: { ms: -1 } }, { error: 'advance: ms: expected whole ms, got -1' }],
    [null, { advance: { ms: 5 } }, { ok: { next_due_ms: null } }],
    ['bob', { close: {} }, { error: 'no device bob: create it first' }],
    ['alice', { create: SETTINGS }, { ok: {} }],
    ['alice', { create: SETTINGS }, { error: 'alice exists already: reset first' }],
    ['alice', { dance: {} }, { unsupported: 'dance' }],
    ['alice', { network: { up: true } }, { ok: {} }],
    ['carl', { create: { ...SETTINGS, rest: 'http://example.test' } }, { error: 'rest must be an http address on 127.0.0.1, not http://example.test' }],
    [null, { reset: {} }, { ok: {} }],
    ['alice', { close: {} }, { error: 'no device alice: create it first' }],
    ['alice', { create: SETTINGS }, { ok: {} }],
  ]) {
    assert.deepEqual(await process.ask(user, command), answer, JSON.stringify(command));
  }
  assert.equal(await process.end(), 0, process.stderr);
  assert.equal(process.lines.filter((line) => line.event).length, 0);
});

for (const [how, end] of [
  ['its input ends', (process) => process.end()],
  ['it is killed', (process) => process.kill('SIGKILL')],
]) {
  // A program of ours in Chromium's place, which starts it and holds a connection for as long as it lives: a script
  // with a first line, which Windows does not start.
  test(`no Chromium is left when ${how}`, { skip: globalThis.process.platform === 'win32' && 'needs a script as a program' }, async () => {
    const watch = createServer();
    await new Promise((resolve) => watch.listen(0, '127.0.0.1', resolve));
    const wrapper = join(folder, 'chromium');
    writeFileSync(wrapper, `#!${globalThis.process.execPath}
      const chromium = require('node:child_process').spawn(${JSON.stringify(findChromium())}, process.argv.slice(2), { stdio: [0, 1, 2, 3, 4] });
      const held = require('node:net').connect(${watch.address().port}, '127.0.0.1');
      chromium.on('exit', () => held.end());
    `);
    chmodSync(wrapper, 0o755);
    const process = new ShimProcess({ shim, env: { CHROMIUM: wrapper } });
    const gone = new Promise((resolve) => watch.once('connection', (socket) => socket.resume().once('close', resolve)));
    await process.ask('alice', { create: SETTINGS });
    end(process);
    await process.exited;
    await gone;
    watch.close();
  });
}

// 4.21.1 refuses to log in nobody, and logs that beside telling its app: no fault of the page's.
test("an error of the SDK's own log is none when the app is told of the failure", async () => {
  const process = new ShimProcess({ shim, args: ['easemob-websdk-4.21.1'] });
  await process.ask('alice', { create: { ...SETTINGS, username: '' } });
  await process.ask('alice', { login_password: { password: 'x' } });
  assert.equal((await process.event('alice', 'error')).type, 0);
  assert.deepEqual(await process.ask(null, { reset: {} }), { ok: {} });
  assert.equal(await process.end(), 0, process.stderr);
  assert.match(process.stderr, /console\.error: .*IM SDK \[error\]/);
});

test("it is one when the app is told nothing", async () => {
  const told = [];
  const tab = {
    renew: async () => {},
    loaded: Promise.resolve(),
    listen: (listener) => (tab.listener = listener),
    call: async (name) => (name === 'create' ? '{"ok":{}}' : undefined),
  };
  const device = new Device({ tabs: { take: async () => tab, giveBack: async () => {} }, tell: (event) => told.push(event), remark: () => {} });
  await device.create(SETTINGS);
  tab.listener.claim('console.error: it is so');
  assert.deepEqual(device.unexplained, ['console.error: it is so']);
  tab.listener.tell({ error: { type: 1, message: 'refused' } });
  assert.deepEqual(device.unexplained, []);
  assert.equal(told.length, 1);
});
