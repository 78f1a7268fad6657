//! The adapter of the 3.x generation of the Web SDK: the harness's commands as its calls, its callbacks as the
//! harness's events. A classic script, run in the device's own realm after the bundle: its value is `attach`.
//! It reports what the SDK shows and mends nothing. Only texts cross to the shim, so that no object of another
//! realm ever reaches the SDK, whose `instanceof` checks would drop it without a word.

'use strict';

(() => {
  /** Chat types as the SDK takes them and as it shows them (`type` of a received message). */
  const CHAT_TO_SDK = { single: 'singleChat', group: 'groupChat', room: 'chatRoom' };
  const CHAT_SHOWN = { chat: 'single', groupchat: 'group', chatroom: 'room' };

  /** Callbacks for which DRIVER.md has no event yet. Contact callbacks are not among them: onPresence repeats each. */
  const WITHOUT_EVENT = [
    'onEmojiMessage', 'onPictureMessage', 'onAudioMessage', 'onVideoMessage', 'onFileMessage', 'onStatisticMessage',
    'onRoster', 'onInviteMessage', 'onDeliveredMessage', 'onReadMessage', 'onRecallMessage', 'onChannelMessage',
    'onMutedMessage', 'onConfirmPop', 'onUpdateMyGroupList', 'onUpdateMyRoster',
  ];

  /** Members that a room or group made here may have: the vendor's default for a group. */
  const MEMBERS_MAX = 200;
  /** Limits on what is shown of a value, against objects that are the SDK's own works and not data. */
  const SHOWN_DEPTH_MAX = 100;
  const SHOWN_PARTS_MAX = 100_000;

  /** The SDK has no such call. */
  class Missing extends Error {}

  /**
   * Makes a connection object, not logged in.
   * @param {string} settingsText the arguments of `create`, as JSON
   * @param {(text: string) => void} tellText takes an event, as JSON
   * @returns {(name: string, bodyText: string) => string} makes a call, gives its answer, both as JSON
   */
  function attach(settingsText, tellText) {
    const settings = JSON.parse(settingsText);
    const tell = (name, body) => tellText(JSON.stringify({ [name]: body }));
    const conn = new globalThis.WebIM.connection({
      appKey: settings.app_key,
      url: settings.sockjs,
      apiUrl: settings.rest,
      isHttpDNS: false,
      deviceId: settings.device,
      autoReconnectNumMax: settings.reconnects,
      delivery: settings.delivery,
    });
    const handles = new Map();
    conn.listen(listeners(tell, handles));
    const commands = { ...sessionCommands(conn, settings), ...messageCommands(conn, tell, handles), ...rosterCommands(conn, tell) };

    return (name, bodyText) => {
      if (!Object.hasOwn(commands, name)) return JSON.stringify({ unsupported: name });
      try {
        return JSON.stringify({ ok: commands[name](JSON.parse(bodyText)) ?? {} });
      } catch (error) {
        if (error instanceof Missing) return JSON.stringify({ unsupported: error.message });
        return JSON.stringify({ error: describe(error) });
      }
    };
  }

  function sessionCommands(conn, settings) {
    // 3.0.6 takes the REST address from here only.
    const open = (credentials) =>
      call(conn, 'conn', 'open', { user: settings.username, appKey: settings.app_key, apiUrl: settings.rest, ...credentials });
    return {
      login_password: ({ password }) => void open({ pwd: password }),
      login_token: ({ token }) => void open({ accessToken: token }),
      close: () => void call(conn, 'conn', 'close'),
      unique_ids: ({ count }) => ({ ids: Array.from({ length: count }, () => String(call(conn, 'conn', 'getUniqueId'))) }),
    };
  }

  function messageCommands(conn, tell, handles) {
    const send = (type, { handle, to, chat, ...rest }, content) => {
      if (!Object.hasOwn(CHAT_TO_SDK, chat)) throw new Error(`chat must be single, group or room, not ${chat}`);
      const id = call(conn, 'conn', 'getUniqueId');
      const message = new globalThis.WebIM.message(type, id);
      const options = {
        ...content,
        to,
        chatType: CHAT_TO_SDK[chat],
        success: (localId, serverId) => tell('sent', { handle, id: shown(serverId) }),
        fail: (failure) => tell('failed', { handle, type: failure?.type ?? null, reason: reasonOf(failure) }),
      };
      // Absent and null are two things to say, and the SDK's to treat.
      if ('ext' in rest) options.ext = rest.ext;
      call(message, `WebIM.message('${type}')`, 'set', options);
      handles.set(String(id), handle);
      call(conn, 'conn', 'send', message.body);
    };
    return {
      send_text: (body) => send('txt', body, { msg: body.text }),
      send_cmd: (body) => send('cmd', body, 'action' in body ? { action: body.action } : {}),
      send_custom: (body) => send('custom', body, { customEvent: body.event, customExts: body.exts }),
      send_location: (body) => send('location', body, { lat: body.lat, lng: body.lng, addr: body.addr }),
    };
  }

  function rosterCommands(conn, tell) {
    // A REST call's failure reaches the app by the promise (and, the same again, by an `error` option).
    const request = (name, options, done = () => {}) => {
      const promise = call(conn, 'conn', name, options);
      promise?.then(done, (failure) => tell('error', shownError(failure)));
    };
    const made = (body) => tell('create_room', { room: shown(body?.data?.id) });
    return {
      block: ({ users }) => void call(conn, 'conn', 'addToBlackList', { name: users }),
      unblock: ({ users }) => void call(conn, 'conn', 'removeFromBlackList', { name: users }),
      create_group: ({ name, members }) =>
        request('createGroupNew', {
          data: {
            groupname: name,
            desc: name,
            members,
            public: true,
            approval: false,
            allowinvites: true,
            inviteNeedConfirm: false,
            maxusers: MEMBERS_MAX,
          },
          // Called without looking whether it is there; onCreateGroup follows and is what is reported.
          success: () => {},
        }),
      join_group: ({ group }) => request('joinGroup', { groupId: group, message: '' }),
      leave_group: ({ group }) => request('quitGroup', { groupId: group }),
      dissolve_group: ({ group }) => request('dissolveGroup', { groupId: group }),
      invite_to_group: ({ group, users }) => request('inviteToGroup', { groupId: group, users }),
      remove_from_group: ({ group, users }) => request('removeMultiGroupMember', { groupId: group, users }),
      create_room: ({ name, members }) =>
        request('createChatRoom', { name, description: name, maxusers: MEMBERS_MAX, members }, made),
      join_room: ({ room }) => request('joinChatRoom', { roomId: room, message: '' }),
      leave_room: ({ room }) => request('quitChatRoom', { roomId: room }),
    };
  }

  function listeners(tell, handles) {
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
    const callbacks = {
      onOpened: () => tell('opened', {}),
      onClosed: () => tell('closed', {}),
      onOnline: () => tell('online', {}),
      onOffline: () => tell('offline', {}),
      onError: (error) => tell('error', shownError(error)),
      onReceivedMessage: (m) => tell('received', { handle: handles.get(String(m.id)) ?? null, id: shown(m.mid) }),
      onTextMessage: message('text', (m) => ({ data: shown(m.data) })),
      onCmdMessage: message('cmd', (m) => ({ action: shown(m.action) })),
      onCustomMessage: message('custom', (m) => ({ event: shown(m.customEvent), exts: shown(m.customExts) })),
      onLocationMessage: message('location', (m) => ({ lat: shown(m.lat), lng: shown(m.lng), addr: shown(m.addr) })),
      onBlacklistUpdate: (list) => tell('blacklist_update', { users: Object.values(list ?? {}).map((entry) => shown(entry?.name)) }),
      onCreateGroup: (body) => tell('create_group', { group: shown(body?.data?.groupid) }),
      onPresence: (presence) => tell('presence', shownPresence(presence)),
    };
    for (const name of WITHOUT_EVENT) {
      callbacks[name] = (value) =>
        tell('error', { type: null, message: `${name} fired, for which there is no event`, data: shown(value) });
    }
    return callbacks;
  }

  /** `subject[name](…)`, or the news that the SDK lacks it. */
  function call(subject, subjectName, name, ...values) {
    if (typeof subject?.[name] !== 'function') throw new Missing(`${subjectName}.${name}`);
    return subject[name](...values);
  }

  function shownPresence({ type, from, gid, chatroom }) {
    const event = { type: shown(type), from: shown(from) };
    if (gid !== undefined) event[chatroom ? 'room' : 'group'] = shown(gid);
    return event;
  }

  function shownError(error) {
    const thrown = error instanceof Error;
    const event = { type: shown(error?.type), message: thrown ? describe(error) : shown(error?.message) };
    if (error?.data !== undefined) event.data = shown(error.data);
    return event;
  }

  /** The SDK puts a reason in one of three places, by the kind of failure. */
  function reasonOf(failure) {
    return shown(failure?.reason ?? failure?.data?.reason ?? failure?.message);
  }

  /** The SDK shows ms as a text of digits; DRIVER.md has a number. */
  function shownTime(time) {
    return typeof time === 'string' && /^\d{1,15}$/.test(time) ? Number(time) : shown(time);
  }

  function describe(error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }

  /**
   * A value as JSON can carry it, with what the app would read from it: not toJSON, by which protobuf objects
   * give other values than their properties have.
   */
  function shown(value, within = [], left = { parts: SHOWN_PARTS_MAX }) {
    if (value === undefined || value === null) return null;
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
    if (typeof value !== 'object') return value;
    if (value instanceof Error) return { name: value.name, message: value.message };
    if (within.includes(value)) return '[circular]';
    if (within.length === SHOWN_DEPTH_MAX || left.parts <= 0) return '[more]';
    const inner = [...within, value];
    const part = (item) => {
      left.parts -= 1;
      return shown(item, inner, left);
    };
    if (Array.isArray(value)) return value.map(part);
    return Object.fromEntries(Object.keys(value).map((key) => [key, key === 'xhr' ? '[request]' : part(value[key])]));
  }

  return attach;
})();
