//! The shim's side of the line protocol: hello, answers, refusals, exit codes.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ShimProcess } from './shim-process.mjs';
import { TinyServer } from './tiny-server.mjs';

async function withShim(body, options) {
  const shim = new ShimProcess(options);
  try {
    await body(shim);
  } finally {
    shim.kill();
    await shim.exited;
  }
}

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

test('says hello first, with the SDK that it drives', () =>
  withShim(async (shim) => {
    await shim.line(() => true);
    assert.deepEqual(shim.lines[0], {
      hello: { protocol: 1, name: 'easemob-websdk', version: '3.6.3', capabilities: ['virtual_clock'] },
    });
  }));

for (const [name, user, command, expected] of [
  ['a command of the process that it does not know', null, { rewind: { ms: 5 } }, { unsupported: 'rewind' }],
  ['a command for a device that was never made', 'bob', { close: {} }, { error: 'no device bob: create it first' }],
  ['a command of a device that it does not know', 'alice', { network: { up: false } }, { unsupported: 'network' }],
  ['a second device of one name', 'alice', { create: SETTINGS }, { error: 'alice exists already: reset first' }],
  [
    'a REST address on another host',
    'carl',
    { create: { ...SETTINGS, rest: 'http://example.test' } },
    { error: 'rest must be an http address on 127.0.0.1, not http://example.test' },
  ],
  [
    'a SockJS address that is none',
    'carl',
    { create: { ...SETTINGS, sockjs: '' } },
    { error: 'sockjs must be an http address on 127.0.0.1, not ' },
  ],
  [
    'a chat type that is none',
    'alice',
    { send_text: { handle: 'm1', to: 'bob', chat: 'party', text: 'hi' } },
    { error: 'Error: chat must be single, group or room, not party' },
  ],
  [
    'a call that throws',
    'alice',
    { close: {} },
    { error: "TypeError: Cannot read properties of undefined (reading 'close')" },
  ],
]) {
  test(`answers ${name}`, () =>
    withShim(async (shim) => {
      assert.deepEqual(await shim.ask('alice', { create: SETTINGS }), { ok: {} });
      assert.deepEqual(await shim.ask(user, command), expected);
    }));
}

test('gives as many new local ids as asked for, rising, as decimal strings', () =>
  withShim(async (shim) => {
    await shim.ask('alice', { create: SETTINGS });
    const { ok } = await shim.ask('alice', { unique_ids: { count: 1000 } });
    assert.equal(ok.ids.length, 1000);
    for (const [at, id] of ok.ids.entries()) {
      assert.match(id, /^\d+$/);
      if (at > 0) assert.ok(BigInt(id) > BigInt(ok.ids[at - 1]), `${id} after ${ok.ids[at - 1]}`);
    }
  }));

test('puts a line together from pieces, and takes several at once', () =>
  withShim(async (shim) => {
    shim.writeRaw('{"id":1,"command":');
    shim.writeRaw('{"sync":{}}}\n{"id":2,"command":{"sync":{}}}\r\n\n{"id":3,"command":{"reset":{}}}\n');
    for (const id of [1, 2, 3]) assert.deepEqual(await shim.line((line) => line.id === id), { id, ok: {} });
  }));

test('leaves with 0 at the end of its input, and closes what is open', async () => {
  const server = await TinyServer.start();
  const shim = new ShimProcess();
  try {
    await shim.login('alice', server.settings('alice'));
    assert.equal(server.open, 1);
    assert.equal(await shim.end(), 0);
    await server.empty();
  } finally {
    shim.kill();
    await server.stop();
  }
});

for (const [name, text, sentence] of [
  ['a line that is not JSON', 'hello\n', /^shim: not JSON \(.*\): hello$/m],
  ['a request without an id', '{"command":{"sync":{}}}\n', /needs an "id"/],
  ['a request with two commands', '{"id":1,"command":{"sync":{},"reset":{}}}\n', /one key/],
  ['arguments that are no object', '{"id":1,"command":{"sync":null}}\n', /arguments of sync must be an object/],
  ['a line over the limit', `${'x'.repeat(1024 * 1024 + 1)}\n`, /longer than 1048576 bytes/],
]) {
  test(`leaves with 2 on ${name}`, () =>
    withShim(async (shim) => {
      shim.writeRaw(text);
      assert.equal(await shim.exited, 2);
      assert.match(shim.stderr, sentence);
    }));
}

test('leaves with 2 and names the SDKs when it does not know the one asked for', () =>
  withShim(
    async (shim) => {
      assert.equal(await shim.exited, 2);
      assert.match(shim.stderr, /unknown SDK easemob-websdk-9; known are: .*easemob-websdk-3\.6\.3/);
    },
    { args: ['easemob-websdk-9'] },
  ));

test('leaves with 3 and says what to do when the SDK is not installed', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'webim-sdk-'));
  try {
    await withShim(
      async (shim) => {
        assert.equal(await shim.exited, 3);
        assert.match(shim.stderr, /easemob-websdk-3\.6\.3 is not installed in .*: run `cargo xtask sdk`/);
        assert.deepEqual(shim.lines, []);
      },
      { env: { WEBIM_SDK_DIR: empty } },
    );
  } finally {
    await rm(empty, { recursive: true });
  }
});
