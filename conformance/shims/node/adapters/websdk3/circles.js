//! Contacts, the block list, groups and rooms.

'use strict';

(kit) => {
  const { call, shown, shownError } = kit;

  /** Members that a room or group made here may have: the vendor's default for a group. */
  const MEMBERS_MAX = 200;

  /** The SDK's calls for a group and for a room, and what they call the id. */
  const OF_GROUP = {
    id: 'groupId', mute: 'mute', unmute: 'removeMute', ban: 'disableSendGroupMsg', unban: 'enableSendGroupMsg',
    allow: 'addUsersToGroupWhitelist', disallow: 'rmUsersFromGroupWhitelist', setAdmin: 'setAdmin',
    removeAdmin: 'removeAdmin', announce: 'updateGroupAnnouncement', announceId: 'groupId',
  };
  const OF_ROOM = {
    id: 'chatRoomId', mute: 'muteChatRoomMember', unmute: 'removeMuteChatRoomMember', ban: 'disableSendChatRoomMsg',
    unban: 'enableSendChatRoomMsg', allow: 'addUsersToChatRoomWhitelist', disallow: 'rmUsersFromChatRoomWhitelist',
    setAdmin: 'setChatRoomAdmin', removeAdmin: 'removeChatRoomAdmin', announce: 'updateChatRoomAnnouncement',
    announceId: 'roomId',
  };

  kit.circleCommands = ({ conn, settings, tell }) => {
    const request = requester(conn, tell);
    return { ...contactCommands(conn, request), ...groupCommands(request, settings), ...roomCommands(request, tell), ...staffCommands(request) };
  };

  /**
   * A REST call's failure reaches the app by the promise and, the same again, by an `error` option; 3.0.6 has the
   * options only, 3.6.3's promise is enough.
   */
  function requester(conn, tell) {
    return (name, options, done = () => {}) => {
      let settled = false;
      const once = (act) => (value) => {
        if (settled) return;
        settled = true;
        act(value);
      };
      const success = once(done);
      const error = once((failure) => tell('error', shownError(failure)));
      call(conn, 'conn', name, { ...options, success, error })?.then(success, error);
    };
  }

  function contactCommands(conn, request) {
    return {
      list_contacts: () => request('getRoster', {}),
      add_contact: ({ user, reason }) => void call(conn, 'conn', 'subscribe', { to: user, message: reason }),
      accept_contact: ({ user }) => void call(conn, 'conn', 'subscribed', { to: user }),
      decline_contact: ({ user }) => void call(conn, 'conn', 'unsubscribed', { to: user }),
      remove_contact: ({ user }) => void call(conn, 'conn', 'removeRoster', { to: user }),
      list_blocked: () => request('getBlacklist', {}),
      block: ({ users }) => void call(conn, 'conn', 'addToBlackList', { name: users }),
      unblock: ({ users }) => void call(conn, 'conn', 'removeFromBlackList', { name: users }),
    };
  }

  function groupCommands(request, { username }) {
    return {
      create_group: ({ name, members, public: isPublic = true, approval = false, confirm_invites = false }) =>
        request('createGroupNew', {
          data: {
            groupname: name,
            desc: name,
            members,
            public: isPublic,
            approval,
            allowinvites: true,
            inviteNeedConfirm: confirm_invites,
            maxusers: MEMBERS_MAX,
          },
        }),
      join_group: ({ group }) => request('joinGroup', { groupId: group, message: '' }),
      leave_group: ({ group }) => request('quitGroup', { groupId: group }),
      dissolve_group: ({ group }) => request('dissolveGroup', { groupId: group }),
      change_owner: ({ group, user }) => request('changeOwner', { groupId: group, newOwner: user }),
      invite_to_group: ({ group, users }) => request('inviteToGroup', { groupId: group, users }),
      remove_from_group: ({ group, users }) => request('removeMultiGroupMember', { groupId: group, users }),
      accept_invite: ({ group }) => request('agreeInviteIntoGroup', { groupId: group, invitee: username }),
      decline_invite: ({ group }) => request('rejectInviteIntoGroup', { groupId: group, invitee: username }),
      accept_applicant: ({ group, user }) => request('agreeJoinGroup', { groupId: group, applicant: user }),
      decline_applicant: ({ group, user }) => request('rejectJoinGroup', { groupId: group, applicant: user, reason: '' }),
    };
  }

  function roomCommands(request, tell) {
    const made = (body) => tell('create_room', { room: shown(body?.data?.id) });
    return {
      create_room: ({ name, members }) =>
        request('createChatRoom', { name, description: name, maxusers: MEMBERS_MAX, members }, made),
      join_room: ({ room }) => request('joinChatRoom', { roomId: room, message: '' }),
      leave_room: ({ room }) => request('quitChatRoom', { roomId: room }),
      remove_from_room: ({ room, users }) => request('removeMultiChatRoomMember', { chatRoomId: room, users }),
    };
  }

  /** What owners and administrators do; where the SDK's call takes one user, one call for each. */
  function staffCommands(request) {
    const calls = (chat) => {
      if (chat === 'group') return OF_GROUP;
      if (chat === 'room') return OF_ROOM;
      throw new Error(`chat must be group or room, not ${chat}`);
    };
    const each = (users, act) => void users.forEach(act);
    return {
      mute: ({ chat, id, users, ms }) =>
        each(users, (username) => request(calls(chat).mute, { [calls(chat).id]: id, username, muteDuration: ms })),
      unmute: ({ chat, id, users }) =>
        each(users, (username) => request(calls(chat).unmute, { [calls(chat).id]: id, username })),
      ban_all: ({ chat, id }) => request(calls(chat).ban, { [calls(chat).id]: id }),
      unban_all: ({ chat, id }) => request(calls(chat).unban, { [calls(chat).id]: id }),
      allow: ({ chat, id, users }) => request(calls(chat).allow, { [calls(chat).id]: id, users }),
      disallow: ({ chat, id, users }) =>
        each(users, (userName) => request(calls(chat).disallow, { [calls(chat).id]: id, userName })),
      set_admin: ({ chat, id, user }) => request(calls(chat).setAdmin, { [calls(chat).id]: id, username: user }),
      remove_admin: ({ chat, id, user }) => request(calls(chat).removeAdmin, { [calls(chat).id]: id, username: user }),
      announce: ({ chat, id, text }) => request(calls(chat).announce, { [calls(chat).announceId]: id, announcement: text }),
    };
  }
};
