//! The SDK's callbacks as the harness's events: each as it fires, with what it shows.

'use strict';

(kit) => {
  const { shown, shownError, CONTENT_SHOWN } = kit;

  /** The chat types of received messages, in DRIVER.md's words. */
  const CHAT_SHOWN = { chat: 'single', groupchat: 'group', chatroom: 'room' };

  /** Callbacks for which DRIVER.md has no event. Contact callbacks are not among them: onPresence repeats each. */
  const WITHOUT_EVENT = ['onInviteMessage', 'onConfirmPop', 'onUpdateMyGroupList', 'onUpdateMyRoster'];

  /**
   * The argument of `conn.listen`.
   * @param {(name: string, body: object) => void} tell
   * @param {Map<string, string>} handles the harness's handles by local message id
   */
  kit.listeners = (tell, handles) => {
    const message = (name, own = CONTENT_SHOWN[name]) => (m) =>
      tell(name, { ...kit.shownMessage(m, CHAT_SHOWN[m.type] ?? m.type), ...own(m) });
    const handleOf = (localId) => handles.get(String(localId)) ?? null;
    const callbacks = {
      onOpened: () => tell('opened', {}),
      onClosed: () => tell('closed', {}),
      onOnline: () => tell('online', {}),
      onOffline: () => tell('offline', {}),
      onError: (error) => tell('error', shownError(error)),
      onReceivedMessage: (m) => tell('received', { handle: handleOf(m.id), id: shown(m.mid) }),
      onMutedMessage: (m) => tell('muted', { handle: handleOf(m.mid) }),
      onTextMessage: message('text', (m) => ({ data: shown(m.data) })),
      onEmojiMessage: message('emoji', (m) => ({ data: shown(m.data) })),
      onCmdMessage: message('cmd'),
      onCustomMessage: message('custom'),
      onLocationMessage: message('location'),
      onPictureMessage: message('picture'),
      onFileMessage: message('file'),
      onAudioMessage: message('audio'),
      onVideoMessage: message('video'),
      onRecallMessage: (m) => tell('recall', { mid: shown(m.mid), from: shown(m.from), to: shown(m.to) }),
      onDeliveredMessage: (m) => tell('delivered', { mid: shown(m.mid) }),
      onReadMessage: (m) => tell('read', kit.shownRead(m)),
      onChannelMessage: (m) => tell('channel', { from: shown(m.from), to: shown(m.to) }),
      onStatisticMessage: (m) => tell('statistic', { group_ack: kit.shownGroupAcks(m) }),
      onRoster: (contacts) => tell('roster', { users: (contacts ?? []).map((contact) => shown(contact?.name)) }),
      onBlacklistUpdate: (list) => tell('blacklist_update', { users: Object.values(list ?? {}).map((entry) => shown(entry?.name)) }),
      onCreateGroup: (body) => tell('create_group', { group: shown(body?.data?.groupid) }),
      onPresence: (presence) => tell('presence', shownPresence(presence)),
    };
    for (const name of WITHOUT_EVENT) {
      callbacks[name] = (value) =>
        tell('error', { type: null, message: `${name} fired, for which there is no event`, data: shown(value) });
    }
    return callbacks;
  };

  /** The reason of a contact's request is its `status`; of a group's it is `reason`, and `status` an object. */
  function shownPresence({ type, from, to, gid, chatroom, status, reason }) {
    const event = { type: shown(type), from: shown(from), to: shown(to) };
    if (gid !== undefined) event[chatroom ? 'room' : 'group'] = shown(gid);
    const text = reason ?? status;
    if (typeof text === 'string') event.status = text;
    return event;
  }
};
