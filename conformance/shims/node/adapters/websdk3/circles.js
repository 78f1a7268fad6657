//! Contacts and the block list, and the names of the calls for groups and rooms.

'use strict';

(kit) => {
  const { call, shown, shownError } = kit;

  kit.CIRCLE_CALLS = {
    group: {
      create: 'createGroupNew', join: 'joinGroup', leave: 'quitGroup', dissolve: 'dissolveGroup', changeOwner: 'changeOwner',
      invite: 'inviteToGroup', remove: 'removeMultiGroupMember', acceptInvite: 'agreeInviteIntoGroup',
      declineInvite: 'rejectInviteIntoGroup', acceptApplicant: 'agreeJoinGroup', declineApplicant: 'rejectJoinGroup',
      id: 'groupId', mute: 'mute', unmute: 'removeMute', ban: 'disableSendGroupMsg', unban: 'enableSendGroupMsg',
      allow: 'addUsersToGroupWhitelist', disallow: 'rmUsersFromGroupWhitelist', setAdmin: 'setAdmin',
      removeAdmin: 'removeAdmin', announce: 'updateGroupAnnouncement', announceId: 'groupId',
    },
    room: {
      create: 'createChatRoom', join: 'joinChatRoom', leave: 'quitChatRoom', remove: 'removeMultiChatRoomMember',
      id: 'chatRoomId', mute: 'muteChatRoomMember', unmute: 'removeMuteChatRoomMember', ban: 'disableSendChatRoomMsg',
      unban: 'enableSendChatRoomMsg', allow: 'addUsersToChatRoomWhitelist', disallow: 'rmUsersFromChatRoomWhitelist',
      setAdmin: 'setChatRoomAdmin', removeAdmin: 'removeChatRoomAdmin', announce: 'updateChatRoomAnnouncement',
      announceId: 'roomId',
    },
  };

  /**
   * A REST call's failure reaches the app by the promise and, the same again, by an `error` option; 3.0.6 has the
   * options only, 3.6.3's promise is enough.
   */
  kit.requester = ({ conn, tell }) => {
    return (name, options, done = () => {}, refused = (failure) => tell('error', shownError(failure))) => {
      let settled = false;
      const once = (act) => (value) => {
        if (settled) return;
        settled = true;
        act(value);
      };
      const success = once(done);
      const error = once(refused);
      call(conn, 'conn', name, { ...options, success, error })?.then(success, error);
    };
  };

  kit.contactCommands = ({ conn }, request) => {
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
  };

  /** The groups that the user is in; for rooms 3.x has no such call. */
  kit.joinedCommands = ({ tell }, request) => ({
    list_groups: ({ handle }) =>
      request(
        'getGroup',
        {},
        ({ data }) =>
          tell('groups', { handle, ids: data.map((one) => shown(one.groupid)), names: data.map((one) => shown(one.groupname)) }),
        (failure) => tell('call_failed', { handle, type: shown(failure?.type), message: shown(failure?.message) }),
      ),
  });
};
