//! The list of sessions, with the last message as 4.x reads it.

'use strict';

(kit) => {
  const { shown } = kit;

  kit.sessionListCommands = ({ ask, settings, tell }) => ({
    list_sessions: ({ handle }) =>
      ask(handle, 'getConversationlist', undefined, (answer) => tell('sessions', shownSessions(handle, answer, settings.app_key))),
  });

  function shownSessions(handle, answer, appKey) {
    const channels = answer?.data?.channel_infos ?? [];
    const last = channels.map(({ lastMessage }) => (lastMessage?.id === undefined ? null : lastMessage));
    const prefix = `${appKey}_`;
    return {
      handle,
      channels: channels.map(({ channel_id: id }) => (id?.startsWith(prefix) ? id.slice(prefix.length) : shown(id))),
      unread: channels.map(({ unread_num: unread }) => shown(unread)),
      last_ids: last.map((message) => shown(message?.id)),
      last_texts: last.map((message) => (message?.type === 'txt' ? shown(message.msg) : null)),
    };
  }
};
