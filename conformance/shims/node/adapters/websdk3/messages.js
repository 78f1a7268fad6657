//! Messages without files, receipts and recall. `kit.sender` is what attachments use, too.

'use strict';

(kit) => {
  const { call, checkChat, reasonOf, shown, CHAT_TO_SDK, Missing } = kit;

  /** What a text may be besides in 4.x. */
  const SINCE_4X = ['only_for', 'priority', 'online_only', 'thread'];

  /** Chat types as recall takes them. */
  const CHAT_TO_RECALL = { single: 'chat', group: 'groupchat', room: 'chatroom' };

  /**
   * Builds and sends messages.
   * @returns {(type: string, body: object, content: object, extra?: object) => void} `content` goes into `set`,
   *   `extra` onto the body that it made, as the seed's examples do it
   */
  kit.sender = ({ conn, tell, handles }) => (type, { handle, to, chat, ...rest }, content, extra = {}) => {
    checkChat(chat);
    const id = call(conn, 'conn', 'getUniqueId');
    const message = new globalThis.WebIM.message(type, id);
    const options = {
      ...content,
      to,
      ...chatOption(message, chat),
      success: (localId, serverId) => tell('sent', { handle, id: shown(serverId) }),
      fail: (failure) => tell('failed', { handle, type: failure?.type ?? null, reason: reasonOf(failure) }),
    };
    // Absent and null are two things to say, and the SDK's to treat.
    if ('ext' in rest) options.ext = rest.ext;
    call(message, `WebIM.message('${type}')`, 'set', options);
    setChat(message, chat);
    Object.assign(message.body, extra);
    handles.set(String(id), handle);
    call(conn, 'conn', 'send', message.body);
  };

  kit.messageCommands = (device) => {
    const { conn, tell, handles } = device;
    const send = kit.sender(device);
    const receipt = (type, handle, content) => {
      const id = call(conn, 'conn', 'getUniqueId');
      const message = new globalThis.WebIM.message(type, id);
      call(message, `WebIM.message('${type}')`, 'set', content);
      handles.set(String(id), handle);
      return message;
    };
    return {
      send_text: (body) => {
        const lacking = SINCE_4X.find((option) => option in body);
        if (lacking) throw new Missing(`send_text with ${lacking}`);
        send('txt', body, { msg: body.text }, body.ask_receipts ? receiptsAsked() : {});
      },
      send_cmd: (body) => send('cmd', body, 'action' in body ? { action: body.action } : {}),
      send_custom: (body) => send('custom', body, { customEvent: body.event, customExts: body.exts }),
      send_location: (body) => send('location', body, { lat: body.lat, lng: body.lng, addr: body.addr }),
      send_read: ({ handle, id, to, chat, content }) => {
        checkChat(chat);
        const group = chat === 'single' ? {} : { msgConfig: { allowGroupAck: true }, ackContent: content };
        const message = receipt('read', handle, { id, to, ...group });
        if (chat !== 'single') call(message, "WebIM.message('read')", 'setChatType', CHAT_TO_SDK[chat]);
        call(conn, 'conn', 'send', message.body);
      },
      send_channel_ack: ({ handle, to, chat }) => {
        checkChat(chat);
        const message = receipt('channel', handle, { to, chatType: CHAT_TO_SDK[chat] });
        call(conn, 'conn', 'send', message.body);
      },
      recall: ({ handle, id, to, chat }) => {
        checkChat(chat);
        call(conn, 'conn', 'recallMessage', {
          mid: id,
          to,
          type: CHAT_TO_RECALL[chat],
          // The SDK takes the recall's own local id itself; this is the first that the app hears of it.
          success: (localId, serverId) => {
            handles.set(String(localId), handle);
            tell('sent', { handle, id: shown(serverId) });
          },
          fail: (failure) => tell('failed', { handle, type: failure?.type ?? null, reason: reasonOf(failure) }),
        });
      },
    };
  };

  /** 3.0.6 sends such a message without a word, and without the question. */
  function receiptsAsked() {
    if (!hasChatType(new globalThis.WebIM.message('txt', '0'))) throw new kit.Missing("WebIM.message('txt') with msgConfig");
    return { msgConfig: { allowGroupAck: true } };
  }

  /** 3.6.3 has a chat type; 3.0.6 a flag for rooms, here, and one for all but single chats, in `setChat`. */
  function chatOption(message, chat) {
    return hasChatType(message) ? { chatType: CHAT_TO_SDK[chat] } : { roomType: chat === 'room' };
  }

  function setChat(message, chat) {
    if (!hasChatType(message) && chat !== 'single') call(message, 'WebIM.message', 'setGroup', 'groupchat');
  }

  function hasChatType(message) {
    return typeof message.setChatType === 'function';
  }
};
