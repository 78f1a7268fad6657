//! The vendor's SDK, driven by the shim against a loopback server: what the SDK shows comes out as events. Each
//! case also holds the realms apart: a callback or an array of the wrong realm is dropped by the SDK in silence.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { ShimProcess } from './shim-process.mjs';
import { TinyServer } from './tiny-server.mjs';

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

const text = (more = {}) => ({ send_text: { handle: 'm1', to: 'bob', chat: 'single', text: 'hi', ...more } });

test('two devices of one process exchange a text', async () => {
  await shim.login('alice', server.settings('alice'));
  await shim.login('bob', server.settings('bob'));
  const ext = { deep: { list: [1, 'zwei', null, { '三': true }] }, yes: true, n: -7, x: 0.5, s: 'ü' };
  assert.deepEqual(await shim.ask('alice', text({ ext })), { ok: {} });

  const id = '1160000000000000001';
  assert.deepEqual(await shim.event('bob', 'text'), {
    id, from: 'alice', to: 'bob', chat: 'single', ext, time: 1_640_908_800_000, data: 'hi',
  });
  await shim.event('alice', 'received');
  assert.deepEqual(shim.events('alice'), [
    { opened: {} },
    { sent: { handle: 'm1', id } },
    { received: { handle: 'm1', id } },
  ]);
});

test('each kind of message arrives under its own event', async () => {
  await shim.login('bob', server.settings('bob'));
  const common = { to: 'bob', chat: 'group' };
  const shown = { from: 'bob', to: 'bob', chat: 'group', ext: {}, time: 1_640_908_800_000 };
  await shim.ask('bob', { send_cmd: { handle: 'm1', ...common, action: 'wave' } });
  await shim.ask('bob', { send_custom: { handle: 'm2', ...common, event: 'gift', exts: { rose: '3', n: 4 } } });
  await shim.ask('bob', { send_location: { handle: 'm3', ...common, lat: 39.9, lng: -116.25, addr: '天安门' } });
  assert.deepEqual(await shim.event('bob', 'cmd'), { id: '1160000000000000001', ...shown, action: 'wave' });
  assert.deepEqual(await shim.event('bob', 'custom'), {
    id: '1160000000000000002', ...shown, event: 'gift', exts: { rose: '3', n: 4 },
  });
  assert.deepEqual(await shim.event('bob', 'location'), {
    id: '1160000000000000003', ...shown, lat: 39.9, lng: -116.25, addr: '天安门',
  });
});

test('a refused send fails with the number and the reason that the SDK shows', async () => {
  await shim.login('alice', server.settings('alice'));
  server.status = { code: 1, reason: 'blocked' };
  await shim.ask('alice', text());
  assert.deepEqual(await shim.event('alice', 'failed'), { handle: 'm1', type: 603, reason: 'blocked' });
  server.status = { code: 19, reason: 'by the rule' };
  const before = shim.lines.length;
  await shim.ask('alice', text({ handle: 'm2' }));
  await shim.line((line) => line.event?.failed?.handle === 'm2');
  assert.deepEqual(shim.events('alice', before), [{ failed: { handle: 'm2', type: 502, reason: 'by the rule' } }]);
});

test('a send before login fails at once', async () => {
  await shim.ask('alice', { create: server.settings('alice') });
  assert.deepEqual(await shim.ask('alice', text()), { ok: {} });
  assert.deepEqual(shim.events('alice'), [{ failed: { handle: 'm1', type: 32, reason: 'Not logged in' } }]);
});

test('a refused login shows the body of the answer', async () => {
  await shim.ask('alice', { create: server.settings('alice') });
  await shim.ask('alice', { login_password: { password: 'wrong' } });
  await shim.event('alice', 'error');
  await shim.ask(null, { sync: {} });
  const data = { type: 17, data: '{"error":"invalid_grant","error_description":"invalid password"}' };
  assert.deepEqual(shim.events('alice'), [{ error: { type: 1, message: 'login failed', data } }]);
});

test('a token login does no REST call', async () => {
  await shim.ask('alice', { create: server.settings('alice') });
  await shim.ask('alice', { login_token: { token: 'token-alice' } });
  await shim.event('alice', 'opened');
  assert.deepEqual(server.requests, ['GET /ws/info']);
});

test('the block list is changed for every name given, and shown whole', async () => {
  await shim.login('alice', server.settings('alice'));
  await shim.ask('alice', { block: { users: ['bob', 'carl'] } });
  await shim.ask('alice', { unblock: { users: ['carl'] } });
  await shim.ask(null, { sync: {} });
  server.blocks = JSON.stringify({ data: ['bob', 'dora'] });
  server.pushRoster('alice', 6);
  assert.deepEqual(await shim.event('alice', 'blacklist_update'), { users: ['bob', 'dora'] });
  assert.deepEqual(server.rosterOperations, [
    { from: 'alice', operation: 6, to: ['bob', 'carl'] },
    { from: 'alice', operation: 7, to: ['carl'] },
  ]);
});

test('groups and rooms are made by REST; a refused call shows as an error', async () => {
  await shim.login('alice', server.settings('alice'));
  await shim.ask('alice', { create_group: { name: 'g', members: ['bob'] } });
  assert.deepEqual(await shim.event('alice', 'create_group'), { group: '7001' });
  await shim.ask('alice', { create_room: { name: 'r', members: ['bob'] } });
  assert.deepEqual(await shim.event('alice', 'create_room'), { room: '8001' });
  await shim.ask('alice', { leave_group: { group: '7001' } });
  const { type, message, data } = await shim.event('alice', 'error');
  assert.deepEqual([type, message], [17, null]);
  assert.match(data, /Service resource not found/);
  assert.equal(server.requests.at(-1), 'DELETE /org/app/chatgroups/7001/quit');
  assert.equal(shim.events('alice').length, 4);
});

test('a lost link shows, and is taken up again as often as was asked for', async () => {
  await shim.login('alice', server.settings('alice', { reconnects: 1 }));
  const before = shim.lines.length;
  server.cut('alice');
  await shim.line((line) => shim.lines.indexOf(line) >= before && line.event?.error);
  await shim.ask(null, { advance: { ms: 500 } });
  await shim.line((line) => shim.lines.indexOf(line) >= before && line.event?.opened);
  server.cut('alice');
  await shim.line(() => shim.events('alice', before).length === 3);
  const lost = { error: { type: 16, message: 'websocket has been disconnected' } };
  assert.deepEqual(shim.events('alice', before), [lost, { opened: {} }, lost]);
});

test('close shows as closed', async () => {
  await shim.login('alice', server.settings('alice'));
  await shim.ask('alice', { close: {} });
  assert.deepEqual(await shim.event('alice', 'closed'), {});
});

test('a promise that the SDK leaves unhandled is an error of that device, and the process lives on', async () => {
  await shim.login('alice', server.settings('alice'));
  await shim.login('bob', server.settings('bob'));
  server.blocks = 'not JSON';
  server.pushRoster('bob', 6);
  const { type, message } = await shim.event('bob', 'error');
  assert.equal(type, null);
  assert.match(message, /^uncaught: SyntaxError: /);
  assert.match(shim.stderr, /\[bob\] uncaught: SyntaxError/);
  assert.deepEqual(shim.events('alice'), [{ opened: {} }]);
  assert.deepEqual(await shim.ask(null, { sync: {} }), { ok: {} });
});
