//! What 4.x has over 3.x for groups and rooms: lists of one's own, entering a room and seeing what it is like, what is
//! written on rooms and on members of groups, and texts for some of those there, or in a thread.

'use strict';

(kit) => {
  const { shown } = kit;

  /** More than any scenario has; the SDK wants a number. */
  const PAGE_MAX = 500;

  kit.roomsCommands = ({ ask, tell }) => ({
    list_groups: ({ handle }) =>
      // 4.x counts these pages from 0, and those of rooms from 1.
      ask(handle, 'getJoinedGroups', { pageNum: 0, pageSize: PAGE_MAX }, ({ data }) =>
        tell('groups', { handle, ids: data.map((one) => shown(one.groupid)), names: data.map((one) => shown(one.groupname)) })),
    list_rooms: ({ handle }) =>
      ask(handle, 'getJoinedChatRooms', { pageNum: 1, pageSize: PAGE_MAX }, ({ data }) =>
        tell('rooms', { handle, ids: data.map((one) => shown(one.id)), names: data.map((one) => shown(one.name)) })),
    enter_room: ({ handle, room, ext, leave_others }) => {
      const options = { roomId: room };
      if (ext !== undefined) options.ext = ext;
      if (leave_others !== undefined) options.leaveOtherRooms = leave_others;
      ask(handle, 'joinChatRoom', options, ({ data }) => tell('entered', { handle, room: shown(data.id), ...shownInfo(data.info) }));
    },
    set_room_attributes: ({ handle, room, attributes, auto_delete, forced }) => {
      const options = { chatRoomId: room, attributes };
      if (auto_delete !== undefined) options.autoDelete = auto_delete;
      if (forced !== undefined) options.isForced = forced;
      ask(handle, 'setChatRoomAttributes', options, ({ data }) => tell('attributes_set', shownOutcome(handle, data)));
    },
    remove_room_attributes: ({ handle, room, keys, forced }) => {
      const options = { chatRoomId: room, attributeKeys: keys };
      if (forced !== undefined) options.isForced = forced;
      ask(handle, 'removeChatRoomAttributes', options, ({ data }) => tell('attributes_set', shownOutcome(handle, data)));
    },
    get_room_attributes: ({ handle, room, keys }) => {
      const options = { chatRoomId: room };
      if (keys !== undefined) options.attributeKeys = keys;
      ask(handle, 'getChatRoomAttributes', options, ({ data }) => tell('attributes', { handle, attributes: shown(data) }));
    },
    set_member_attributes: ({ handle, group, user, attributes }) =>
      ask(handle, 'setGroupMemberAttributes', { groupId: group, userId: user, memberAttributes: attributes }, () =>
        tell('done', { handle })),
    get_member_attributes: ({ handle, group, users, keys }) => {
      const options = { groupId: group, userIds: users };
      if (keys !== undefined) options.keys = keys;
      ask(handle, 'getGroupMembersAttributes', options, ({ data }) => tell('member_attributes', { handle, attributes: shown(data) }));
    },
  });

  kit.roomsListeners = ({ tell }) => {
    const roomChanged = (event, chat, attributes, removed) =>
      tell('attributes_changed', {
        chat, id: shown(event.id), from: shown(event.from), user: null, attributes: shown(attributes), removed: shown(removed),
      });
    const memberChanged = (event) =>
      tell('attributes_changed', {
        chat: 'group', id: shown(event.id), from: shown(event.from), user: shown(event.userId),
        attributes: shown(event.attributes), removed: [],
      });
    return {
      onMultiDeviceEvent: ({ operation, id, from, userId, attributes }) => {
        if (operation !== 'memberAttributesUpdate') return;
        tell('device', {
          operation, id: shown(id), chat: 'group', from: shown(from), detail: { user: shown(userId), attributes: shown(attributes) },
        });
      },
      circleOperations: {
        updateChatRoomAttributes: (event, chat) => roomChanged(event, chat, event.attributes, []),
        removeChatRoomAttributes: (event, chat) => roomChanged(event, chat, {}, event.attributes),
        memberAttributesUpdate: memberChanged,
      },
    };
  };

  /** Who gets a text, where, and what its receiver is shown of that. */
  kit.textOptions = ({ only_for: receiverList, priority, online_only: deliverOnlineOnly, thread: isChatThread }) =>
    Object.fromEntries(
      Object.entries({ receiverList, priority, deliverOnlineOnly, isChatThread }).filter(([, value]) => value !== undefined),
    );
  kit.textShown = ({ onlineState, chatThread, priority, to }) => {
    const besides = { online: shown(onlineState) };
    if (chatThread?.messageId) besides.thread = shown(to);
    if (priority !== undefined) besides.priority = shown(priority);
    return besides;
  };

  function shownInfo({ isAllMembersMuted, createTimestamp, isInAllowlist, memberCount, muteExpireTimestamp }) {
    return {
      members: shown(memberCount), all_muted: shown(isAllMembersMuted), allowed: shown(isInAllowlist),
      mute_ms: shown(muteExpireTimestamp), created: kit.shownTime(createTimestamp),
    };
  }

  function shownOutcome(handle, { successKeys, errorKeys }) {
    return { handle, keys: shown(successKeys), failed: shown(errorKeys) };
  }
};
