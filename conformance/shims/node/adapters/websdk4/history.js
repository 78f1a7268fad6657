//! The list of conversations with pins and marks, one page of history by its filters, and what a user deletes of both;
//! the news of it on the user's other devices.

'use strict';

(kit) => {
  const { shown, CHAT_TO_SDK, CHAT_SHOWN } = kit;

  /** Types of messages, as the events of DRIVER.md. */
  const KIND_OF_TYPE = { txt: 'text', img: 'picture', loc: 'location', combine: 'combined' };

  /** What other devices do to conversations. */
  const OPERATIONS = [
    'deleteRoaming', 'deleteConversation', 'pinnedConversation', 'unpinnedConversation', 'markConversation',
    'unMarkConversation',
  ];

  kit.kindOfType = (type) => KIND_OF_TYPE[type] ?? shown(type);

  /** DRIVER.md: no cursor on the last page; the SDK has an empty text there. */
  kit.shownCursor = (cursor) => shown(cursor === '' ? null : cursor);

  kit.historyCommands = ({ ask, tell }) => {
    const done = (handle, name, options) => ask(handle, name, options, () => tell('done', { handle }));
    const target = (to, chat) => {
      kit.checkChat(chat);
      return { conversationId: to, conversationType: CHAT_TO_SDK[chat] };
    };
    return {
      list_conversations: ({ handle, limit, cursor, pinned, mark }) => {
        const page = { pageSize: limit, cursor };
        const told = ({ data }) => tell('conversations', shownConversations(handle, data));
        if (mark !== undefined && mark !== null) {
          // Unlike the others, this call writes an absent cursor as it is.
          ask(handle, 'getServerConversationsByFilter', { pageSize: limit, cursor: cursor ?? '', filter: { mark } }, told);
        } else {
          ask(handle, pinned ? 'getServerPinnedConversations' : 'getServerConversations', page, told);
        }
      },
      pin_conversation: ({ handle, to, chat, pinned }) =>
        done(handle, 'pinConversation', { ...target(to, chat), isPinned: pinned }),
      mark_conversations: ({ handle, targets, mark, set }) =>
        done(handle, set ? 'addConversationMark' : 'removeConversationMark', {
          conversations: targets.map(({ to, chat }) => target(to, chat)),
          mark,
        }),
      remove_history: ({ handle, to, chat, ids, until }) => {
        kit.checkChat(chat);
        const what = ids ? { messageIds: ids } : { beforeTimeStamp: until };
        done(handle, 'removeHistoryMessages', { targetId: to, chatType: CHAT_TO_SDK[chat], ...what });
      },
      remove_everything: ({ handle }) => done(handle, 'deleteAllMessagesAndConversations', undefined),
      search_history: ({ handle, with: peer, chat, limit, cursor, forwards, kinds, from, since, until }) => {
        kit.checkChat(chat);
        const options = {
          targetId: peer,
          chatType: CHAT_TO_SDK[chat],
          pageSize: limit,
          cursor,
          searchDirection: forwards ? 'down' : 'up',
          searchOptions: { from, msgTypes: kinds, startTime: since, endTime: until },
        };
        ask(handle, 'getHistoryMessages', options, ({ messages, cursor: next, isLast }) =>
          tell('history_page', {
            ...shownMessages(handle, messages),
            cursor: isLast ? null : kit.shownCursor(next),
            last: shown(isLast),
          }));
      },
    };
  };

  kit.historyListeners = ({ tell }) => ({
    onMultiDeviceEvent: (event) => {
      if (!OPERATIONS.includes(event.operation)) return;
      const { operation, conversationId, conversationType, chatType, conversationMark, resource } = event;
      const chat = conversationType ?? chatType;
      tell('device', {
        operation,
        id: shown(conversationId),
        chat: shown(CHAT_SHOWN[chat] ?? chat),
        from: shown(resource),
        detail: shown(conversationMark),
      });
    },
  });

  /** Messages of a list in the words of `history`. */
  kit.shownMessages = shownMessages;
  function shownMessages(handle, messages) {
    return {
      handle,
      ids: messages.map(({ id }) => shown(id)),
      kinds: messages.map(({ type }) => kit.kindOfType(type)),
      froms: messages.map(({ from }) => shown(from)),
      texts: messages.map(({ type, msg }) => (type === 'txt' ? shown(msg) : null)),
    };
  }

  function shownConversations(handle, { conversations, cursor }) {
    const last = conversations.map(({ lastMessage }) => lastMessage);
    return {
      handle,
      with: conversations.map(({ conversationId }) => shown(conversationId)),
      chats: conversations.map(({ conversationType: chat }) => shown(CHAT_SHOWN[chat] ?? chat)),
      pinned: conversations.map(({ isPinned }) => shown(isPinned)),
      unread: conversations.map(({ unReadCount }) => shown(unReadCount)),
      marks: conversations.map(({ marks }) => shown(marks ?? [])),
      last_ids: last.map((message) => shown(message?.id)),
      last_texts: last.map((message) => (message?.type === 'txt' ? shown(message.msg) : null)),
      cursor: kit.shownCursor(cursor),
    };
  }
};
