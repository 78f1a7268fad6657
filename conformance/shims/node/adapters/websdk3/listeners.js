//! The SDK's callbacks as the harness's events: each as it fires, with what it shows.

'use strict';

(kit) => {
  const { shown, shownError, shownTime, CHAT_SHOWN } = kit;

  /** Callbacks for which DRIVER.md has no event. Contact callbacks are not among them: onPresence repeats each. */
  const WITHOUT_EVENT = ['onInviteMessage', 'onConfirmPop', 'onUpdateMyGroupList', 'onUpdateMyRoster'];

  /**
   * The argument of `conn.listen`.
   * @param {(name: string, body: object) => void} tell
   * @param {Map<string, string>} handles the harness's handles by local message id
   */
  kit.listeners = (tell, handles) => {
    const message = (name, own) => (m) =>
      tell(name, {
        id: shown(m.id),
        from: shown(m.from),
        to: shown(m.to),
        chat: CHAT_SHOWN[m.type] ?? shown(m.type),
        ext: shown(m.ext),
        time: shownTime(m.time),
        ...own(m),
      });
    const handleOf = (localId) => handles.get(String(localId)) ?? null;
    const file = (m) => ({
      url: shown(m.url),
      secret: shown(m.secret),
      filename: shown(m.filename),
      file_length: shown(m.file_length),
    });
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
      onCmdMessage: message('cmd', (m) => ({ action: shown(m.action) })),
      onCustomMessage: message('custom', (m) => ({ event: shown(m.customEvent), exts: shown(m.customExts) })),
      onLocationMessage: message('location', (m) => ({ lat: shown(m.lat), lng: shown(m.lng), addr: shown(m.addr) })),
      onPictureMessage: message('picture', (m) => ({ ...file(m), width: shown(m.width), height: shown(m.height) })),
      onFileMessage: message('file', file),
      onAudioMessage: message('audio', (m) => ({ ...file(m), length: shown(m.length) })),
      onVideoMessage: message('video', (m) => ({ ...file(m), length: shown(m.length) })),
      onRecallMessage: (m) => tell('recall', { mid: shown(m.mid), from: shown(m.from), to: shown(m.to) }),
      onDeliveredMessage: (m) => tell('delivered', { mid: shown(m.mid) }),
      onReadMessage: (m) => tell('read', shownRead(m)),
      onChannelMessage: (m) => tell('channel', { from: shown(m.from), to: shown(m.to) }),
      onStatisticMessage: (m) => tell('statistic', { group_ack: groupAcksOf(m) }),
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

  /** `count` as the seed's example reads it: by the id of the message that was read. */
  function shownRead({ mid, groupReadCount, ackContent }) {
    const event = { mid: shown(mid) };
    if (groupReadCount !== undefined) event.count = shown(groupReadCount?.[mid]);
    if (ackContent !== undefined) event.content = shown(ackContent);
    return event;
  }

  /** As the seed's example reads them. */
  function groupAcksOf(message) {
    const statistic = message.location && JSON.parse(message.location);
    return shown(statistic?.group_ack ?? []);
  }

  /** The reason of a contact's request is its `status`; of a group's it is `reason`, and `status` an object. */
  function shownPresence({ type, from, to, gid, chatroom, status, reason }) {
    const event = { type: shown(type), from: shown(from), to: shown(to) };
    if (gid !== undefined) event[chatroom ? 'room' : 'group'] = shown(gid);
    const text = reason ?? status;
    if (typeof text === 'string') event.status = text;
    return event;
  }
};
