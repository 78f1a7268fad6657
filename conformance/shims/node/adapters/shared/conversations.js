//! History, readers, and the end of a session. Where the SDK has a promise and a callback for one outcome, both are listened to.

'use strict';

(kit) => {
  const { call, checkChat, shown, CHAT_TO_SDK } = kit;

  /** `contentsType` as the events of DRIVER.md. */
  const KIND_OF_CONTENTS = {
    TEXT: 'text', EMOJI: 'emoji', IMAGE: 'picture', VIDEO: 'video', LOCATION: 'location', VOICE: 'audio', FILE: 'file',
    COMMAND: 'cmd', CUSTOM: 'custom',
  };

  /** @param {{deleteSession: string}} names of the calls that have another in each generation */
  kit.conversationCommands = ({ conn, ask, tell }, names) => {
    return {
      fetch_history: ({ handle, with: peer, chat, count, start }) => {
        checkChat(chat);
        const outcome = outcomeOfBoth(tell);
        const options = {
          queue: peer,
          isGroup: chat !== 'single',
          count,
          success: (messages) => outcome('history', shownHistory(handle, messages)),
          fail: (failure) => outcome('call_failed', { handle, type: shown(failure?.type), message: shown(failure?.message) }),
        };
        if (start !== undefined) options.start = start;
        call(conn, 'conn', 'fetchHistoryMessages', options)?.then(options.success, options.fail);
      },
      reset_history: () => {
        if (!('mr_cache' in conn)) throw new kit.Missing('conn.mr_cache');
        conn.mr_cache = [];
      },
      delete_session: ({ handle, to, chat, with_history }) =>
        ask(handle, names.deleteSession, { channel: to, chatType: CHAT_TO_SDK[chat], deleteRoam: with_history }, () =>
          tell('session_deleted', { handle })),
      list_readers: ({ handle, group, id, limit, key }) => {
        if (typeof conn.getGroupMsgReadUser === 'function' && (limit !== undefined || key !== undefined)) {
          throw new kit.Missing('conn.getGroupMsgReadUser with limit and key');
        }
        ask(handle, 'getGroupMsgReadUser', { msgId: id, groupId: group }, ({ data }) =>
          tell('readers', {
            handle,
            users: shown(data?.userlist),
            total: shown(data?.total),
            next: shown(data?.is_last ? null : data?.next_key),
          }));
      },
    };
  };

  /** Tells the first of two outcomes of one call, and, of the second, only that it is another. */
  function outcomeOfBoth(tell) {
    let first;
    return (name, body) => {
      const text = JSON.stringify([name, body]);
      if (first === undefined) {
        first = text;
        tell(name, body);
      } else if (text !== first) {
        tell('error', { type: null, message: 'the promise gave another outcome than the callback', data: { name, body } });
      }
    };
  }

  function shownHistory(handle, messages) {
    const kinds = messages.map(kindOf);
    return {
      handle,
      ids: messages.map((message) => shown(message.id)),
      kinds,
      froms: messages.map((message) => shown(message.from)),
      texts: messages.map((message, at) => (kinds[at] === 'text' ? shown(message.data) : null)),
    };
  }

  /** 3.0.6 does not say what a message of the history is: an app tells by what it has. */
  function kindOf(message) {
    if (message.contentsType !== undefined) return KIND_OF_CONTENTS[message.contentsType] ?? shown(message.contentsType);
    if ('sourceMsg' in message) return 'text';
    if (Array.isArray(message.data)) return 'emoji';
    if ('action' in message) return 'cmd';
    if ('lat' in message) return 'location';
    if ('width' in message) return 'picture';
    if (!('url' in message)) return null;
    if (!('length' in message)) return 'file';
    return 'filetype' in message ? 'video' : 'audio';
  }
};
