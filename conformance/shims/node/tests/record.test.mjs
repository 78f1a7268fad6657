//! `mock-server record` under the vendor's unmodified SDKs, in real time: two people log in, write, recall, make a group,
//! read history, send a picture and leave, once at the server itself and once through a recorder. Each shows the same both
//! times, and what is written has no password and no token in it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Activity } from '../activity.mjs';
import { HostClock } from '../browser/clock.mjs';
import { Device } from '../device.mjs';
import { serverProgram } from '../mock-server.mjs';
import { loadSdk } from '../sdk.mjs';

const PHOTO = fileURLToPath(new URL('../../../../fixtures/media/photo.png', import.meta.url));
/** In ms. What is waited for comes within a second; what has not come by then never does. */
const EVENT_MAX_MS = 30_000;

/** What ends with the test: programs, devices, folders. */
const ends = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Starts the program and waits for the address that it says. */
async function start(...args) {
  const child = spawn(serverProgram(), [...args, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  child.stderr.on('data', (text) => said.push(text));
  const exited = once(child, 'exit').then(([code]) => ({ code, said: said.join('') }));
  ends.push(() => {
    child.kill('SIGKILL');
    return exited;
  });
  const first = once(createInterface({ input: child.stdout }), 'line').then(([line]) => line);
  const line = await Promise.race([first, exited.then(({ said }) => said)]);
  const [, host] = /^(?:listening|recording) on http:\/\/(\S+)$/.exec(line) ?? assert.fail(line);
  return { child, host, exited };
}

/** Somebody at an SDK whose clock is this machine's. */
class Person {
  /** What the SDK showed, in order. */
  shown = [];
  #device;
  #looks = [];

  constructor(sdk, username, host) {
    this.#device = new Device({
      sdk,
      settings: {
        app_key: 'org#app',
        username,
        device: 'web',
        rest: `http://${host}`,
        sockjs: `http://${host}/ws`,
        websocket: `ws://${host}/websocket`,
        reconnects: 5,
        delivery: false,
      },
      activity: new Activity(),
      clock: new HostClock(),
      tell: (event) => {
        this.shown.push(event);
        for (const look of this.#looks.splice(0)) look();
      },
      remark: () => {},
    });
    ends.push(() => this.#device.drop());
  }

  does(command, body) {
    assert.deepEqual(this.#device.run(command, body), { ok: {} }, command);
  }

  /** The body of the first event of this name that has these fields, now or later. */
  async sees(name, fields = {}) {
    const fits = (event) => event[name] && Object.entries(fields).every(([key, value]) => event[name][key] === value);
    const inVain = new Promise((resolve) => setTimeout(resolve, EVENT_MAX_MS, 'in vain').unref());
    for (;;) {
      const found = this.shown.find(fits);
      if (found) return found[name];
      const woken = await Promise.race([inVain, new Promise((resolve) => this.#looks.push(resolve))]);
      if (woken === 'in vain') assert.fail(`no ${name} ${JSON.stringify(fields)} among ${JSON.stringify(this.shown)}`);
    }
  }
}

/** All of it, step by step. Gives what each was shown, without what differs from run to run. */
async function chat(sdk, host) {
  const [alice, bob] = ['alice', 'bob'].map((name) => new Person(sdk, name, host));
  for (const [person, password] of [[alice, 'pw-of-alice'], [bob, 'pw-of-bob']]) {
    person.does('login_password', { password });
    await person.sees('opened');
  }

  alice.does('send_text', { handle: 'm1', to: 'bob', chat: 'single', text: 'how are you?' });
  assert.equal((await bob.sees('text')).data, 'how are you?');
  bob.does('send_text', { handle: 'm2', to: 'alice', chat: 'single', text: 'well, and you?' });
  assert.equal((await alice.sees('text')).data, 'well, and you?');

  const { id } = await alice.sees('sent', { handle: 'm1' });
  alice.does('recall', { handle: 'r1', id, to: 'bob', chat: 'single' });
  await alice.sees('sent', { handle: 'r1' });
  assert.equal((await bob.sees('recall')).mid, id);

  alice.does('create_group', { name: 'club', members: ['bob'] });
  const { group } = await alice.sees('create_group');
  alice.does('send_text', { handle: 'm3', to: group, chat: 'group', text: 'to all' });
  await alice.sees('sent', { handle: 'm3' });
  assert.equal((await bob.sees('text', { chat: 'group' })).data, 'to all');

  bob.does('fetch_history', { handle: 'h1', with: 'alice', chat: 'single', count: 10 });
  const { texts } = await bob.sees('history', { handle: 'h1' });
  assert.ok(texts.includes('well, and you?'), texts);

  const image = { to: 'bob', chat: 'single', file: PHOTO, filename: 'photo.png', media_type: 'image/png', width: 3, height: 4 };
  alice.does('send_image', { handle: 'm4', ...image });
  await alice.sees('sent', { handle: 'm4' });
  const { url, secret } = await bob.sees('picture');
  assert.equal(new URL(url).host, host, 'the file is where this client was told to look');
  bob.does('download', { handle: 'd1', url, secret });
  const { sha256 } = await bob.sees('downloaded', { handle: 'd1' });
  assert.equal(sha256, createHash('sha256').update(await readFile(PHOTO)).digest('hex'));

  for (const person of [alice, bob]) {
    person.does('close', {});
    await person.sees('closed');
  }
  return [alice, bob].map(({ shown }) => shown.flatMap((event) => told(event, host)));
}

/** An event without times and hosts, and without how often an upload told of its progress. */
function told(event, host) {
  const [[name, body]] = Object.entries(event);
  if (name === 'upload_progress') return [];
  const same = (key, value) => (key === 'time' ? 'TIME' : typeof value === 'string' ? value.replaceAll(host, 'HOST') : value);
  return [JSON.stringify({ [name]: body }, same)];
}

for (const name of ['easemob-websdk-3.6.3', 'easemob-websdk-4.21.1']) {
  test(`${name}: shows through a recorder what it shows without`, async () => {
    const sdk = loadSdk(name);
    const without = await chat(sdk, (await start()).host);

    const out = await mkdtemp(join(tmpdir(), 'recorded-'));
    ends.push(() => rm(out, { recursive: true }));
    const upstream = await start();
    const recorder = await start('record', '--upstream', `http://${upstream.host}`, '--out', out);
    const through = await chat(sdk, recorder.host);
    const [alone, recorded] = [without, through].map(([alice, bob]) => ({ alice: alice.sort(), bob: bob.sort() }));
    assert.deepEqual(recorded, alone);

    // Only where a process can be asked to end, it writes at its end.
    if (process.platform === 'win32') return;
    recorder.child.kill('SIGTERM');
    const { code, said } = await recorder.exited;
    assert.equal(code, 0, said);
    const files = ['org-app.bundle.json', 'scenarios/recorded/org-app.json', 'org-app.notes.txt'];
    const [bundle, draft, notes] = await Promise.all(files.map((file) => readFile(join(out, file), 'utf8')));
    const { tape, redactions } = JSON.parse(bundle);
    assert.ok(redactions.some(({ alias }) => alias === '<password 2>'), notes);
    const bytes = tape.flatMap(({ event }) => Object.values(event)).flatMap(({ bytes = '', body = '', answer = '' }) => [bytes, body, answer]);
    const everything = [bundle, draft, notes, ...bytes.map((base64) => Buffer.from(base64, 'base64').toString('latin1'))].join('\n');
    for (const secret of ['pw-of-alice', 'pw-of-bob']) assert.ok(!everything.includes(secret), secret);
    assert.ok(everything.includes('how are you?'), 'what was written is there');
  });
}
