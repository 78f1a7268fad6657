//! The list of sessions.

'use strict';

(kit) => {
  const { shown } = kit;

  kit.sessionListCommands = ({ ask, settings, tell }) => ({
    list_sessions: ({ handle }) =>
      ask(handle, 'getSessionList', undefined, (answer) => tell('sessions', shownSessions(handle, answer, settings.app_key))),
  });

  function shownSessions(handle, answer, appKey) {
    const channels = answer?.data?.channel_infos ?? [];
    const last = channels.map(({ meta }) => (meta?.id === undefined ? null : meta));
    const prefix = `${appKey}_`;
    return {
      handle,
      channels: channels.map(({ channel_id: id }) => (id?.startsWith(prefix) ? id.slice(prefix.length) : shown(id))),
      unread: channels.map(({ unread_num: unread }) => shown(unread)),
      last_ids: last.map((meta) => shown(meta?.id)),
      last_texts: last.map((meta) => (meta ? textOf(meta.payload) : null)),
    };
  }

  /** The payload is JSON within JSON, and the app's to read. */
  function textOf(payload) {
    const [body] = JSON.parse(payload).bodies ?? [];
    return body?.type === 'txt' ? shown(body.msg) : null;
  }
};
