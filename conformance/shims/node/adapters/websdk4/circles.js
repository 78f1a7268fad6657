//! Contacts and the block list, which are asked for and changed over HTTP, and the names of the calls for groups and
//! rooms.

'use strict';

(kit) => {
  const { call, shown, shownError } = kit;

  kit.CIRCLE_CALLS = {
    group: {
      create: 'createGroup', join: 'joinGroup', leave: 'leaveGroup', dissolve: 'destroyGroup', changeOwner: 'changeGroupOwner',
      invite: 'inviteUsersToGroup', remove: 'removeGroupMembers', acceptInvite: 'acceptGroupInvite',
      declineInvite: 'rejectGroupInvite', acceptApplicant: 'acceptGroupJoinRequest', declineApplicant: 'rejectGroupJoinRequest',
      id: 'groupId', mute: 'muteGroupMember', unmute: 'unmuteGroupMember', ban: 'disableSendGroupMsg',
      unban: 'enableSendGroupMsg', allow: 'addUsersToGroupAllowlist', disallow: 'removeGroupAllowlistMember',
      setAdmin: 'setGroupAdmin', removeAdmin: 'removeGroupAdmin', announce: 'updateGroupAnnouncement', announceId: 'groupId',
    },
    room: {
      create: 'createChatRoom', join: 'joinChatRoom', leave: 'leaveChatRoom', remove: 'removeChatRoomMembers',
      id: 'chatRoomId', mute: 'muteChatRoomMember', unmute: 'unmuteChatRoomMember', ban: 'disableSendChatRoomMsg',
      unban: 'enableSendChatRoomMsg', allow: 'addUsersToChatRoomAllowlist', disallow: 'removeChatRoomAllowlistMember',
      setAdmin: 'setChatRoomAdmin', removeAdmin: 'removeChatRoomAdmin', announce: 'updateChatRoomAnnouncement',
      announceId: 'roomId',
    },
  };

  /** Makes a call without a handle: a refusal is `error`. */
  kit.requester = ({ conn, tell }) => (name, options, done = () => {}) =>
    void call(conn, 'conn', name, options)?.then(done, (failure) => tell('error', shownError(failure)));

  kit.contactCommands = ({ tell, conn }, request) => {
    const tellBlocked = ({ data }) => tell('blacklist_update', { users: shown(data) });
    /** 3.x shows the list after each change; an app of 4.x asks for it. */
    const changed = () => request('getBlocklist', undefined, tellBlocked);
    const act = (name, ...values) =>
      void call(conn, 'conn', name, ...values)?.then(undefined, (failure) => tell('error', shownError(failure)));
    return {
      list_contacts: () => request('getContacts', undefined, ({ data }) => tell('roster', { users: shown(data) })),
      add_contact: ({ user, reason }) => act('addContact', user, reason),
      accept_contact: ({ user }) => act('acceptContactInvite', user),
      decline_contact: ({ user }) => act('declineContactInvite', user),
      remove_contact: ({ user }) => act('deleteContact', user),
      list_blocked: () => request('getBlocklist', undefined, tellBlocked),
      block: ({ users }) => request('addUsersToBlocklist', { name: users }, changed),
      unblock: ({ users }) => request('removeUserFromBlocklist', { name: users }, changed),
    };
  };
};
