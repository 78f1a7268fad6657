//! What is new in the shim with 4.21.1: each command as its call's request or frame, outcomes in the order in which the
//! SDK settled them, failures that it shows by several ways told once, and what such an SDK needs of a page.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { ShimProcess } from './shim-process.mjs';
import { TinyServer } from './tiny-server.mjs';

const SDK = 'easemob-websdk-4.21.1';
const CHAT = 1;

let server;
let shim;

beforeEach(async () => {
  server = await TinyServer.start();
});

afterEach(async () => {
  shim.kill();
  await shim.exited;
  await server.stop();
});

async function loggedIn(more) {
  shim = new ShimProcess({ args: [SDK] });
  await shim.login('alice', server.settings('alice', more));
}

/** Command, its arguments, the request that it becomes, with its body. */
const REQUESTS = [
  ['list_contacts', {}, 'GET /users/alice/contacts/users', null],
  ['add_contact', { user: 'bob', reason: 'hi' }, 'POST /users/alice/contacts/apply', { usernames: ['bob'], reason: 'hi' }],
  ['accept_contact', { user: 'bob' }, 'POST /users/alice/contacts/accept/users/bob', null],
  ['decline_contact', { user: 'bob' }, 'POST /users/alice/contacts/decline/users/bob', null],
  ['remove_contact', { user: 'bob' }, 'DELETE /users/alice/contacts/users/bob', null],
  ['block', { users: ['bob'] }, 'POST /sdk/user/alice/blocks', { usernames: ['bob'] }],
  ['unblock', { users: ['bob'] }, 'DELETE /sdk/user/alice/blocks', { usernames: ['bob'] }],
  ['list_blocked', {}, 'GET /users/alice/blocks/users', null],
  ['leave_group', { group: 'g' }, 'DELETE /chatgroups/g/quit', null],
  ['dissolve_group', { group: 'g' }, 'DELETE /chatgroups/g', null],
  ['change_owner', { group: 'g', user: 'bob' }, 'PUT /chatgroups/g', { newowner: 'bob' }],
  ['invite_to_group', { group: 'g', users: ['bob'] }, 'POST /chatgroups/g/invite', { usernames: ['bob'] }],
  ['remove_from_group', { group: 'g', users: ['bob', 'carl'] }, 'DELETE /chatgroups/g/users/bob,carl', null],
  ['accept_invite', { group: 'g' }, 'POST /chatgroups/g/invite_verify', { invitee: 'alice', verifyResult: true }],
  ['decline_invite', { group: 'g' }, 'POST /chatgroups/g/invite_verify', { invitee: 'alice', verifyResult: false }],
  ['accept_applicant', { group: 'g', user: 'bob' }, 'POST /chatgroups/g/apply_verify', { applicant: 'bob', verifyResult: true }],
  ['decline_applicant', { group: 'g', user: 'bob' }, 'POST /chatgroups/g/apply_verify', { applicant: 'bob', verifyResult: false }],
  ['mute', { chat: 'group', id: 'g', users: ['bob'], ms: 5 }, 'POST /chatgroups/g/mute', { usernames: ['bob'], mute_duration: 5 }],
  ['unmute', { chat: 'group', id: 'g', users: ['bob'] }, 'DELETE /chatgroups/g/mute/bob', null],
  ['set_admin', { chat: 'group', id: 'g', user: 'bob' }, 'POST /chatgroups/g/admin', { newadmin: 'bob' }],
  ['remove_admin', { chat: 'group', id: 'g', user: 'bob' }, 'DELETE /chatgroups/g/admin/bob', null],
  ['ban_all', { chat: 'group', id: 'g' }, 'POST /chatgroups/g/ban', null],
  ['unban_all', { chat: 'group', id: 'g' }, 'DELETE /chatgroups/g/ban', null],
  ['allow', { chat: 'group', id: 'g', users: ['bob'] }, 'POST /chatgroups/g/white/users', { usernames: ['bob'] }],
  ['disallow', { chat: 'group', id: 'g', users: ['bob'] }, 'DELETE /chatgroups/g/white/users/bob', null],
  ['announce', { chat: 'group', id: 'g', text: 'a' }, 'POST /chatgroups/g/announcement', { announcement: 'a' }],
  ['mute', { chat: 'room', id: 'r', users: ['bob'], ms: 5 }, 'POST /chatrooms/r/mute', { usernames: ['bob'], mute_duration: 5 }],
  ['unmute', { chat: 'room', id: 'r', users: ['bob'] }, 'DELETE /chatrooms/r/mute/bob', null],
  ['set_admin', { chat: 'room', id: 'r', user: 'bob' }, 'POST /chatrooms/r/admin', { newadmin: 'bob' }],
  ['remove_admin', { chat: 'room', id: 'r', user: 'bob' }, 'DELETE /chatrooms/r/admin/bob', null],
  ['ban_all', { chat: 'room', id: 'r' }, 'POST /chatrooms/r/ban', null],
  ['unban_all', { chat: 'room', id: 'r' }, 'DELETE /chatrooms/r/ban', null],
  ['allow', { chat: 'room', id: 'r', users: ['bob'] }, 'POST /chatrooms/r/white/users', { usernames: ['bob'] }],
  ['disallow', { chat: 'room', id: 'r', users: ['bob'] }, 'DELETE /chatrooms/r/white/users/bob', null],
  ['announce', { chat: 'room', id: 'r', text: 'a' }, 'POST /chatrooms/r/announcement', { announcement: 'a' }],
  ['remove_from_room', { room: 'r', users: ['bob', 'carl'] }, 'DELETE /chatrooms/r/users/bob,carl', null],
  ['delete_session', { handle: 'h', to: 'bob', chat: 'single', with_history: true }, 'DELETE /user/alice/user_channel', { channel: 'bob', type: 'chat', delete_roam: true }],
];

for (const [command, body, line, sent] of REQUESTS) {
  test(`${command} ${body.chat ?? ''} becomes ${line}`, async () => {
    server.answer(line, { data: [] });
    await loggedIn();
    assert.deepEqual(await shim.ask('alice', { [command]: body }), { ok: {} });
    await server.asked(line);
    const [method, path] = line.split(' ');
    const request = server.seen.find((seen) => seen.line.startsWith(`${method} /org/app${path}`));
    const { reason, ...shown } = request.body.length > 0 ? JSON.parse(request.body) : {};
    assert.deepEqual(sent?.reason === undefined ? shown : { ...shown, reason }, sent ?? {});
  });
}

test('a change of the block list shows the list as it is then', async () => {
  server.answer('POST /sdk/user/alice/blocks', { data: {} });
  server.blocks = JSON.stringify({ data: ['bob'] });
  await loggedIn();
  await shim.ask('alice', { block: { users: ['bob'] } });
  assert.deepEqual(await shim.event('alice', 'blacklist_update'), { users: ['bob'] });
});

test('sessions are the conversations of all pages', async () => {
  const entry = (to, type, more) => ({ session_to: to, session_type: type, unread_num: 2, is_top: false, update_top_status_time: 0, ...more });
  const payload = JSON.stringify({ bodies: [{ type: 'txt', msg: 'hi' }], ext: {}, from: 'bob', to: 'alice', type: 'chat' });
  const meta = { id: '1160000000000000009', from: 'org#app_bob@easemob.com', to: 'org#app_alice@easemob.com', timestamp: 1, payload };
  const pages = {
    '': { cursor: 'more', channel_infos: [entry('bob', 'chat', { meta })] },
    more: { cursor: '', channel_infos: [entry('g1', 'groupchat', { meta: {} })] },
  };
  server.answer('GET /sdk/user/alice/user_channels/list', (query) => ({ data: pages[query.get('cursor')] }));
  await loggedIn();
  await shim.ask('alice', { list_sessions: { handle: 'h' } });
  assert.deepEqual(await shim.event('alice', 'sessions'), {
    handle: 'h',
    channels: ['bob@easemob.com', 'g1@conference.easemob.com'],
    unread: [2, 2],
    last_ids: ['1160000000000000009', null],
    last_texts: ['hi', null],
  });
});

test('a refused call without a handle is an error', async () => {
  server.answer('DELETE /chatgroups/g', { error: 'x', error_description: 'you are not the owner' }, { status: 400 });
  await loggedIn();
  await shim.ask('alice', { dissolve_group: { group: 'g' } });
  const { type, message } = await shim.event('alice', 'error');
  assert.deepEqual([type, message], [17, 'you are not the owner']);
});

for (const [command, body] of [
  ['send_text', { to: 'bob', chat: 'single', text: 'hi' }],
  ['recall', { id: '1160000000000000009', to: 'bob', chat: 'single' }],
]) {
  test(`${command}: received comes behind sent, with its handle`, async () => {
    await loggedIn();
    await shim.ask('alice', { [command]: { handle: 'h', ...body } });
    const { id } = await shim.event('alice', 'received');
    const shown = shim.lines.filter(({ event }) => event && !event.opened).map(({ event }) => event);
    assert.deepEqual(shown, [{ sent: { handle: 'h', id } }, { received: { handle: 'h', id } }]);
  });
}

test('messages and recalls never have one local id', async () => {
  await loggedIn();
  const text = { send_text: { handle: 'a', to: 'bob', chat: 'single', text: 'x' } };
  const recall = { recall: { handle: 'b', id: '1160000000000000009', to: 'bob', chat: 'single' } };
  const commands = [...Array(100).fill(text), ...Array(100).fill(recall)];
  await Promise.all(commands.map((command) => shim.ask('alice', command)));
  const sent = () => server.metas.filter((meta) => meta.number(5) === CHAT).map((meta) => String(meta.all(1)[0]));
  await server.took(() => sent().length === commands.length);
  assert.equal(new Set(sent()).size, commands.length);
});

for (const [reason, code, expected] of [
  ['blocked', 1, { failed: { handle: 'h', type: 603, reason: 'blocked' } }],
  ['sensitive words', 7, { failed: { handle: 'h', type: 501, reason: 'sensitive words' } }],
  ['', 15, { muted: { handle: 'h' } }],
]) {
  test(`a refusal with ${code} ${reason} shows ${Object.keys(expected)}`, async () => {
    await loggedIn();
    server.status = { code, reason };
    await shim.ask('alice', { send_text: { handle: 'h', to: 'bob', chat: 'single', text: 'x' } });
    const [name] = Object.keys(expected);
    assert.deepEqual(await shim.event('alice', name), expected[name]);
  });
}

test('a wrong password is one error', async () => {
  shim = new ShimProcess({ args: [SDK] });
  await shim.ask('alice', { create: server.settings('alice') });
  await shim.ask('alice', { login_password: { password: 'wrong' } });
  const { type, message } = await shim.event('alice', 'error');
  await shim.ask(null, { sync: {} });
  assert.deepEqual([type, message], [1, 'invalid password']);
  assert.equal(shim.lines.filter(({ event }) => event?.error).length, 1);
});

test('a lost link is error 16', async () => {
  await loggedIn({ reconnects: 3 });
  server.cut('alice');
  assert.equal((await shim.event('alice', 'error')).type, 16);
});

test('the resource of a device lasts as long as it does', async () => {
  await loggedIn({ reconnects: 3 });
  const first = server.provisions.length;
  server.cut('alice');
  await shim.event('alice', 'error');
  // The back-off is by the harness's clock: to the next timer, which is the next try.
  const { ok } = await shim.ask(null, { advance: { ms: 0 } });
  await shim.ask(null, { advance: { ms: ok.next_due_ms } });
  await server.took(() => server.provisions.length > first);
  assert.deepEqual(new Set(server.provisions.map((provision) => provision.text(13))), new Set(['webim_web_web']));
});
