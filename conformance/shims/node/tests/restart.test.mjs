//! The mock server ends and begins again, with the same file of its worlds, under the vendor's unmodified SDKs while one
//! writes to another, who is there, and to a third, who comes later: they come back by themselves, and what was
//! acknowledged has arrived, once.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';

import { serverProgram } from '../mock-server.mjs';
import { ShimProcess } from './shim-process.mjs';

/** The server is told to end once so many were acknowledged; writing goes on until it has ended. */
const ACKNOWLEDGED_BEFORE = 40;
/** For longer than that, in virtual ms, no SDK waits for an answer; 3.6.3 tells of some of those messages nothing at all. */
const ANSWER_MS_MAX = 60_000;
/** How often an SDK tries to come back, and in virtual ms how long that may take it. */
const RECONNECTS = 20;
const RECONNECT_MS_MAX = 120_000;

let folder;
let server;
let shim;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mock-server-'));
});

afterEach(async () => {
  shim?.kill();
  server?.child.kill('SIGKILL');
  await Promise.all([shim?.exited, server?.exited]);
  await rm(folder, { recursive: true });
});

async function start(listen) {
  const program = serverProgram();
  assert.ok(existsSync(program), `no mock server at ${program}: run \`cargo build -p mock-server\`, or set MOCK_SERVER`);
  const flags = ['--listen', listen, '--state', join(folder, 'worlds.json'), '--save', 'exit'];
  const child = spawn(program, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  child.stderr.on('data', (text) => said.push(text));
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal, said: said.join('') }));
  const first = once(createInterface({ input: child.stdout }), 'line').then(([line]) => line);
  const line = await Promise.race([first, exited.then(({ said }) => said)]);
  const [, host] = /^listening on http:\/\/(\S+)$/.exec(line) ?? assert.fail(line);
  return { child, host, exited };
}

const settings = (username) => ({
  app_key: 'org#app',
  username,
  device: 'web',
  rest: `http://${server.host}`,
  sockjs: `http://${server.host}/ws`,
  websocket: `ws://${server.host}/websocket`,
  reconnects: RECONNECTS,
  delivery: false,
});

/** Moves the clock of the pages, from one thing that is due to the next, until this has come about. */
async function passUntil(done, what) {
  for (let passed = 0; passed < RECONNECT_MS_MAX; ) {
    await shim.ask(null, { sync: {} });
    if (done()) return;
    const { ok } = await shim.ask(null, { advance: { ms: 0 } });
    const ms = ok.next_due_ms ?? assert.fail(`nothing is due, and ${what} has not come about`);
    await shim.ask(null, { advance: { ms } });
    passed += ms;
  }
  assert.fail(`${what} has not come about within ${RECONNECT_MS_MAX} ms`);
}

const handles = (user, name) => shim.events(user).flatMap((event) => event[name]?.handle ?? []);
const opened = (user, after) => shim.events(user, after).some((event) => 'opened' in event);

for (const sdk of ['easemob-websdk-3.6.3', 'easemob-websdk-4.21.1']) {
  test(`${sdk}: a restart loses and doubles nothing that was acknowledged`, { skip: process.platform === 'win32' && 'a process there cannot be asked to end' }, async () => {
    server = await start('127.0.0.1:0');
    shim = new ShimProcess({ args: [sdk] });
    const login = async (user) => {
      await shim.ask(user, { create: settings(user) });
      await shim.ask(user, { login_password: { password: 'pw' } });
      await shim.event(user, 'opened');
    };
    await login('alice');
    await login('bob');

    /** To whom each is. */
    const texts = new Map();
    const write = (handle, to) => {
      texts.set(handle, to);
      return shim.ask('alice', { send_text: { handle, to, chat: 'single', text: handle } });
    };
    let ended = null;
    while (!ended) {
      await write(`m${texts.size}`, texts.size % 2 ? 'carl' : 'bob');
      if (handles('alice', 'sent').length >= ACKNOWLEDGED_BEFORE && !server.child.killed) {
        server.child.kill('SIGTERM');
        void server.exited.then((how) => (ended = how));
      }
    }
    assert.equal(ended.code, 0, ended.said);
    assert.ok(handles('alice', 'sent').length < texts.size, 'some were on their way');
    assert.equal(JSON.parse(await readFile(join(folder, 'worlds.json'), 'utf8')).saved.why, 'exit');

    const before = shim.lines.length;
    server = await start(server.host);
    await passUntil(() => ['alice', 'bob'].every((user) => opened(user, before)), 'a reconnect of both');
    await login('carl');
    await write('last of bob', 'bob');
    await write('last of carl', 'carl');
    const read = (user) => shim.events(user).flatMap((event) => event.text?.data ?? []);
    await passUntil(() => ['bob', 'carl'].every((user) => read(user).includes(`last of ${user}`)), 'a last word to both');
    await shim.ask(null, { advance: { ms: ANSWER_MS_MAX } });
    await shim.ask(null, { sync: {} });

    const sent = handles('alice', 'sent');
    assert.ok(sent.includes('last of bob') && sent.includes('last of carl'));
    for (const user of ['bob', 'carl']) {
      const came = read(user);
      assert.deepEqual(came.filter((text, n) => came.indexOf(text) !== n), [], `each came to ${user} once`);
      const lost = sent.filter((text) => texts.get(text) === user && !came.includes(text));
      assert.deepEqual(lost, [], `what was acknowledged has come to ${user}`);
    }
  });
}
