//! Every REST call of 4.21.1, in one story, against the mock server itself: each resolves, and a getter gives what was
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
  const conn = new WebIM.connection({
    appKey: settings.app_key, url: settings.websocket, apiUrl: settings.rest, isHttpDNS: false, deviceId: settings.device,
  });
  conn.addEventHandler('test', {
    onConnected: () => tell({ n: 0, ok: null }),
    onError: (error) => tell({ error: error.message ?? error.type }),
  });
  return (kind, bodyText) => {
    const { n, name, args } = JSON.parse(bodyText);
    const done = (ok) => tell({ n, ok: ok ?? null });
    const failed = (error) => tell({ n, error: String(error?.type) + ' ' + String(error?.message ?? error) });
    if (kind === 'open') return void conn.open({ user: settings.username, pwd: 'pw' }).catch(failed), '{}';
    const picked = user.fileInput(settings.file, 'notes.txt', 'text/plain').files[0];
    const outcomes = {
      upload: { file: { data: picked, filename: picked.name }, onFileUploadComplete: done, onFileUploadError: failed },
      download: { onFileDownloadComplete: (blob) => user.sha256(blob, (sha256) => done({ type: blob.type, sha256 })), onFileDownloadError: failed },
    };
    if (outcomes[kind]) Object.assign(args[0], outcomes[kind]);
    try {
      if (kind === 'send') conn.send(WebIM.message.create(args[0])).then(done, failed);
      else if (typeof conn[name] !== 'function') failed('there is no conn.' + name);
      else {
        const promise = conn[name](...args);
        if (!outcomes[kind]) promise.then(done, failed);
        else promise?.catch?.(failed);
      }
    } catch (error) {
      failed(error);
    }
    return '{}';
  };
}`;

let server;
const people = {};
/** The calls that were made. */
const made = new Set();

/** A call of somebody's, and what it resolves to. */
function by(name, kind = 'plain') {
  return (call, ...args) => {
    made.add(call);
    return people[name].call(kind, call, ...args);
  };
}

/** Sends a text; gives its id. */
async function text(name, to, chatType, msg, more = {}) {
  const { serverMsgId } = await people[name].call('send', '', { type: 'txt', to, chatType, msg, ...more });
  return serverMsgId;
}

before(async () => {
  const sdk = loadSdk('easemob-websdk-4.21.1');
  server = await startMockServer();
  const settings = { rest: server.rest, sockjs: `${server.rest}/ws`, websocket: `${server.rest.replace('http', 'ws')}/websocket` };
  for (const username of ['alice', 'bob', 'carl', 'dora']) {
    people[username] = new Person(sdk, PAGE, { ...settings, username, device: username });
    await people[username].open();
  }
});

after(async () => {
  await Promise.all(Object.values(people).map((person) => person.drop()));
  server?.stop();
});

const [alice, bob, carl, dora] = ['alice', 'bob', 'carl', 'dora'].map((name) => by(name));
const names = (list) => [...list].sort();
const members = (list) => names(list.map(({ member, owner }) => member ?? owner));

test('users: each call resolves, and what was set is there', async () => {
  await alice('registerUser', { username: 'erin', password: 'pw', nickname: 'Er' });
  await alice('updateUserInfo', { nickname: '小明', avatarurl: 'http://x/y?a=b', gender: '1' });
  await alice('updateOwnUserInfo', 'sign', 'here');
  const { data: chosen } = await bob('fetchUserInfoById', ['alice', 'bob'], ['nickname', 'sign']);
  assert.deepEqual(chosen, { alice: { nickname: '小明', sign: 'here' }, bob: {} });
  const { data: whole } = await bob('fetchUserInfoById', ['alice']);
  assert.deepEqual(whole.alice, { nickname: '小明', avatarurl: 'http://x/y?a=b', gender: '1', sign: 'here' });
  await alice('updateCurrentUserNick', 'nick');
  assert.deepEqual((await alice('getSelfIdsOnOtherPlatform')).data, []);
  const upload = { deviceId: 'd', deviceToken: 't', notifierName: 'n' };
  for (const call of ['uploadToken', 'uploadPushToken']) {
    const { data } = await alice(call, upload);
    assert.deepEqual([data.device_id, data.device_token, data.notifier_name], ['d', 't', 'n']);
  }
  const { data: call } = await alice('getRTCToken', 'a channel');
  assert.equal(call.channelName, 'a channel');
  assert.deepEqual((await bob('getUserIdByRTCUIds', [call.RTCUId])).data, { [call.RTCUId]: 'alice' });
  const grant = { grant_type: 'password', username: 'alice', password: 'pw' };
  const granted = await fetch(`${server.rest}/org/app/token`, { method: 'POST', body: JSON.stringify(grant) });
  const { access_token: token } = await granted.json();
  assert.ok((await alice('getTokenExpireTimestamp', token)).expire_timestamp > Date.now());
});

test('contacts: each call resolves, and what was set is there', async () => {
  const lists = async () => {
    const remarked = (await alice('getAllContacts')).data;
    const paged = (await alice('getContactsWithCursor', { pageSize: 20, cursor: '' })).data;
    for (const call of ['getContacts', 'getRoster']) {
      const { data } = await alice(call);
      assert.deepEqual(names(data.map((one) => one.name ?? one)), names(remarked.map(({ userId }) => userId)));
    }
    assert.deepEqual(paged, { contacts: remarked, cursor: '' });
    return remarked;
  };
  assert.deepEqual(await lists(), []);
  await alice('addContact', 'bob', 'hi');
  await bob('acceptContactInvite', 'alice');
  await alice('addContact', 'carl', 'hi');
  await carl('declineContactInvite', 'alice');
  await alice('setContactRemark', { userId: 'bob', remark: 'Bobby' });
  assert.deepEqual(await lists(), [{ userId: 'bob', remark: 'Bobby' }]);
  await alice('deleteContact', 'bob');
  assert.deepEqual(await lists(), []);

  const blocked = async () => {
    for (const call of ['getBlocklist', 'getBlacklist']) assert.ok(Array.isArray((await alice(call)).data));
    return names((await alice('getBlocklist')).data);
  };
  await alice('addUsersToBlocklist', { name: ['bob'] });
  await alice('addToBlackList', { name: 'carl' });
  assert.deepEqual(await blocked(), ['bob', 'carl']);
  await alice('removeUserFromBlocklist', { name: ['bob', 'carl'] });
  assert.deepEqual(await blocked(), []);
});

test('presence: each call resolves, and what was set is there', async () => {
  const subscribed = await alice('subscribePresence', { usernames: ['bob'], expiry: 100 });
  assert.deepEqual(subscribed.data.result.map(({ uid, status }) => [uid, Object.values(status)]), [['bob', ['1']]]);
  await bob('publishPresence', { description: 'busy' });
  const { data: now } = await alice('getPresenceStatus', { usernames: ['bob'] });
  assert.equal(now.result[0].ext, 'busy');
  const list = async () => (await alice('getSubscribedPresencelist', { pageNum: 1, pageSize: 20 })).data.result;
  const { sublist, totalnum } = await list();
  assert.deepEqual([sublist[0].uid, totalnum], ['bob', '1']);
  await alice('unsubscribePresence', { usernames: ['bob'] });
  assert.deepEqual((await list()).sublist, []);
});

test('reactions and reports: each call resolves, and what was set is there', async () => {
  const id = await text('alice', 'bob', 'singleChat', 'lunch?');
  await bob('addReaction', { messageId: id, reaction: '👍' });
  const list = async () => (await alice('getReactionlist', { chatType: 'singleChat', messageId: [id] })).data;
  const one = { reaction: '👍', userCount: 1, userList: ['bob'], isAddedBySelf: false };
  assert.deepEqual(await list(), [{ msgId: id, reactionList: [one] }]);
  const { messages } = await bob('getHistoryMessages', { targetId: 'alice', chatType: 'singleChat', pageSize: 1 });
  assert.deepEqual(messages[0].reactions, [{ reaction: '👍', count: 1, userList: ['bob'], isAddedBySelf: true }]);
  const { data: detail } = await alice('getReactionDetail', { messageId: id, reaction: '👍', cursor: null, pageSize: 20 });
  assert.deepEqual(detail, { ...one, cursor: '' });
  await bob('deleteReaction', { messageId: id, reaction: '👍' });
  assert.deepEqual(await list(), [{ msgId: id, reactionList: [] }]);
  await bob('reportMessage', { messageId: id, reportType: 'adult', reportReason: 'r' });
});

test('push settings: each call resolves, and what was set is there', async () => {
  const ofBob = { conversationId: 'bob', type: 'singleChat' };
  await alice('setSilentModeForAll', { options: { paramType: 0, remindType: 'AT' } });
  await alice('setSilentModeForAll', { options: { paramType: 2, startTime: { hours: 21, minutes: 30 }, endTime: { hours: 8, minutes: 5 } } });
  assert.deepEqual((await alice('getSilentModeForAll')).data, { type: 'AT', ignoreInterval: '21:30-8:5' });
  await alice('setSilentModeForConversation', { ...ofBob, options: { paramType: 0, remindType: 'NONE' } });
  assert.deepEqual((await alice('getSilentModeForConversation', ofBob)).data, { type: 'NONE' });
  const several = { conversationList: [{ id: 'bob', type: 'singleChat' }, { id: '7', type: 'groupChat' }] };
  assert.deepEqual((await alice('getSilentModeForConversations', several)).data, { user: { bob: { type: 'NONE' } }, group: { 7: {} } });
  const listed = async () => (await alice('getSilentModeRemindTypeConversations', { pageSize: 10 })).data.conversations;
  assert.deepEqual(await listed(), [{ ...ofBob, remindType: 'NONE' }]);
  await alice('clearRemindTypeForConversation', ofBob);
  assert.deepEqual(await listed(), []);
  await alice('setPushPerformLanguage', { language: 'de' });
  assert.equal((await alice('getPushPerformLanguage')).data.language, 'de');
});

test('translation: each call resolves', async () => {
  const { data: languages } = await alice('getSupportedLanguages');
  assert.ok(languages.some(({ code }) => code === 'zh-Hans'));
  const { data: [{ translations }] } = await alice('translateMessage', { text: 'hi', languages: ['zh-Hans'] });
  assert.equal(translations[0].to, 'zh-Hans');
});

test('groups: each call resolves, and what was set is there', async () => {
  const before = (await alice('getJoinedGroupsCount')).data;
  const data = { groupname: 'g', desc: 'd', members: ['bob'], public: true, approval: true, allowinvites: true, maxusers: 200, inviteNeedConfirm: true };
  const { data: { groupid: groupId } } = await alice('createGroup', { data });
  const { data: next } = await alice('createGroupVNext', { groupName: 'v', description: 'd', members: ['bob'], isPublic: true, extension: 'x' });
  assert.equal((await alice('getGroupInfo', { groupId: next.groupId ?? next.groupid })).data[0].custom, 'x');
  const here = (more = {}) => ({ groupId, ...more });
  const of = (ask, name, more) => ask(name, here(more));

  const has = (groups) => groups.some((group) => (group.groupId ?? group.groupid) === groupId);
  assert.ok(has((await alice('getPublicGroups', { limit: 20 })).data));
  const page = { pageNum: 0, pageSize: 20 };
  assert.ok(has((await alice('getJoinedGroups', page)).data));
  assert.ok(has((await alice('getJoinedGroups', { ...page, needAffiliations: true, needRole: true })).entities));
  assert.notDeepEqual((await alice('getJoinedGroupsCount')).data, before);
  await of(alice, 'modifyGroup', { groupName: 'n', description: 'e', ext: 'more' });
  const { data: [info] } = await of(alice, 'getGroupInfo');
  assert.deepEqual([info.name, info.description, info.custom, info.owner], ['n', 'e', 'more', 'alice']);
  await of(alice, 'blockGroupMessages');

  await of(bob, 'acceptGroupInvite', { invitee: 'bob' });
  await of(alice, 'inviteUsersToGroup', { users: ['carl'] });
  await of(carl, 'acceptGroupInvite', { invitee: 'carl' });
  await of(alice, 'inviteUsersToGroup', { users: ['dora'] });
  await of(dora, 'rejectGroupInvite', { invitee: 'dora' });
  const inside = async () => {
    const { data: { members: rows } } = await of(alice, 'getGroupMembers', { cursor: '', limit: 20 });
    const listed = members((await of(alice, 'listGroupMembers', { pageNum: 1, pageSize: 20 })).data);
    assert.deepEqual(names(rows.map(({ userId }) => userId)), listed);
    return listed;
  };
  assert.deepEqual(await inside(), ['alice', 'bob', 'carl']);

  await of(alice, 'setGroupAdmin', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getGroupAdmin')).data, ['bob']);
  await of(alice, 'removeGroupAdmin', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getGroupAdmin')).data, []);

  await of(alice, 'muteGroupMember', { username: 'bob', muteDuration: 60_000 });
  assert.deepEqual((await of(alice, 'getGroupMutelist')).data.map(({ user }) => user), ['bob']);
  assert.equal((await of(bob, 'isInGroupMutelist')).data, true);
  await of(alice, 'unmuteGroupMember', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getGroupMutelist')).data, []);
  assert.equal((await of(bob, 'isInGroupMutelist')).data, false);

  await of(alice, 'addUsersToGroupAllowlist', { users: ['bob'] });
  assert.ok((await of(alice, 'getGroupAllowlist')).data.includes('bob'));
  assert.equal((await of(alice, 'isInGroupAllowlist', { userName: 'bob' })).data.white, true);
  await of(alice, 'removeGroupAllowlistMember', { userName: 'bob' });
  assert.equal((await of(alice, 'isInGroupAllowlist', { userName: 'bob' })).data.white, false);
  assert.equal((await of(alice, 'disableSendGroupMsg')).data.mute, true);
  assert.equal((await of(alice, 'enableSendGroupMsg')).data.mute, false);

  await of(alice, 'updateGroupAnnouncement', { announcement: 'a' });
  assert.equal((await of(bob, 'fetchGroupAnnouncement')).data.announcement, 'a');
  await shared('Group', here());
  await of(bob, 'setGroupMemberAttributes', { userId: 'bob', memberAttributes: { k: 'v' } });
  assert.deepEqual((await of(alice, 'getGroupMemberAttributes', { userId: 'bob' })).data, { k: 'v' });
  assert.deepEqual((await of(alice, 'getGroupMembersAttributes', { userIds: ['bob'], keys: ['k'] })).data, { bob: { k: 'v' } });

  const id = await text('alice', groupId, 'groupChat', 'read this', { msgConfig: { allowGroupAck: true } });
  assert.deepEqual((await of(alice, 'getGroupMsgReadUser', { msgId: id })).data.userlist, []);

  await of(alice, 'blockGroupMember', { username: 'carl' });
  assert.deepEqual((await of(alice, 'getGroupBlocklist')).data, ['carl']);
  assert.equal((await of(alice, 'unblockGroupMember', { username: 'carl' })).data.user, 'carl');
  await of(carl, 'joinGroup', { message: 'hi' }); // who is blocked is no member any more
  await of(alice, 'acceptGroupJoinRequest', { applicant: 'carl' });
  await of(alice, 'blockGroupMembers', { usernames: ['bob', 'carl'] });
  assert.deepEqual(names((await of(alice, 'getGroupBlocklist')).data), ['bob', 'carl']);
  assert.equal((await of(alice, 'unblockGroupMembers', { usernames: ['bob'] })).data[0].user, 'bob'); // a list, though of one
  await of(alice, 'unblockGroupMembers', { usernames: ['carl'] });
  assert.deepEqual((await of(alice, 'getGroupBlocklist')).data, []);

  await of(bob, 'joinGroup', { message: 'hi' });
  await of(alice, 'rejectGroupJoinRequest', { applicant: 'bob', reason: 'no' });
  for (const [name, ask] of [['bob', bob], ['carl', carl]]) {
    await of(ask, 'joinGroup', { message: 'hi' });
    await of(alice, 'acceptGroupJoinRequest', { applicant: name });
  }
  assert.deepEqual(await inside(), ['alice', 'bob', 'carl']);
  await of(alice, 'removeGroupMember', { username: 'carl' });
  await of(carl, 'joinGroup', { message: 'hi' });
  await of(alice, 'acceptGroupJoinRequest', { applicant: 'carl' });
  await of(alice, 'removeGroupMembers', { users: ['carl'] });
  await of(alice, 'changeGroupOwner', { newOwner: 'bob' });
  await of(alice, 'leaveGroup');
  assert.deepEqual(members((await of(bob, 'listGroupMembers', { pageNum: 1, pageSize: 20 })).data), ['bob']);
  await of(bob, 'destroyGroup');
  await assert.rejects(of(bob, 'getGroupInfo'));
});

test('chat rooms: each call resolves, and what was set is there', async () => {
  const made = await alice('createChatRoom', { name: 'r', description: 'd', maxusers: 200, members: ['bob'] });
  const chatRoomId = made.data.id;
  const of = (ask, name, more = {}) => ask(name, { chatRoomId, roomId: chatRoomId, ...more });
  const inside = async () => {
    const { data: { members: rows } } = await of(alice, 'getChatRoomMembers', { cursor: '', limit: 20 });
    const listed = members((await of(alice, 'listChatRoomMembers', { pageNum: 1, pageSize: 20 })).data);
    assert.deepEqual(names(rows.map(({ userId }) => userId)), listed);
    return listed;
  };

  const isHere = (rooms) => rooms.some((room) => room.id === chatRoomId);
  assert.ok(isHere((await alice('getChatRooms', { pagenum: 1, pagesize: 20 })).data));
  assert.ok(isHere((await bob('getJoinedChatRooms', { pageNum: 1, pageSize: 20 })).data));
  await of(alice, 'modifyChatRoom', { chatRoomName: 'n', description: 'e', maxusers: 100 });
  const { data: [details] } = await of(alice, 'getChatRoomDetails');
  assert.deepEqual([details.name, details.description, details.maxusers], ['n', 'e', 100]);

  await of(carl, 'joinChatRoom');
  assert.deepEqual(await inside(), ['alice', 'bob', 'carl']);
  await of(carl, 'leaveChatRoom');
  await of(alice, 'addUsersToChatRoom', { users: ['carl'] });
  await of(alice, 'removeChatRoomMember', { username: 'carl' });
  assert.deepEqual(await inside(), ['alice', 'bob']);
  await of(alice, 'addUsersToChatRoom', { users: ['carl'] });

  await of(alice, 'setChatRoomAdmin', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getChatRoomAdmin')).data, ['bob']);
  await of(alice, 'removeChatRoomAdmin', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getChatRoomAdmin')).data, []);
  await of(alice, 'muteChatRoomMember', { username: 'bob', muteDuration: 60_000 });
  assert.deepEqual((await of(alice, 'getChatRoomMutelist')).data.map(({ user }) => user), ['bob']);
  assert.equal((await of(bob, 'isInChatRoomMutelist')).data, true);
  await of(alice, 'unmuteChatRoomMember', { username: 'bob' });
  assert.deepEqual((await of(alice, 'getChatRoomMutelist')).data, []);

  await of(alice, 'addUsersToChatRoomAllowlist', { users: ['bob'] });
  assert.ok((await of(alice, 'getChatRoomAllowlist')).data.includes('bob'));
  assert.equal((await of(alice, 'isInChatRoomAllowlist', { userName: 'bob' })).data.white, true);
  await of(alice, 'removeChatRoomAllowlistMember', { userName: 'bob' });
  assert.equal((await of(alice, 'isInChatRoomAllowlist', { userName: 'bob' })).data.white, false);
  assert.equal((await of(alice, 'disableSendChatRoomMsg')).data.mute, true);
  assert.equal((await of(alice, 'enableSendChatRoomMsg')).data.mute, false);

  await of(alice, 'updateChatRoomAnnouncement', { announcement: 'a' });
  assert.equal((await of(bob, 'fetchChatRoomAnnouncement')).data.announcement, 'a');
  await shared('ChatRoom', { roomId: chatRoomId });

  await of(alice, 'setChatRoomAttributes', { attributes: { k: 'v', l: 'w' } });
  await of(alice, 'setChatRoomAttribute', { attributeKey: 'm', attributeValue: 'x', isForced: true });
  assert.deepEqual((await of(bob, 'getChatRoomAttributes')).data, { k: 'v', l: 'w', m: 'x' });
  await of(alice, 'removeChatRoomAttributes', { attributeKeys: ['k'] });
  await of(alice, 'removeChatRoomAttribute', { attributeKey: 'm', isForced: true });
  assert.deepEqual((await of(bob, 'getChatRoomAttributes', { attributeKeys: ['k', 'l', 'm'] })).data, { l: 'w' });

  await of(alice, 'blockChatRoomMember', { username: 'carl' });
  assert.deepEqual((await of(alice, 'getChatRoomBlocklist')).data, ['carl']);
  assert.equal((await of(alice, 'unblockChatRoomMember', { username: 'carl' })).data.user, 'carl');
  await of(alice, 'addUsersToChatRoom', { users: ['carl'] });
  await of(alice, 'blockChatRoomMembers', { usernames: ['bob', 'carl'] });
  assert.deepEqual(names((await of(alice, 'getChatRoomBlocklist')).data), ['bob', 'carl']);
  assert.equal((await of(alice, 'unblockChatRoomMembers', { usernames: ['bob'] })).data[0].user, 'bob'); // a list, though of one
  await of(alice, 'unblockChatRoomMembers', { usernames: ['carl'] });
  await of(alice, 'addUsersToChatRoom', { users: ['bob', 'carl'] });
  await of(alice, 'removeChatRoomMembers', { users: ['bob', 'carl'] });
  assert.deepEqual(await inside(), ['alice']);
  await of(alice, 'destroyChatRoom');
  await assert.rejects(of(alice, 'getChatRoomDetails'));
});

/** The shared files of a group or room: what one puts there another sees, and gets where 4.x has a call for it. */
async function shared(kind, where) {
  const list = async () => (await bob(`get${kind}SharedFilelist`, { ...where, pageNum: 1, pageSize: 10 })).data;
  await by('alice', 'upload')(`upload${kind}SharedFile`, { ...where });
  const [file, ...more] = await list();
  assert.deepEqual([file.file_name, file.file_owner, more], ['notes.txt', 'alice', []]);
  if (kind === 'Group') {
    const got = await by('bob', 'download')('downloadGroupSharedFile', { ...where, fileId: file.file_id });
    assert.notEqual(got.type, 'application/json');
  }
  await alice(`delete${kind}SharedFile`, { ...where, fileId: file.file_id });
  assert.deepEqual(await list(), []);
}

test('conversations: pins, marks, history and pinned messages are as they were set', async () => {
  // Of users of their own, so that what the other stories wrote is not in the lists.
  const [erin, frank] = await Promise.all(['erin', 'frank'].map((name) => newcomer(name)));
  const ids = [];
  for (const msg of ['one', 'two', 'three']) ids.push(await text('erin', 'frank', 'singleChat', msg));
  const target = { conversationId: 'frank', conversationType: 'singleChat' };

  const history = async (options) =>
    (await erin('getHistoryMessages', { targetId: 'frank', chatType: 'singleChat', ...options })).messages.map(({ msg }) => msg);
  assert.deepEqual(await history({ pageSize: 2 }), ['three', 'two']);
  assert.deepEqual(await history({ searchDirection: 'down' }), ['one', 'two', 'three']);
  const fetched = await erin('fetchHistoryMessages', { queue: 'frank', count: 2 });
  assert.equal(fetched.length, 2);

  const sessions = (await erin('getSessionList')).data.channel_infos;
  assert.deepEqual(sessions.map(({ meta }) => JSON.parse(meta.payload).bodies[0].msg), ['three']);
  const parsed = (await erin('getConversationlist')).data.channel_infos;
  assert.deepEqual(parsed.map(({ lastMessage }) => lastMessage.msg), ['three']);
  const pinned = async () => (await erin('getServerPinnedConversations', {})).data.conversations.map(({ conversationId }) => conversationId);
  assert.equal((await erin('pinConversation', { ...target, isPinned: true })).data.isPinned, true);
  assert.deepEqual(await pinned(), ['frank']);
  await erin('pinConversation', { ...target, isPinned: false });
  assert.deepEqual(await pinned(), []);

  const marked = async () =>
    (await erin('getServerConversationsByFilter', { pageSize: 10, cursor: '', filter: { mark: 5 } })).data.conversations.length;
  await erin('addConversationMark', { conversations: [target], mark: 5 });
  assert.equal(await marked(), 1);
  await erin('removeConversationMark', { conversations: [target], mark: 5 });
  assert.equal(await marked(), 0);

  const pins = async () => (await frank('getServerPinnedMessages', { conversationId: 'erin', conversationType: 'singleChat' })).data.list;
  await erin('pinMessage', { ...target, messageId: ids[0] });
  assert.deepEqual((await pins()).map(({ message, operatorId }) => [message.msg, operatorId]), [['one', 'erin']]);
  await erin('unpinMessage', { ...target, messageId: ids[0] });
  assert.deepEqual(await pins(), []);

  await erin('removeHistoryMessages', { targetId: 'frank', chatType: 'singleChat', messageIds: [ids[1]] });
  assert.deepEqual(await history({}), ['three', 'one']);
  const listed = async () => (await erin('getServerConversations', {})).data.conversations.map(({ conversationId }) => conversationId);
  await erin('deleteConversation', { channel: 'frank', chatType: 'singleChat', deleteRoam: false });
  assert.deepEqual([await listed(), await history({})], [[], ['three', 'one']]);
  await text('frank', 'erin', 'singleChat', 'four');
  assert.deepEqual(await listed(), ['frank']);
  await erin('deleteSession', { channel: 'frank', chatType: 'singleChat', deleteRoam: true });
  assert.deepEqual(await history({}), []);
  await text('frank', 'erin', 'singleChat', 'five');
  await erin('deleteAllMessagesAndConversations');
  assert.deepEqual([await listed(), await history({})], [[], []]);
});

/** Somebody who comes in just now. */
async function newcomer(username) {
  const sdk = loadSdk('easemob-websdk-4.21.1');
  const settings = { rest: server.rest, sockjs: `${server.rest}/ws`, websocket: `${server.rest.replace('http', 'ws')}/websocket` };
  people[username] = new Person(sdk, PAGE, { ...settings, username, device: username });
  await people[username].open();
  return by(username);
}

test('threads: each call resolves, and what was set is there', async () => {
  const { data: { groupId: parentId } } = await alice('createGroupVNext', {
    groupName: 'threads', members: ['bob', 'carl'], isPublic: false, needApprovalToJoin: true, inviteNeedConfirm: false,
  });
  const messageId = await text('alice', parentId, 'groupChat', 'what about lunch?');
  const { data: { chatThreadId } } = await alice('createChatThread', { parentId, messageId, name: 't' });
  const where = { chatThreadId };
  const { data: { detail } } = await bob('joinChatThread', where);
  assert.deepEqual([detail.parentId, detail.messageId], [parentId, messageId]);
  await carl('joinChatThread', where);
  await alice('changeChatThreadName', { ...where, name: 'n' });
  const members = async () => (await alice('getChatThreadMembers', { ...where, pageSize: 20, cursor: '' })).data.affiliations;
  assert.deepEqual(await members(), ['alice', 'bob', 'carl']);
  await alice('removeChatThreadMember', { ...where, username: 'carl' });
  await bob('leaveChatThread', where);
  assert.deepEqual(await members(), ['alice']);
  const { data: shown } = await bob('getChatThreadDetail', where);
  assert.deepEqual([shown.name, shown.owner, shown.affiliationsCount], ['n', 'alice', 1]);
  assert.deepEqual((await bob('getJoinedChatThreads', { parentId, pageSize: 20 })).entities, []);
  assert.deepEqual((await alice('getJoinedChatThreads', { pageSize: 20 })).entities.map(({ id }) => id), [chatThreadId]);
  assert.deepEqual((await bob('getChatThreads', { parentId, pageSize: 20 })).entities.map(({ name }) => name), ['n']);
  await people.alice.call('send', '', { type: 'txt', to: chatThreadId, chatType: 'groupChat', msg: 'soup', isChatThread: true });
  const { entities: [last] } = await bob('getChatThreadLastMessage', { chatThreadIds: [chatThreadId] });
  assert.deepEqual([last.chatThreadId, last.lastMessage.msg], [chatThreadId, 'soup']);
  await alice('destroyChatThread', where);
  assert.deepEqual((await bob('getChatThreads', { parentId, pageSize: 20 })).entities, []);
});

/** The calls of 4.21.1 that ask over HTTP. What a login, a message or an attachment asks, the scenarios show. */
const CALLS = `
  registerUser getHistoryMessages fetchHistoryMessages getSessionList getConversationlist getServerConversations
  getServerPinnedConversations pinConversation deleteSession deleteConversation addConversationMark removeConversationMark
  getServerConversationsByFilter deleteAllMessagesAndConversations removeHistoryMessages pinMessage unpinMessage
  getServerPinnedMessages getSelfIdsOnOtherPlatform getTokenExpireTimestamp updateUserInfo updateOwnUserInfo
  fetchUserInfoById updateCurrentUserNick getBlocklist getBlacklist getRoster getContacts getAllContacts
  getContactsWithCursor setContactRemark addContact deleteContact acceptContactInvite declineContactInvite
  addUsersToBlocklist addToBlackList removeUserFromBlocklist addReaction deleteReaction getReactionlist getReactionDetail
  reportMessage createGroup createGroupVNext blockGroupMessages getPublicGroups getJoinedGroups changeGroupOwner
  getGroupInfo modifyGroup listGroupMembers getGroupMembers getGroupAdmin setGroupAdmin removeGroupAdmin leaveGroup
  inviteUsersToGroup joinGroup acceptGroupJoinRequest rejectGroupJoinRequest acceptGroupInvite rejectGroupInvite
  removeGroupMember removeGroupMembers muteGroupMember unmuteGroupMember getGroupMutelist blockGroupMember
  blockGroupMembers unblockGroupMember unblockGroupMembers getGroupBlocklist disableSendGroupMsg enableSendGroupMsg
  addUsersToGroupAllowlist removeGroupAllowlistMember getGroupAllowlist isInGroupAllowlist isInGroupMutelist
  getGroupMsgReadUser fetchGroupAnnouncement updateGroupAnnouncement uploadGroupSharedFile deleteGroupSharedFile
  getGroupSharedFilelist downloadGroupSharedFile setGroupMemberAttributes getGroupMemberAttributes
  getGroupMembersAttributes getChatRooms createChatRoom getChatRoomDetails modifyChatRoom removeChatRoomMember
  removeChatRoomMembers addUsersToChatRoom listChatRoomMembers getChatRoomMembers getChatRoomAdmin setChatRoomAdmin
  removeChatRoomAdmin muteChatRoomMember unmuteChatRoomMember getChatRoomMutelist blockChatRoomMember
  blockChatRoomMembers unblockChatRoomMember unblockChatRoomMembers getChatRoomBlocklist disableSendChatRoomMsg
  enableSendChatRoomMsg addUsersToChatRoomAllowlist removeChatRoomAllowlistMember getChatRoomAllowlist
  isInChatRoomAllowlist isInChatRoomMutelist fetchChatRoomAnnouncement updateChatRoomAnnouncement
  uploadChatRoomSharedFile deleteChatRoomSharedFile getChatRoomSharedFilelist getChatRoomAttributes
  setChatRoomAttributes setChatRoomAttribute removeChatRoomAttributes removeChatRoomAttribute getJoinedChatRooms
  publishPresence subscribePresence unsubscribePresence getSubscribedPresencelist getPresenceStatus setSilentModeForAll
  getSilentModeForAll setSilentModeForConversation clearRemindTypeForConversation getSilentModeForConversation
  getSilentModeForConversations setPushPerformLanguage getPushPerformLanguage getSilentModeRemindTypeConversations
  uploadToken uploadPushToken createChatThread joinChatThread leaveChatThread changeChatThreadName getChatThreadMembers
  removeChatThreadMember getJoinedChatThreads getChatThreads getChatThreadLastMessage getChatThreadDetail
  destroyChatThread
  getSupportedLanguages translateMessage getRTCToken getUserIdByRTCUIds
`;

// Behind all others, which each add to what was made.
test('no call is left out', () => {
  assert.deepEqual(CALLS.trim().split(/\s+/).filter((call) => !made.has(call)), []);
});
