//! Threads of groups.

'use strict';

(kit) => {
  const { shown } = kit;

  kit.threadsCommands = ({ ask, tell }) => {
    const done = (handle) => () => tell('done', { handle });
    /** Absent fields stay the SDK's defaults. */
    const paged = (options, { limit, cursor }) => {
      if (limit !== undefined) options.pageSize = limit;
      if (cursor !== undefined) options.cursor = cursor;
      return options;
    };
    const of = (chatThreadId) => ({ chatThreadId });
    return {
      create_thread: ({ handle, group, id, name }) =>
        ask(handle, 'createChatThread', { name, messageId: id, parentId: group }, ({ data }) =>
          tell('thread_created', { handle, thread: shown(data.chatThreadId) })),
      join_thread: ({ handle, thread }) => ask(handle, 'joinChatThread', of(thread), done(handle)),
      leave_thread: ({ handle, thread }) => ask(handle, 'leaveChatThread', of(thread), done(handle)),
      dissolve_thread: ({ handle, thread }) => ask(handle, 'destroyChatThread', of(thread), done(handle)),
      rename_thread: ({ handle, thread, name }) => ask(handle, 'changeChatThreadName', { ...of(thread), name }, done(handle)),
      remove_from_thread: ({ handle, thread, user }) =>
        ask(handle, 'removeChatThreadMember', { ...of(thread), username: user }, done(handle)),
      get_thread: ({ handle, thread }) =>
        ask(handle, 'getChatThreadDetail', of(thread), ({ data }) =>
          tell('thread', {
            handle, thread: shown(data.id), name: shown(data.name), group: shown(data.parentId), mid: shown(data.messageId),
            owner: shown(data.owner), messages: shown(data.message_count),
          })),
      list_threads: ({ handle, group, joined, ...page }) =>
        ask(handle, joined ? 'getJoinedChatThreads' : 'getChatThreads', paged({ parentId: group }, page), (answer) =>
          tell('threads', {
            handle, ids: answer.entities.map(({ id }) => shown(id)), names: answer.entities.map(({ name }) => shown(name)),
            cursor: cursorOf(answer),
          })),
      list_thread_members: ({ handle, thread, ...page }) =>
        ask(handle, 'getChatThreadMembers', paged(of(thread), page), (answer) =>
          tell('thread_members', { handle, users: shown(answer.data.affiliations), cursor: cursorOf(answer) })),
      list_thread_messages: ({ handle, threads }) =>
        ask(handle, 'getChatThreadLastMessage', { chatThreadIds: threads }, ({ entities }) =>
          tell('thread_messages', {
            handle,
            threads: entities.map(({ chatThreadId }) => shown(chatThreadId)),
            ids: entities.map(({ lastMessage }) => shown(lastMessage?.id)),
            texts: entities.map(({ lastMessage }) => (lastMessage?.type === 'txt' ? shown(lastMessage.msg) : null)),
          })),
    };
  };

  kit.threadsListeners = ({ tell }) => ({
    onChatThreadChange: (event) =>
      tell('thread_change', {
        thread: shown(event.id), group: shown(event.parentId), mid: shown(event.messageId), name: shown(event.name),
        operation: shown(event.operation), from: shown(event.operator), messages: shown(event.messageCount),
      }),
    onMultiDeviceEvent: ({ operation, chatThreadId, chatThreadName, parentId }) => {
      if (!chatThreadId) return;
      const detail = { name: shown(chatThreadName), group: shown(parentId) };
      tell('device', { operation, id: shown(chatThreadId), chat: 'group', from: null, detail });
    },
  });

  function cursorOf({ properties }) {
    return shown(properties?.cursor);
  }
};
