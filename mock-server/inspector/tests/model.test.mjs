//! What the page knows of a world's traffic, without a page: rows, lanes, filters and bounds, and that one more row costs
//! as much as that row.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { GROUPS, Shelf, Traffic, groupOf } from '../model.js';

let counted = 0;
const row = (rest) => ({ n: counted++, at_ms: 0, kind: 'text', conn: 1, user: 'alice', device: 'web', direction: 'up', line: '', bytes: 1, decoded: {}, hex: '', ...rest });
/** Told one by one, each with the next number. */
const filled = (rows, options) => {
  counted = 0;
  const traffic = new Traffic(options);
  for (const one of rows) traffic.append(row(one));
  return traffic;
};
const lines = (shelf) => Array.from({ length: shelf.length }, (_, at) => shelf.at(at).line);
const columns = (traffic) => traffic.columns.map((lane) => `${lane.user}/${lane.device}`);

test('a shelf gives what was put in, in that order', () => {
  const shelf = new Shelf();
  const plain = [];
  // Puttings and takings in turns of growing length, so that it empties and fills many times.
  for (let turn = 1; turn < 60; turn += 1) {
    for (let at = 0; at < turn; at += 1) {
      shelf.push({ seq: turn * 100 + at });
      plain.push(turn * 100 + at);
    }
    for (let at = 0; at < turn - (turn % 3); at += 1) assert.equal(shelf.shift().seq, plain.shift());
    assert.deepEqual(Array.from({ length: shelf.length }, (_, at) => shelf.at(at).seq), plain);
    for (const [at, seq] of plain.entries()) assert.equal(shelf.find(seq), at);
  }
});

test('one more row is held against the filter once, however many there are', () => {
  const traffic = filled(Array.from({ length: 5000 }, (_, at) => ({ line: `m${at}`, kind: at % 2 ? 'text' : 'ack' })), { rowsMax: 3000 });
  traffic.show({ kind: 'text' });
  const before = traffic.looks;
  for (let at = 0; at < 100; at += 1) traffic.append(row({ line: 'more' }));
  assert.equal(traffic.looks - before, 100);
  assert.equal(traffic.rows.length, 3000);
});

test('the oldest rows go, by count and by what they weigh', () => {
  const few = filled(Array.from({ length: 10 }, (_, at) => ({ line: `m${at}` })), { rowsMax: 4 });
  assert.deepEqual(lines(few.rows), ['m6', 'm7', 'm8', 'm9']);
  assert.deepEqual(lines(few.shown), ['m6', 'm7', 'm8', 'm9']);
  assert.equal(few.dropped, 6);
  const light = filled(Array.from({ length: 100 }, (_, at) => ({ line: `m${at}`, hex: '00'.repeat(500) })), { charactersMax: 20_000 });
  assert.ok(light.rows.length < 20 && light.rows.length > 5, `${light.rows.length} rows`);
  assert.equal(light.rows.at(light.rows.length - 1).line, 'm99');
  assert.deepEqual([...light.kinds], [['text', light.rows.length]]);
});

test('a row that is told twice is kept once', () => {
  const traffic = filled([{ line: 'one' }, { line: 'two' }]);
  assert.equal(traffic.append(row({ n: 1, line: 'two again' })), undefined);
  assert.deepEqual(lines(traffic.rows), ['one', 'two']);
});

test('a filter shows what has all its words, and none of those it leaves out', () => {
  const traffic = filled([
    { line: 'hello bob', decoded: { payload: { meta: { id: '1160000000000000003' } } } },
    { line: 'hello carol', kind: 'ack' },
    { line: 'GET /users', kind: 'http', conn: null, user: 'bob', decoded: undefined, response: { error: 'no such PLACE' } },
  ]);
  const shows = (filter) => {
    traffic.show(filter);
    return lines(traffic.shown);
  };
  assert.deepEqual(shows({ text: 'HELLO' }), ['hello bob', 'hello carol']);
  assert.deepEqual(shows({ text: 'hello -carol' }), ['hello bob']);
  assert.deepEqual(shows({ text: '1160000000000000003' }), ['hello bob']);
  assert.deepEqual(shows({ text: 'place' }), ['GET /users']);
  assert.deepEqual(shows({ text: 'bob users' }), ['GET /users']);
  assert.deepEqual(shows({ text: '#1' }), ['hello carol']);
  assert.deepEqual(shows({ user: 'bob' }), ['GET /users']);
  assert.deepEqual(shows({ kind: 'ack' }), ['hello carol']);
  assert.deepEqual(shows({ kind: 'group:requests' }), ['GET /users']);
  assert.deepEqual(shows({ text: ' - ' }).length, 3);
  assert.deepEqual(shows({}).length, 3);
  traffic.show({ text: 'later' });
  traffic.append(row({ line: 'later' }));
  traffic.append(row({ line: 'never' }));
  assert.deepEqual(lines(traffic.shown), ['later']);
});

test('a connection has a lane, from its first frame on; the next one of the device has the same', () => {
  const traffic = filled([
    { conn: 1, user: '', device: '', kind: 'opened' },
    { conn: 2, user: '', device: '', kind: 'opened' },
    { conn: 1, user: 'alice', device: 'web', kind: 'logged_in' },
    { conn: 2, user: 'bob', device: 'web', kind: 'logged_in' },
    { conn: 1, kind: 'closed' },
    { conn: 3, user: '', device: '', kind: 'opened' },
    { conn: 3, user: '', device: '', kind: 'provision' },
    { conn: 3, user: 'alice', device: 'web', kind: 'logged_in' },
  ]);
  assert.deepEqual(columns(traffic), ['alice/web', 'bob/web']);
  const [alice, bob] = traffic.columns;
  assert.deepEqual(Array.from({ length: 8 }, (_, at) => traffic.rows.at(at).lane), [alice, bob, alice, bob, alice, alice, alice, alice]);
  assert.equal(alice.rows, 6);
  assert.equal(alice.open, true);
});

test('two connections of one device at a time have two lanes', () => {
  const traffic = filled([{ conn: 1 }, { conn: 2 }]);
  assert.deepEqual(columns(traffic), ['alice/web', 'alice/web']);
  assert.notEqual(traffic.rows.at(0).lane, traffic.rows.at(1).lane);
});

test('a request stands in the lane of its user, before and after the login; one of nobody has its own', () => {
  const request = { kind: 'http', conn: null, device: '', direction: null };
  const traffic = filled([
    { ...request, user: 'alice' },
    { conn: 1, user: '', device: '', kind: 'opened' },
    { ...request, user: '' },
    { conn: 1, kind: 'logged_in' },
    { ...request, user: 'alice' },
  ]);
  assert.deepEqual(columns(traffic), ['alice/web', '/']);
  const [alice, nobody] = traffic.columns;
  assert.deepEqual(Array.from({ length: 5 }, (_, at) => traffic.rows.at(at).lane), [alice, alice, nobody, alice, alice]);
});

test('a login by password stands in the lane of whom it names', () => {
  const traffic = filled([{ kind: 'http', conn: null, user: null, device: null, method: 'POST', path: '/token', request: { username: 'Alice' } }, { conn: 1, kind: 'logged_in' }]);
  assert.deepEqual(columns(traffic), ['alice/web']);
  assert.equal(traffic.columns[0].requests, false);
  traffic.show({ user: 'alice' });
  assert.equal(traffic.shown.length, 2);
});

test('lanes go with their rows, and only lanes with shown rows are columns', () => {
  const traffic = filled(Array.from({ length: 300 }, (_, at) => [{ conn: at, user: `u${at}`, kind: 'logged_in' }, { conn: at, user: `u${at}`, kind: 'closed' }]).flat(), { rowsMax: 20 });
  assert.equal(traffic.columns.length, 10);
  assert.equal(traffic.users.size, 10);
  traffic.show({ user: 'u299' });
  assert.deepEqual(columns(traffic), ['u299/web']);
});

test('a world that began anew counts from 0 again; what was seen stays', () => {
  const traffic = filled([{ line: 'before' }, { line: 'before' }]);
  traffic.restarted();
  counted = 0;
  traffic.append(row({ line: 'after' }));
  assert.deepEqual(lines(traffic.rows), ['before', 'before', 'after']);
  traffic.clear();
  assert.equal(traffic.rows.length + traffic.shown.length + traffic.columns.length + traffic.kinds.size, 0);
});

test('what the server refused is told apart, over HTTP and over a socket', () => {
  const answer = (status) => ({ kind: 'answer', direction: 'down', decoded: { command: 'SYNC', payload: { status } } });
  const traffic = filled([answer({ errorCode: 'OK' }), answer({ errorCode: 'PERMISSION_DENIED' }), answer({}), { kind: 'http', status: 404, decoded: undefined }, { kind: 'http', status: 200, decoded: undefined }, { decoded: { payload: 'rubbish' } }, { decoded: null }]);
  assert.deepEqual(Array.from({ length: traffic.rows.length }, (_, at) => traffic.rows.at(at).refused), [false, true, false, true, false, false, false]);
});

test('each kind that the server knows is in one group', () => {
  const all = Object.values(GROUPS).flat();
  const source = readFileSync(new URL('../../src/decoded/kind.rs', import.meta.url), 'utf8');
  const known = [...source.matchAll(/\(Self::\w+, "(\w+)", Way::/g)].map(([, word]) => word);
  assert.ok(known.length > 30, `${known.length} kinds found`);
  assert.deepEqual(all.toSorted(), known.toSorted());
  assert.equal(groupOf('ack'), 'syncs');
  assert.equal(groupOf('a kind to come'), 'messages');
});
