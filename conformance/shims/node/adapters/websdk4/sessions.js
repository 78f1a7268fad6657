//! The list of sessions, by the call that 4.x has for it: the list of conversations, page by page to its end.

'use strict';

(kit) => {
  const { shown } = kit;

  /** The most conversations that the SDK asks for at a time. */
  const PAGE_MAX = 50;
  /** What the wire puts behind a conversation's id. */
  const DOMAIN = { singleChat: 'easemob.com', groupChat: 'conference.easemob.com', chatRoom: 'conference.easemob.com' };

  kit.sessionListCommands = ({ ask, tell }) => ({
    list_sessions: ({ handle }) => {
      const found = [];
      const next = (cursor) =>
        ask(handle, 'getServerConversations', { pageSize: PAGE_MAX, cursor, includeEmptyConversations: true }, ({ data }) => {
          found.push(...data.conversations);
          if (data.cursor) next(data.cursor);
          else tell('sessions', shownSessions(handle, found));
        });
      next('');
    },
  });

  function shownSessions(handle, conversations) {
    const last = conversations.map(({ lastMessage }) => (lastMessage?.id === undefined ? null : lastMessage));
    return {
      handle,
      channels: conversations.map(({ conversationId: id, conversationType: type }) => `${id}@${DOMAIN[type] ?? type}`),
      unread: conversations.map(({ unReadCount: unread }) => shown(unread)),
      last_ids: last.map((message) => shown(message?.id)),
      last_texts: last.map((message) => (message?.type === 'txt' ? shown(message.msg) : null)),
    };
  }
};
