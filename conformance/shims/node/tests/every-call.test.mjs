//! Every REST call of 3.6.3, in one story, against the mock server itself: each resolves, and a getter gives what was
//! set. Nothing here looks at the wire; the harness's scenarios do.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startMockServer } from '../mock-server.mjs';
import { loadSdk } from '../sdk.mjs';
import { Person } from './person.mjs';

/** A page that makes any call of the connection and tells what it comes to. */
const PAGE = `(settingsText, tellText, user) => {
  const settings = JSON.parse(settingsText);
  const tell = (body) => tellText(JSON.stringify(body));
  const conn = new WebIM.connection({ appKey: settings.app_key, url: settings.sockjs, apiUrl: settings.rest, isHttpDNS: false });
  conn.listen({
    onOpened: () => tell({ n: 0, ok: null }),
    onError: (error) => tell({ error: error.message ?? error.type, data: error.data }),
  });
  return (kind, bodyText) => {
    const { n, name, args } = JSON.parse(bodyText);
    if (kind === 'open') return conn.open({ user: settings.username, pwd: 'pw', appKey: settings.app_key }), '{}';
    const done = (ok) => tell({ n, ok });
    const failed = (error) => tell({ n, error: error?.data ?? error?.message ?? String(error) });
    const picked = user.fileInput(settings.file, 'notes.txt', 'text/plain').files[0];
    const outcomes = {
      upload: { file: { data: picked, filename: picked.name }, onFileUploadComplete: done, onFileUploadError: failed },
      download: { onFileDownloadComplete: (blob) => user.sha256(blob, (sha256) => done({ type: blob.type, sha256 })), onFileDownloadError: failed },
      callback: { success: done, error: failed },
      options: { success: () => {} }, // createGroupNew calls it unseen
    };
    if (outcomes[kind]) Object.assign(args[0], outcomes[kind]);
    if (typeof conn[name] !== 'function') return failed({ message: 'there is no conn.' + name }), '{}';
    const promise = conn[name](...args);
    if (kind === 'options' || kind === 'plain') promise.then(done, failed);
    return '{}';
  };
}`;

let server;
const people = {};

before(async () => {
  const sdk = loadSdk('easemob-websdk-3.6.3');
  server = await startMockServer();
  for (const name of ['alice', 'bob', 'carl', 'dora']) {
    people[name] = new Person(sdk, PAGE, { username: name, rest: server.rest, sockjs: `${server.rest}/ws` });
    await people[name].open();
  }
});

after(async () => {
  await Promise.all(Object.values(people).map((person) => person.drop()));
  server?.stop();
});

const names = (list) => [...list].sort();
const members = (list) => names(list.map(({ member, owner }) => member ?? owner));

test('users: each call resolves, and what was set is there', async () => {
  const { alice } = people;
  await alice.call('callback', 'registerUser', { username: 'erin', password: 'pw', nickname: 'Er', appKey: 'org#app', apiUrl: server.rest });
  await alice.call('plain', 'updateOwnUserInfo', { nickname: '小明', avatarurl: 'http://x/y?a=b', gender: '1' });
  await alice.call('plain', 'updateOwnUserInfo', 'sign', 'here');
  const { data: chosen } = await alice.call('plain', 'fetchUserInfoById', ['alice', 'bob'], ['nickname', 'sign']);
  assert.deepEqual(chosen.alice, { nickname: '小明', sign: 'here' });
  const { data: whole } = await alice.call('plain', 'fetchUserDataById', ['alice', 'bob']);
  assert.equal(whole.alice.avatarurl, 'http://x/y?a=b');
  const { entities } = await alice.call('plain', 'updateCurrentUserNick', 'nick');
  assert.equal(entities[0].nickname, 'nick');
  await alice.call('options', 'uploadToken', { deviceId: 'd', deviceToken: 't', notifierName: 'n' });
  assert.deepEqual((await alice.call('options', 'getRoster', {})).data, []);
  assert.deepEqual((await alice.call('options', 'getBlacklist', {})).data, []);
  assert.deepEqual((await alice.call('plain', 'getSessionList')).data.channel_infos, []);
  assert.deepEqual(await alice.call('plain', 'fetchHistoryMessages', { queue: 'bob', count: 10 }), []);
});

test('groups: each call resolves, and what was set is there', async () => {
  const { alice, bob, carl, dora } = people;
  const data = { groupname: 'g', desc: 'd', members: ['bob'], public: true, approval: true, allowinvites: true, maxusers: 200, inviteNeedConfirm: true };
  const { data: { groupid: groupId } } = await alice.call('options', 'createGroupNew', { data });
  const here = (more = {}) => ({ groupId, ...more });
  const of = (person, name, more) => person.call('options', name, here(more));

  assert.ok((await alice.call('options', 'listGroups', { limit: 20 })).data.some((group) => group.groupid === groupId));
  assert.ok((await alice.call('options', 'getGroup', {})).data.some((group) => group.groupid === groupId));
  await of(alice, 'modifyGroup', { groupName: 'n', description: 'e' });
  const { data: [info] } = await of(alice, 'getGroupInfo');
  assert.deepEqual([info.name, info.description, info.owner], ['n', 'e', 'alice']);
  await of(alice, 'blockGroup');

  await of(bob, 'agreeInviteIntoGroup', { invitee: 'bob' });
  await of(alice, 'inviteToGroup', { users: ['carl'] });
  await of(carl, 'agreeInviteIntoGroup', { invitee: 'carl' });
  await of(alice, 'inviteToGroup', { users: ['dora'] });
  await of(dora, 'rejectInviteIntoGroup', { invitee: 'dora' });
  assert.deepEqual(members((await of(alice, 'listGroupMember', { pageNum: 1, pageSize: 20 })).data), ['alice', 'bob', 'carl']);

  await of(alice, 'setAdmin', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getGroupAdmin')).data, ['bob']);
  await of(alice, 'removeAdmin', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getGroupAdmin')).data, []);

  await of(alice, 'mute', { username: 'bob', muteDuration: 60_000 });
  assert.deepEqual((await of(alice, 'getMuted')).data.map(({ user }) => user), ['bob']);
  await of(alice, 'removeMute', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getMuted')).data, []);

  await of(alice, 'addUsersToGroupWhitelist', { users: ['bob'] });
  assert.ok((await of(alice, 'getGroupWhitelist')).data.includes('bob'));
  assert.equal((await of(alice, 'isGroupWhiteUser', { userName: 'bob' })).data.white, true);
  await of(alice, 'rmUsersFromGroupWhitelist', { userName: 'bob' });
  assert.equal((await of(alice, 'isGroupWhiteUser', { userName: 'bob' })).data.white, false);
  assert.equal((await of(alice, 'disableSendGroupMsg')).data.mute, true);
  assert.equal((await of(alice, 'enableSendGroupMsg')).data.mute, false);

  await of(alice, 'updateGroupAnnouncement', { announcement: 'a' });
  assert.equal((await of(bob, 'fetchGroupAnnouncement')).data.announcement, 'a');
  await shared(alice, bob, 'Group', here());

  await of(alice, 'groupBlockSingle', { username: 'carl' });
  assert.deepEqual((await of(alice, 'getGroupBlacklistNew')).data, ['carl']);
  await of(alice, 'removeGroupBlockSingle', { username: 'carl' });
  await of(carl, 'joinGroup', { message: 'hi' }); // who is blocked is no member any more
  await of(alice, 'agreeJoinGroup', { applicant: 'carl' });
  await of(alice, 'groupBlockMulti', { usernames: ['bob', 'carl'] });
  assert.deepEqual(names((await of(alice, 'getGroupBlacklistNew')).data), ['bob', 'carl']);
  await of(alice, 'removeGroupBlockMulti', { usernames: ['bob', 'carl'] });
  assert.deepEqual((await of(alice, 'getGroupBlacklistNew')).data, []);

  await of(bob, 'joinGroup', { message: 'hi' });
  await of(alice, 'rejectJoinGroup', { applicant: 'bob', reason: 'no' });
  for (const person of ['bob', 'carl']) {
    await of(people[person], 'joinGroup', { message: 'hi' });
    await of(alice, 'agreeJoinGroup', { applicant: person });
  }
  assert.deepEqual(members((await of(alice, 'listGroupMember', { pageNum: 1, pageSize: 20 })).data), ['alice', 'bob', 'carl']);
  await of(alice, 'removeSingleGroupMember', { username: 'carl' });
  await of(carl, 'joinGroup', { message: 'hi' });
  await of(alice, 'agreeJoinGroup', { applicant: 'carl' });
  await of(alice, 'removeMultiGroupMember', { users: ['carl'] });
  await of(alice, 'changeOwner', { newOwner: 'bob' });
  await of(alice, 'quitGroup');
  assert.deepEqual(members((await of(bob, 'listGroupMember', { pageNum: 1, pageSize: 20 })).data), ['bob']);
  await of(bob, 'dissolveGroup');
  await assert.rejects(of(bob, 'getGroupInfo'));
});

test('chat rooms: each call resolves, and what was set is there', async () => {
  const { alice, bob, carl } = people;
  const made = await alice.call('options', 'createChatRoom', { name: 'r', description: 'd', maxusers: 200, members: ['bob'] });
  const chatRoomId = made.data.id;
  const of = (person, name, more = {}) => person.call('options', name, { chatRoomId, roomId: chatRoomId, ...more });
  const inside = async () => members((await of(alice, 'listChatRoomMember', { pageNum: 1, pageSize: 20 })).data);

  assert.ok((await alice.call('options', 'getChatRooms', { pagenum: 1, pagesize: 20 })).data.some((room) => room.id === chatRoomId));
  await of(alice, 'modifyChatRoom', { chatRoomName: 'n', description: 'e', maxusers: 100 });
  const { data } = await of(alice, 'getChatRoomDetails');
  const [details] = [data].flat();
  assert.deepEqual([details.name, details.description, details.maxusers], ['n', 'e', 100]);

  await of(carl, 'joinChatRoom', { message: 'm' });
  assert.deepEqual(await inside(), ['alice', 'bob', 'carl']);
  await of(carl, 'quitChatRoom');
  await of(alice, 'addUsersToChatRoom', { users: ['carl'] });
  await of(alice, 'removeSingleChatRoomMember', { username: 'carl' });
  assert.deepEqual(await inside(), ['alice', 'bob']);
  await of(alice, 'addUsersToChatRoom', { users: ['carl'] });

  await of(alice, 'setChatRoomAdmin', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getChatRoomAdmin')).data, ['bob']);
  await of(alice, 'removeChatRoomAdmin', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getChatRoomAdmin')).data, []);
  await of(alice, 'muteChatRoomMember', { username: 'bob', muteDuration: 60_000 });
  assert.deepEqual((await of(alice, 'getChatRoomMuted')).data.map(({ user }) => user), ['bob']);
  await of(alice, 'removeMuteChatRoomMember', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getChatRoomMuted')).data, []);

  await of(alice, 'addUsersToChatRoomWhitelist', { users: ['bob'] });
  assert.ok((await of(alice, 'getChatRoomWhitelist')).data.includes('bob'));
  assert.equal((await of(alice, 'isChatRoomWhiteUser', { userName: 'bob' })).data.white, true);
  await of(alice, 'rmUsersFromChatRoomWhitelist', { userName: 'bob' });
  assert.equal((await of(alice, 'isChatRoomWhiteUser', { userName: 'bob' })).data.white, false);
  assert.equal((await of(alice, 'disableSendChatRoomMsg')).data.mute, true);
  assert.equal((await of(alice, 'enableSendChatRoomMsg')).data.mute, false);

  await of(alice, 'updateChatRoomAnnouncement', { announcement: 'a' });
  assert.equal((await of(bob, 'fetchChatRoomAnnouncement')).data.announcement, 'a');
  await shared(alice, bob, 'ChatRoom', { roomId: chatRoomId });

  await of(alice, 'chatRoomBlockSingle', { username: 'carl' });
  assert.deepEqual((await of(alice, 'getChatRoomBlacklistNew')).data, ['carl']);
  await of(alice, 'removeChatRoomBlockSingle', { username: 'carl' });
  await of(alice, 'addUsersToChatRoom', { users: ['carl'] });
  await of(alice, 'chatRoomBlockMulti', { usernames: ['bob', 'carl'] });
  assert.deepEqual(names((await of(alice, 'getChatRoomBlacklistNew')).data), ['bob', 'carl']);
  await of(alice, 'removeChatRoomBlockMulti', { usernames: ['bob', 'carl'] });
  await of(alice, 'addUsersToChatRoom', { users: ['bob', 'carl'] });
  await of(alice, 'removeMultiChatRoomMember', { users: ['bob', 'carl'] });
  assert.deepEqual(await inside(), ['alice']);
  await of(alice, 'destroyChatRoom');
  await assert.rejects(of(alice, 'getChatRoomDetails'));
});

/** The shared files of a group or room: the bytes that one puts there another gets. */
async function shared(owner, member, kind, where) {
  await owner.call('upload', `upload${kind}SharedFile`, { ...where });
  const { data: [file, ...more] } = await member.call('options', `fetch${kind}SharedFileList`, { ...where });
  assert.deepEqual([file.file_name, file.file_owner, more], ['notes.txt', 'alice', []]);
  const got = await member.call('download', `download${kind}SharedFile`, { ...where, fileId: file.file_id });
  assert.notEqual(got.type, 'application/json');
  await owner.call('options', `delete${kind}SharedFile`, { ...where, fileId: file.file_id });
  assert.deepEqual((await member.call('options', `fetch${kind}SharedFileList`, { ...where })).data, []);
}
