//! The package against the real program: every call, the words of its refusals, and that no server outlives its test.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { MockServerError, startMockServer } from '../index.mjs';
import { TYPES, types } from '../tools/types.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));

let server;
before(async () => (server = await startMockServer()));
after(() => server.stop());

/** A world of its own for each test. */
let worlds = 0;
const world = () => server.world(`org#app${(worlds += 1)}`);

async function refusal(call, code) {
  const error = await call.then(() => assert.fail('it was not refused'), (error) => error);
  assert.ok(error instanceof MockServerError, error);
  assert.equal(error.code, code, error.message);
  return error.message;
}

test('require and import give the same', () => {
  const required = createRequire(import.meta.url)('..');
  assert.equal(required.startMockServer, startMockServer);
  assert.equal(required.MockServerError, MockServerError);
});

test('the types are what openapi.json says', () => {
  const committed = readFileSync(TYPES, 'utf8').replaceAll('\r', '');
  assert.ok(committed === types(), 'control.d.ts is not what openapi.json says; mend it: node mock-server/npm/tools/types.mjs --write');
});

test('an SDK is told where the server is', () => {
  assert.deepEqual(server.sdkOptions('3'), { url: `${server.url}/ws`, apiUrl: server.url, isHttpDNS: false });
  const socket = `${server.url.replace('http', 'ws')}/websocket`;
  assert.deepEqual(server.sdkOptions(4), { url: socket, apiUrl: server.url, isHttpDNS: false });
  assert.throws(() => server.sdkOptions('5'), { code: 'generation', message: 'there is no generation 5 of the SDK; 3 and 4 there are' });
});

test('people, and where they talk', async () => {
  const here = world();
  await here.user('alice', 'secret');
  await here.users('bob', ['carol']);
  await here.group('g1', 'alice', ['bob']);
  await here.room('r1', 'bob', ['carol']);
  await here.send({ from: 'alice', to: 'g1', text: 'hello' });
  const { users, groups, rooms } = await here.overview();
  assert.deepEqual(users.map(({ name, unread }) => [name, unread]), [['alice', 0], ['bob', 1], ['carol', 0]]);
  assert.deepEqual([groups[0].id, rooms[0].id], ['g1', 'r1']);
  assert.ok((await server.worlds()).some(({ app_key: appKey }) => appKey === here.appKey));
});

test('settings and tokens', async () => {
  const here = world();
  await here.users('alice');
  await here.set({ recall: false });
  assert.equal((await here.settings()).recall, false);
  await here.token('alice', 't0ken', { ttlMs: 60_000 });
  await here.clock.stop();
  await here.expireTokens('alice', { token: 't0ken' });
  const { worlds: [{ users, clock }] } = await here.state();
  assert.ok(users[0].tokens[0].expires_ms <= clock.now_ms);
});

test('the clock stands, moves and runs', async () => {
  const { clock } = world();
  assert.deepEqual(await clock.set(new Date('2021-12-31T00:00:00Z')), { now_ms: 1_640_908_800_000, runs: false });
  assert.deepEqual(await clock.advance(120_000), { now_ms: 1_640_908_920_000, runs: false });
  assert.deepEqual(await clock.now(), { now_ms: 1_640_908_920_000, runs: false });
  assert.equal((await clock.run()).runs, true);
  const stands = await clock.stop();
  assert.equal(stands.runs, false);
  assert.deepEqual(await clock.now(), stands);
});

test('rules have handles of their own', async () => {
  const here = world();
  const first = await here.rule('on next recall from alice: answer status 4');
  const second = await here.rule('ON NEXT text FROM alice: drop');
  assert.deepEqual([first.id, second.id], [1, 2]);
  assert.equal(await second.hits(), 0);
  assert.equal((await second.state()).text, 'on next text from alice: drop');
  await first.clear();
  assert.deepEqual((await here.rules()).map(({ id }) => id), [2]);
  assert.match(await refusal(first.hits(), 'rule_gone'), /^rule 1 is not armed/);
  await here.clearFaults();
  assert.deepEqual(await here.rules(), []);
});

test('a state goes and comes back', async () => {
  const here = world();
  await here.users('alice');
  const saved = await here.state();
  await here.reset();
  assert.deepEqual((await here.overview()).users, []);
  await here.load(saved);
  assert.equal((await here.overview()).users[0].name, 'alice');
  await here.begin({ settings: { strict: true } });
  assert.equal((await here.settings()).strict, true);
  await here.forget();
  assert.match(await refusal(here.overview(), 'no_such_world'), /there is no world/);
});

test('what was staged says what to do then', async () => {
  const here = world();
  await here.users('alice');
  const { armed, then } = await here.stage(504, 'alice');
  assert.equal(armed.length, 1);
  assert.match(then.en, /alice/);
  assert.ok((await server.catalog()).errors.length > 10);
});

test('rows are waited for, and what came nearest is told', async () => {
  const here = world();
  await here.users('alice');
  const waits = here.wait({ kind: 'http', path: '/users' });
  const [org, app] = here.appKey.split('#');
  await fetch(`${server.url}/${org}/${app}/users`);
  const { rows: [row], last } = await waits;
  assert.deepEqual([row.path, row.status], ['/users', 401]);
  assert.deepEqual((await here.traffic({ kind: 'http' })).map(({ n }) => n), [last]);
  assert.equal(
    await refusal(here.wait({ kind: 'http', status: 200, withinMs: 0 }), 'not_in_time'),
    'of 1 0 came within 0 ms of real time\n  near: row 0, GET /users → 401\n        but status is 401, not 200',
  );
  assert.deepEqual(await here.findings(), []);
  assert.equal((await here.quiet({ withinMs: 5_000 })).quiet, true);
  assert.equal((await here.rest()).reached, true);
});

test('a refusal has the word and the sentence of the server', async () => {
  const here = world();
  await here.users('alice');
  assert.match(await refusal(here.send({ from: 'alcie', to: 'alice', text: 'hi' }), 'refused'), /no user "alcie" in this world; make it first, or did you mean "alice"\?$/);
  assert.match(await refusal(here.rule('on next recal from alice: drop'), 'json'), /did you mean recall\?/);
  assert.match(await refusal(here.stage('5O4', 'alice'), 'no_such_entry'), /perhaps 504/);
  assert.throws(() => server.world('acme'), { code: 'app_key', message: '"acme" is no app key: org#app is expected, such as easemob#demo' });
});

test('without a program it says where it looked', async () => {
  assert.match(await refusal(startMockServer({ binary: 'no/such/program' }), 'no_binary'), /^the option binary is no\/such\/program, which is no program: /);
  const script = `require(${JSON.stringify(HERE)}).startMockServer().catch((error) => console.log(error.code + ': ' + error.message));`;
  const env = { PATH: '', CARGO_TARGET_DIR: HERE };
  const [said] = await output(spawn(process.execPath, ['-e', script], { env }));
  assert.match(said, /^no_binary: no mock-server\S*: build it \(cargo build -p mock-server\), install it on PATH, or say where it is/);
});

test('flags that it refuses are told in its words', async () => {
  const words = await refusal(startMockServer({ args: ['--recall-window', 'soon'] }), 'no_start');
  assert.match(words, /ended with 2 before it listened, and said:\n[^]*a number and ms, s, m or h/);
});

test('options become flags, and a server can be disposed of', async () => {
  const own = await startMockServer({ strict: true, nasty: 7, args: ['--recall-window', '1s'] });
  const settings = await own.world('org#app').begin({}).then(() => own.world('org#app').reset()).then(() => own.world('org#other').control([]).then(() => own.world('org#other').settings()));
  assert.deepEqual([settings.strict, settings.recall_window_ms], [true, 1_000]);
  await own[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
  assert.match(await refusal(own.worlds(), 'unreachable'), /has the server been stopped\?$/);
});

for (const [how, ending] of [['is killed', 'process.kill(process.pid, "SIGKILL")'], ['leaves', 'process.exit(0)'], ['has nothing left to do', '']]) {
  test(`no server outlives a test process that ${how}`, async () => {
    const script = `require(${JSON.stringify(HERE)}).startMockServer().then(({ url }) => process.stdout.write(url, () => { ${ending} }));`;
    const [url] = await output(spawn(process.execPath, ['-e', script]));
    const { port, hostname } = new URL(url);
    // It ends some moment after its leash: a connection that it still takes ends with it, one that it does not at once.
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    await new Promise((tell) => socket.once('close', tell));
  });
}

/** What a child said on stdout, and that it ended. */
async function output(child) {
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (said += text));
  await once(child, 'close');
  return [said.trim()];
}
