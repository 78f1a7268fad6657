//! The SDK's event handlers as the harness's events: each as it fires, with what it shows. Groups, rooms and contacts
//! are told in the words of DRIVER.md, by one table.

'use strict';

(kit) => {
  const { shown, shownError, CONTENT_SHOWN } = kit;

  /** The chat types of received messages, in DRIVER.md's words. */
  const CHAT_SHOWN = { singleChat: 'single', groupChat: 'group', chatRoom: 'room' };
  kit.CHAT_SHOWN = CHAT_SHOWN;

  /** Operations on groups and rooms, as `presence` has them; a pair where the two have different words. */
  const PRESENCE_OF_OPERATION = {
    destroy: 'deleteGroupChat',
    requestToJoin: 'joinGroupNotifications',
    acceptRequest: 'joinPublicGroupSuccess',
    joinPublicGroupDeclined: 'joinPublicGroupDeclined',
    inviteToJoin: 'invite',
    acceptInvite: 'invite_accept',
    rejectInvite: 'invite_decline',
    removeMember: 'removedFromGroup',
    unblockMember: 'allow',
    updateInfo: 'update',
    memberPresence: ['memberJoinPublicGroupSuccess', 'memberJoinChatRoomSuccess'],
    memberAbsence: ['leaveGroup', 'leaveChatRoom'],
    directJoined: 'direct_joined',
    changeOwner: 'changeOwner',
    setAdmin: 'addAdmin',
    removeAdmin: 'removeAdmin',
    muteMember: 'addMute',
    unmuteMember: 'removeMute',
    updateAnnouncement: 'updateAnnouncement',
    deleteAnnouncement: 'deleteAnnouncement',
    uploadFile: 'uploadFile',
    deleteFile: 'deleteFile',
    addUserToAllowlist: ['addUserToGroupWhiteList', 'addUserToChatRoomWhiteList'],
    removeAllowlistMember: ['rmUserFromGroupWhiteList', 'rmUserFromChatRoomWhiteList'],
    muteAllMembers: ['muteGroup', 'muteChatRoom'],
    unmuteAllMembers: ['rmGroupMute', 'rmChatRoomMute'],
  };

  /**
   * Listens. `kit.textShown`, where a topic has it, gives what 4.x shows of a text besides. A topic's `kit.<topic>Listeners(device)` gives handlers for other events; one that handles operations of
   * groups and rooms with an event of its own says so by `circleOperations`, a table by operation.
   * @param {object} device
   * @param {string[]} topics
   */
  kit.listen = (device, topics) => {
    const { conn, tell, messages, fail } = device;
    const message = (name, own = CONTENT_SHOWN[name]) => (m) =>
      tell(name, { ...kit.shownMessage(m, CHAT_SHOWN[m.chatType] ?? m.chatType), ...own(m) });
    const pictureNames = new Map();
    const named = (m) => {
      const filename = pictureNames.get(m.id);
      pictureNames.delete(m.id);
      return { ...m, filename };
    };
    const ofTopics = topics.map((topic) => kit[`${topic}Listeners`]?.(device) ?? {});
    const operations = Object.assign({}, ...ofTopics.map(({ circleOperations }) => circleOperations));
    const circle = (chat) => (event) => {
      if (Object.hasOwn(operations, event.operation)) return operations[event.operation](event, chat);
      tell('presence', shownPresence(event, chat));
    };
    conn.addEventHandler('conformance', {
      onConnected: () => tell('opened', {}),
      onDisconnected: () => tell('closed', {}),
      onOnline: () => tell('online', {}),
      onOffline: () => tell('offline', {}),
      onError: fail,
      onReceivedMessage: ({ id, mid }) => {
        const message = messages.get(String(id));
        // What the SDK sends by itself, such as a delivery receipt, is none of the harness's messages.
        message?.told.then(() => tell('received', { handle: message.handle, id: shown(mid) }));
      },
      onTextMessage: message('text', (m) => ({ data: shown(m.msg), ...kit.textShown?.(m) })),
      onCmdMessage: message('cmd'),
      onCustomMessage: message('custom'),
      onLocationMessage: message('location'),
      onImageMessage: (m) => message('picture')(named(m)),
      onFileMessage: message('file'),
      onAudioMessage: message('audio'),
      onVideoMessage: message('video'),
      onRecallMessage: (m) => tell('recall', { mid: shown(m.mid), from: shown(m.from), to: shown(m.to) }),
      onDeliveredMessage: (m) => tell('delivered', { mid: shown(m.mid) }),
      onReadMessage: (m) => tell('read', kit.shownRead(m)),
      onChannelMessage: (m) => tell('channel', { from: shown(m.from), to: shown(m.to) }),
      onStatisticMessage: (m) => tell('statistic', { group_ack: kit.shownGroupAcks(m) }),
      onGroupEvent: circle('group'),
      onChatroomEvent: circle('room'),
      ...contactHandlers(tell),
    });
    ofTopics.forEach(({ circleOperations: _, ...handlers }, at) => conn.addEventHandler(topics[at], handlers));
    // A lost link and a picture's name are shown there only; what both show is one failure.
    conn.listen({ onError: fail, onPictureMessage: ({ id, filename }) => pictureNames.set(id, filename) });
  };

  /**
   * The `error` event. The SDK shows one failure by up to three ways (a rejected promise of `open`, the handler's
   * `onError`, that of `listen`), the same object each time: it is told once.
   */
  kit.failures = (tell) => {
    const told = new WeakSet();
    return (failure) => {
      if (typeof failure === 'object' && failure !== null) {
        if (told.has(failure)) return;
        told.add(failure);
      }
      tell('error', shownError(failure));
    };
  };

  function contactHandlers(tell) {
    const presence = ({ type, from, to, status }) => {
      const event = { type: shown(type), from: shown(from), to: shown(to) };
      if (typeof status === 'string') event.status = status;
      tell('presence', event);
    };
    const names = ['onContactInvited', 'onContactAgreed', 'onContactRefuse', 'onContactAdded', 'onContactDeleted'];
    return Object.fromEntries(names.map((name) => [name, presence]));
  }

  function shownPresence({ operation, id, from, reason }, chat) {
    const words = PRESENCE_OF_OPERATION[operation];
    const type = Array.isArray(words) ? words[chat === 'group' ? 0 : 1] : words ?? shown(operation);
    const event = { type, from: shown(from), [chat]: shown(id) };
    if (typeof reason === 'string') event.status = reason;
    return event;
  }
};
