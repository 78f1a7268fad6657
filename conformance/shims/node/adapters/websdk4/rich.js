//! Messages that are more than one: modified, pinned, forwarded as one.

'use strict';

(kit) => {
  const { call, shown, CHAT_TO_SDK, CHAT_SHOWN } = kit;

  /** The messages that this device has shown or sent, by id: what an app can forward. */
  const seen = new WeakMap();
  /** A scenario's device sees far fewer; against a runaway one. */
  const SEEN_MAX = 1_000;

  kit.richCommands = (device) => {
    const { conn, ask, tell, expect } = device;
    const target = (to, chat) => {
      kit.checkChat(chat);
      return { conversationId: to, conversationType: CHAT_TO_SDK[chat] };
    };
    return {
      modify_text: ({ handle, id, to, chat, text, ...rest }) => {
        kit.checkChat(chat);
        const options = { type: 'txt', chatType: CHAT_TO_SDK[chat], to, msg: text };
        if ('ext' in rest) options.ext = rest.ext;
        call(conn, 'conn', 'modifyMessage', { messageId: id, modifiedMessage: kit.createMessage(options) }).then(
          ({ message }) => tell('sent', { handle, id: shown(message?.id) }),
          (failure) => tell('failed', { handle, type: shown(failure?.type), reason: kit.reasonOf(failure) }),
        );
      },
      pin_message: ({ handle, id, to, chat, pinned }) =>
        ask(handle, pinned ? 'pinMessage' : 'unpinMessage', { ...target(to, chat), messageId: id }, () =>
          tell('done', { handle })),
      list_pinned_messages: ({ handle, to, chat, limit, cursor }) =>
        ask(handle, 'getServerPinnedMessages', { ...target(to, chat), pageSize: limit, cursor }, ({ data }) =>
          tell('pinned_messages', {
            handle,
            ids: data.list.map(({ message }) => shown(message?.id)),
            operators: data.list.map(({ operatorId }) => shown(operatorId)),
            texts: data.list.map(({ message }) => (message?.type === 'txt' ? shown(message.msg) : null)),
            cursor: kit.shownCursor(data.cursor),
          })),
      send_combined: ({ handle, to, chat, ids, title, summary, text }) => {
        kit.checkChat(chat);
        const known = seen.get(device);
        const unknown = ids.find((id) => !known.has(id));
        if (unknown !== undefined) throw new Error(`this device has neither shown nor sent a message ${unknown}`);
        const message = kit.createMessage({
          type: 'combine',
          chatType: CHAT_TO_SDK[chat],
          to,
          title,
          summary,
          compatibleText: text,
          messageList: ids.map((id) => known.get(id)),
        });
        expect(message.id, handle, device.outcome(handle, call(conn, 'conn', 'send', message)));
      },
      open_combined: ({ handle, id }) => {
        const { url, secret } = seen.get(device).get(id) ?? {};
        if (url === undefined) throw new Error(`this device has shown no combined message ${id}`);
        ask(handle, 'downloadAndParseCombineMessage', { url, secret }, (messages) => {
          const { ids: _, ...rest } = kit.shownMessages(handle, messages);
          tell('combined_messages', rest);
        });
      },
    };
  };

  kit.richListeners = (device) => {
    const known = new Map();
    seen.set(device, known);
    const remember = (message) => {
      known.set(String(message.id), message);
      if (known.size > SEEN_MAX) known.delete(known.keys().next().value);
    };
    const { tell, outcome } = device;
    device.outcome = (handle, promise) => {
      promise.then(({ serverMsgId, message }) => message && remember({ ...message, id: serverMsgId }), () => {});
      return outcome(handle, promise);
    };
    const common = (m) => kit.shownMessage(m, CHAT_SHOWN[m.chatType] ?? m.chatType);
    return {
      onMessage: (messages) => messages.forEach(remember),
      onModifiedMessage: (m) =>
        tell('modified', {
          ...common(m),
          data: shown(m.type === 'txt' ? m.msg : null),
          operator: shown(m.modifiedInfo?.operatorId),
          count: shown(m.modifiedInfo?.operationCount),
        }),
      onMessagePinEvent: ({ messageId, conversationId, conversationType, operation, operatorId, time }) =>
        tell('pin', {
          mid: shown(messageId),
          with: shown(conversationId),
          chat: shown(CHAT_SHOWN[conversationType] ?? conversationType),
          operator: shown(operatorId),
          pinned: operation === 'pin',
          time: shown(time),
        }),
      onCombineMessage: (m) =>
        tell('combined', {
          ...common(m),
          title: shown(m.title),
          summary: shown(m.summary),
          text: shown(m.compatibleText),
          level: shown(m.combineLevel),
          url: shown(m.url),
          secret: shown(m.secret),
          filename: shown(m.filename),
          file_length: shown(m.file_length),
        }),
    };
  };
};
