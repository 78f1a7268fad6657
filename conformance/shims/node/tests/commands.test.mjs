//! Each command of receipts, recall, history, sessions, contacts, groups and rooms, on both SDKs: which request or
//! frame it becomes, or that the shim names the call that the SDK lacks.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { ShimProcess } from './shim-process.mjs';
import { TinyServer } from './tiny-server.mjs';

const OLD = 'easemob-websdk-3.0.6';
const NEW = 'easemob-websdk-3.6.3';

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

async function loggedIn(sdk, more) {
  shim = new ShimProcess({ args: [sdk] });
  await shim.login('alice', server.settings('alice', more));
}

/** Command, its arguments, the request that it becomes, with its body, and the call that 3.0.6 lacks for it. */
const REQUESTS = [
  ['list_contacts', {}, 'GET /users/alice/contacts/users', null, null],
  ['list_blocked', {}, 'GET /users/alice/blocks/users', null, null],
  ['change_owner', { group: 'g', user: 'bob' }, 'PUT /chatgroups/g', { newowner: 'bob' }, null],
  ['accept_invite', { group: 'g' }, 'POST /chatgroups/g/invite_verify', { invitee: 'alice', verifyResult: true }, null],
  ['decline_invite', { group: 'g' }, 'POST /chatgroups/g/invite_verify', { invitee: 'alice', verifyResult: false }, null],
  ['accept_applicant', { group: 'g', user: 'bob' }, 'POST /chatgroups/g/apply_verify', { applicant: 'bob', verifyResult: true }, null],
  ['decline_applicant', { group: 'g', user: 'bob' }, 'POST /chatgroups/g/apply_verify', { applicant: 'bob', verifyResult: false }, null],
  ['mute', { chat: 'group', id: 'g', users: ['bob'], ms: 5 }, 'POST /chatgroups/g/mute', { usernames: ['bob'], mute_duration: 5 }, null],
  ['unmute', { chat: 'group', id: 'g', users: ['bob'] }, 'DELETE /chatgroups/g/mute/bob', null, null],
  ['set_admin', { chat: 'group', id: 'g', user: 'bob' }, 'POST /chatgroups/g/admin', { newadmin: 'bob' }, null],
  ['remove_admin', { chat: 'group', id: 'g', user: 'bob' }, 'DELETE /chatgroups/g/admin/bob', null, null],
  ['ban_all', { chat: 'group', id: 'g' }, 'POST /chatgroups/g/ban', null, 'disableSendGroupMsg'],
  ['unban_all', { chat: 'group', id: 'g' }, 'DELETE /chatgroups/g/ban', null, 'enableSendGroupMsg'],
  ['allow', { chat: 'group', id: 'g', users: ['bob'] }, 'POST /chatgroups/g/white/users', { usernames: ['bob'] }, 'addUsersToGroupWhitelist'],
  ['disallow', { chat: 'group', id: 'g', users: ['bob'] }, 'DELETE /chatgroups/g/white/users/bob', null, 'rmUsersFromGroupWhitelist'],
  ['announce', { chat: 'group', id: 'g', text: 'a' }, 'POST /chatgroups/g/announcement', { announcement: 'a' }, 'updateGroupAnnouncement'],
  ['mute', { chat: 'room', id: 'r', users: ['bob'], ms: 5 }, 'POST /chatrooms/r/mute', { usernames: ['bob'], mute_duration: 5 }, 'muteChatRoomMember'],
  ['unmute', { chat: 'room', id: 'r', users: ['bob'] }, 'DELETE /chatrooms/r/mute/bob', null, 'removeMuteChatRoomMember'],
  ['set_admin', { chat: 'room', id: 'r', user: 'bob' }, 'POST /chatrooms/r/admin', { newadmin: 'bob' }, 'setChatRoomAdmin'],
  ['remove_admin', { chat: 'room', id: 'r', user: 'bob' }, 'DELETE /chatrooms/r/admin/bob', null, 'removeChatRoomAdmin'],
  ['ban_all', { chat: 'room', id: 'r' }, 'POST /chatrooms/r/ban', null, 'disableSendChatRoomMsg'],
  ['unban_all', { chat: 'room', id: 'r' }, 'DELETE /chatrooms/r/ban', null, 'enableSendChatRoomMsg'],
  ['allow', { chat: 'room', id: 'r', users: ['bob'] }, 'POST /chatrooms/r/white/users', { usernames: ['bob'] }, 'addUsersToChatRoomWhitelist'],
  ['disallow', { chat: 'room', id: 'r', users: ['bob'] }, 'DELETE /chatrooms/r/white/users/bob', null, 'rmUsersFromChatRoomWhitelist'],
  ['announce', { chat: 'room', id: 'r', text: 'a' }, 'POST /chatrooms/r/announcement', { announcement: 'a' }, 'updateChatRoomAnnouncement'],
  ['remove_from_room', { room: 'r', users: ['bob', 'carl'] }, 'DELETE /chatrooms/r/users/bob,carl', null, 'removeMultiChatRoomMember'],
];

for (const [command, body, line, sent, lacking] of REQUESTS) {
  for (const sdk of [OLD, NEW]) {
    test(`${sdk}: ${command} ${body.chat ?? ''} becomes ${line}`, async () => {
      server.answer(line, { data: [] });
      await loggedIn(sdk);
      const answer = await shim.ask('alice', { [command]: body });
      if (sdk === OLD && lacking) {
        assert.deepEqual(answer, { unsupported: `conn.${lacking}` });
        return;
      }
      assert.deepEqual(answer, { ok: {} });
      await server.asked(line);
      const request = server.seen.at(-1);
      const { reason: _, ...shown } = sent ? JSON.parse(request.body) : {};
      assert.deepEqual(shown, sent ?? {});
    });
  }
}

test('a group is made as it was asked for', async () => {
  server.answer('POST /chatgroups', { data: { groupid: '7001' } });
  await loggedIn(NEW);
  await shim.ask('alice', { create_group: { name: 'g', members: [], public: false, approval: true, confirm_invites: true } });
  await shim.event('alice', 'create_group');
  const { public: isPublic, approval, invite_need_confirm: confirm } = JSON.parse(server.seen.at(-1).body);
  assert.deepEqual([isPublic, approval, confirm], [false, true, true]);
});

for (const [command, body, operation] of [
  ['add_contact', { user: 'bob', reason: 'hello' }, 2],
  ['remove_contact', { user: 'bob' }, 3],
  ['accept_contact', { user: 'bob' }, 4],
  ['decline_contact', { user: 'bob' }, 5],
]) {
  for (const sdk of [OLD, NEW]) {
    test(`${sdk}: ${command} is roster operation ${operation}`, async () => {
      await loggedIn(sdk);
      await shim.ask('alice', { [command]: body });
      await server.took(() => server.rosterOperations.length === 1);
      assert.deepEqual(server.rosterOperations, [{ from: 'alice', operation, to: ['bob'] }]);
    });
  }
}

/** Body type and what else of the body is told, for each receipt and recall: `[to's domain, type, ackMessageId]`. */
for (const [sdk, command, body, wanted] of [
  [NEW, 'send_read', { id: '1160000000000000009', to: 'bob', chat: 'single' }, ['easemob.com', 4, '1160000000000000009']],
  [OLD, 'send_read', { id: '1160000000000000009', to: 'bob', chat: 'single' }, ['easemob.com', 4, '1160000000000000009']],
  [NEW, 'send_read', { id: '1160000000000000009', to: 'g', chat: 'group', content: '{}' }, ['conference.easemob.com', 4, '1160000000000000009']],
  [NEW, 'send_channel_ack', { to: 'bob', chat: 'single' }, ['easemob.com', 7, '0']],
  [NEW, 'send_channel_ack', { to: 'g', chat: 'group' }, ['conference.easemob.com', 7, '0']],
  [NEW, 'recall', { id: '1160000000000000009', to: 'bob', chat: 'single' }, ['easemob.com', 6, '1160000000000000009']],
  [NEW, 'recall', { id: '1160000000000000009', to: 'g', chat: 'group' }, ['conference.easemob.com', 6, '1160000000000000009']],
  [OLD, 'recall', { id: '1160000000000000009', to: 'r', chat: 'room' }, ['conference.easemob.com', 6, '1160000000000000009']],
]) {
  test(`${sdk}: ${command} ${body.chat} goes out with its body's type and the message's id`, async () => {
    await loggedIn(sdk);
    assert.deepEqual(await shim.ask('alice', { [command]: { handle: 'h', ...body } }), { ok: {} });
    assert.equal((await shim.event('alice', 'received')).handle, 'h');
    const meta = server.metas.findLast((sent) => sent.number(5) === 1);
    assert.deepEqual([meta.message(3).text(3), meta.message(6).number(1), String(meta.message(6).all(6)[0] ?? 0n)], wanted);
  });
}

for (const [command, body, what] of [
  ['send_read', { handle: 'h', id: '1', to: 'g', chat: 'group' }, "WebIM.message('read').setChatType"],
  ['send_channel_ack', { handle: 'h', to: 'bob', chat: 'single' }, "WebIM.message('channel').set"],
  ['send_custom', { handle: 'h', to: 'bob', chat: 'single', event: 'e', exts: {} }, "WebIM.message('custom').set"],
  ['list_sessions', { handle: 'h' }, 'conn.getSessionList'],
  ['list_readers', { handle: 'h', group: 'g', id: '1' }, 'conn.getGroupMsgReadUser'],
  ['delete_session', { handle: 'h', to: 'bob', chat: 'single', with_history: true }, 'conn.deleteSession'],
  ['reset_history', {}, 'conn.mr_cache'],
  ['create_room', { name: 'r', members: [] }, 'conn.createChatRoom'],
]) {
  test(`3.0.6 lacks what ${command} needs`, async () => {
    await loggedIn(OLD);
    assert.deepEqual(await shim.ask('alice', { [command]: body }), { unsupported: what });
  });
}

test('sessions show in the order given, each with its last message, or none', async () => {
  const payload = JSON.stringify({ bodies: [{ type: 'txt', msg: 'hi' }], ext: {}, from: 'bob', to: 'alice' });
  server.answer('GET /users/alice/user_channels', {
    data: {
      channel_infos: [
        { channel_id: 'org#app_bob@easemob.com', unread_num: 2, meta: { id: '1160000000000000007', payload } },
        { channel_id: 'org#app_7@conference.easemob.com', unread_num: 0, meta: {} },
      ],
    },
  });
  await loggedIn(NEW);
  await shim.ask('alice', { list_sessions: { handle: 's' } });
  assert.deepEqual(await shim.event('alice', 'sessions'), {
    handle: 's',
    channels: ['bob@easemob.com', '7@conference.easemob.com'],
    unread: [2, 0],
    last_ids: ['1160000000000000007', null],
    last_texts: ['hi', null],
  });
});

test('a refused call shows its type; 3.6.3 keeps the cause in unparsed text', async () => {
  server.answer('GET /users/alice/user_channels', { error: 'forbidden_op', error_description: 'not open' }, { status: 403 });
  await loggedIn(NEW);
  await shim.ask('alice', { list_sessions: { handle: 's' } });
  assert.deepEqual(await shim.event('alice', 'call_failed'), { handle: 's', type: 17, message: null });
});

test('the readers show with the key of the next page; 3.6.3 cannot ask for it', async () => {
  server.answer('GET /chatgroups/g/acks/9', { data: { userlist: ['bob'], total: 2, next_key: 'k', is_last: false } });
  await loggedIn(NEW);
  await shim.ask('alice', { list_readers: { handle: 'r', group: 'g', id: '9' } });
  assert.deepEqual(await shim.event('alice', 'readers'), { handle: 'r', users: ['bob'], total: 2, next: 'k' });
  assert.deepEqual(await shim.ask('alice', { list_readers: { handle: 'r', group: 'g', id: '9', limit: 1 } }), {
    unsupported: 'conn.getGroupMsgReadUser with limit and key',
  });
});

for (const sdk of [OLD, NEW]) {
  test(`${sdk}: history shows oldest first, with kinds and texts, and its start is where it went on`, async () => {
    const page = server.page([
      { id: 1003n, from: 'bob', body: [[1, 1], [2, [[2, 'bob']]], [3, [[2, 'alice']]], [4, [[1, 6], [10, 'wave']]]] },
      { id: 1002n, from: 'alice', body: [[1, 1], [2, [[2, 'alice']]], [3, [[2, 'bob']]], [4, [[1, 0], [2, 'two']]]] },
    ]);
    server.answer('POST /users/alice/messageroaming', { data: { msgs: page, is_last: true, next_key: '' } });
    await loggedIn(sdk);
    await shim.ask('alice', { fetch_history: { handle: 'h', with: 'bob', chat: 'single', count: '2' } });
    const history = await shim.event('alice', 'history');
    assert.deepEqual([history.ids, history.froms, history.texts], [['1002', '1003'], ['alice', 'bob'], ['two', null]]);
    assert.equal(history.kinds[0], 'text');
    const { queue, start } = JSON.parse(server.seen.at(-1).body);
    assert.deepEqual([queue, start], ['bob@easemob.com', -1]);
    await shim.ask(null, { sync: {} });
    assert.equal(shim.events('alice').filter((event) => 'history' in event || 'error' in event).length, 1);
  });
}

test('a table of emoji reaches the SDK: 3.0.6 shows a list, 3.6.3 the text as it was', async () => {
  const emoji = { path: 'faces/', map: { '[):]': 'smile.png' } };
  await loggedIn(OLD, { emoji });
  server.pushText('alice', { from: 'bob', text: 'hi [):]' });
  const { data, chat } = await shim.event('alice', 'emoji');
  assert.deepEqual([data, chat], [[{ type: 'txt', data: 'hi ' }, { type: 'emoji', data: 'faces/smile.png' }], 'single']);
  shim.kill();
  await shim.exited;
  await loggedIn(NEW, { emoji });
  server.pushText('alice', { from: 'bob', text: 'hi [):]' });
  assert.equal((await shim.event('alice', 'text')).data, 'hi [):]');
});

test('receipts show what they are about', async () => {
  await loggedIn(NEW);
  const ack = (type, more = []) => [[1, type], [2, [[2, 'bob']]], [3, [[2, 'alice']]], [4, []], [6, 1160000000000000009n], ...more];
  server.pushBody('alice', 'bob', ack(4));
  assert.deepEqual(await shim.event('alice', 'read'), { mid: '1160000000000000009' });
  server.pushBody('alice', 'bob', ack(5));
  assert.deepEqual(await shim.event('alice', 'delivered'), { mid: '1160000000000000009' });
  server.pushBody('alice', 'bob', ack(6));
  assert.deepEqual(await shim.event('alice', 'recall'), { mid: '1160000000000000009', from: 'bob', to: 'alice' });
  server.pushBody('alice', 'bob', ack(7));
  assert.deepEqual(await shim.event('alice', 'channel'), { from: 'bob', to: 'alice' });
});
