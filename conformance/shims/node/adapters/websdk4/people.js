//! People: remarks and pages of contacts, presence, reactions, push settings, translation, reports, the user's own
//! attributes and devices.

'use strict';

(kit) => {
  const { call, checkChat, shown, CHAT_SHOWN, CHAT_TO_SDK } = kit;

  /** What 4.x has of a setting that is a word, and of one that is a time. */
  const PARAM_KIND = 0;
  const PARAM_DURATION = 1;
  /** What `kind` is called that takes the word away again. */
  const DEFAULT = 'DEFAULT';
  const SILENT_OPERATIONS = ['setSilentModeForUser', 'setSilentModeForConversation', 'removeSilentModeForConversation'];

  kit.peopleCommands = (device) => {
    const asked = askers(device);
    return {
      ...contactCommands(asked),
      ...presenceCommands(asked),
      ...reactionCommands(asked),
      ...silentCommands(asked),
      ...wordCommands(asked),
    };
  };

  kit.peopleListeners = ({ tell }) => ({
    onPresenceStatusChange: (list) =>
      list.forEach(({ userId, ext, statusDetails }) =>
        tell('presence_status', {
          user: shown(userId),
          text: shown(ext),
          devices: statusDetails.map(({ device, status }) => ({ resource: shown(device), code: shown(status) })),
        }),
      ),
    onReactionChange: ({ messageId, from, to, chatType, reactions }) =>
      tell('reaction', {
        mid: shown(messageId),
        from: shown(from),
        to: shown(to),
        chat: shown(CHAT_SHOWN[chatType] ?? chatType),
        list: reactions.map(({ reaction, count, userList, op }) => ({
          reaction: shown(reaction),
          count: shown(count),
          users: shown(userList),
          op: (op ?? []).map(({ operator, reactionType }) => ({ operator: shown(operator), type: shown(reactionType) })),
        })),
      }),
    onMultiDeviceEvent: (event) => {
      if (!SILENT_OPERATIONS.includes(event.operation)) return;
      const { operation, conversationId, type, resource, data } = event;
      tell('device', {
        operation,
        id: shown(conversationId),
        chat: shown(CHAT_SHOWN[type] ?? type),
        from: shown(resource),
        detail: shown(data),
      });
    },
  });

  /** Makes calls whose outcome is news of its own: `answer` gives the event and its body, less the handle. */
  function askers({ conn, tell }) {
    const ask = (handle, name, values, answer) => {
      const refused = (failure) => tell('call_failed', { handle, type: shown(failure?.type), message: shown(failure?.message) });
      call(conn, 'conn', name, ...values)?.then((result) => {
        const [event, body] = answer(result?.data, result);
        tell(event, { handle, ...body });
      }, refused);
    };
    return { ask, done: (handle, name, ...values) => ask(handle, name, values, () => ['done', {}]) };
  }

  function contactCommands({ ask, done }) {
    return {
      set_remark: ({ handle, user, remark }) => done(handle, 'setContactRemark', { userId: user, remark }),
      page_contacts: ({ handle, limit, cursor }) =>
        ask(handle, 'getContactsWithCursor', [paged(limit, cursor)], ({ contacts, cursor: next }) => [
          'contacts',
          {
            users: contacts.map(({ userId }) => shown(userId)),
            remarks: contacts.map(({ remark }) => shown(remark)),
            cursor: shownCursor(next),
          },
        ]),
      set_user_info: ({ handle, fields }) => done(handle, 'updateUserInfo', fields),
      get_user_info: ({ handle, users, keys }) =>
        ask(handle, 'fetchUserInfoById', keys ? [users, keys] : [users], (data) => ['user_info', { users: shown(data) }]),
      list_own_devices: ({ handle }) =>
        ask(handle, 'getSelfIdsOnOtherPlatform', [], (data) => ['own_devices', { resources: shown(data) }]),
    };
  }

  function presenceCommands({ ask, done }) {
    const presences = ({ result }) => [
      'presences',
      {
        users: result.map(({ uid }) => shown(uid)),
        texts: result.map(({ ext }) => shown(ext)),
        devices: result.map(({ status }) =>
          Object.entries(status).map(([resource, code]) => ({ resource, code: Number(code) })),
        ),
      },
    ];
    return {
      publish_presence: ({ handle, text }) => done(handle, 'publishPresence', { description: text }),
      get_presence: ({ handle, users }) => ask(handle, 'getPresenceStatus', [{ usernames: users }], presences),
      subscribe_presence: ({ handle, users, seconds }) =>
        ask(handle, 'subscribePresence', [{ usernames: users, expiry: seconds }], presences),
      unsubscribe_presence: ({ handle, users }) => done(handle, 'unsubscribePresence', { usernames: users }),
      list_presence_subscriptions: ({ handle, limit = 20, page = 1 }) =>
        ask(handle, 'getSubscribedPresencelist', [{ pageNum: page, pageSize: limit }], ({ result: { sublist } }) => [
          'subscriptions',
          // In s, as texts.
          { users: sublist.map(({ uid }) => shown(uid)), expiries: sublist.map(({ expiry }) => Number(expiry) * 1000) },
        ]),
    };
  }

  function reactionCommands({ ask, done }) {
    return {
      add_reaction: ({ handle, id, reaction }) => done(handle, 'addReaction', { messageId: id, reaction }),
      remove_reaction: ({ handle, id, reaction }) => done(handle, 'deleteReaction', { messageId: id, reaction }),
      list_reactions: ({ handle, ids, chat, group }) => {
        checkChat(chat);
        const options = { chatType: CHAT_TO_SDK[chat], messageId: ids, ...(group === undefined ? {} : { groupId: group }) };
        const one = ({ reaction, userCount, userList, isAddedBySelf }) => ({
          reaction: shown(reaction),
          count: shown(userCount),
          users: shown(userList),
          mine: shown(isAddedBySelf),
        });
        ask(handle, 'getReactionlist', [options], (data) => [
          'reactions',
          { list: ids.map((id) => data.find(({ msgId }) => msgId === id)?.reactionList.map(one) ?? null) },
        ]);
      },
      list_reactors: ({ handle, id, reaction, limit, cursor }) =>
        ask(handle, 'getReactionDetail', [{ messageId: id, reaction, ...paged(limit, cursor) }], (data) => [
          'reactors',
          { users: shown(data.userList), count: shown(data.userCount), cursor: shownCursor(data.cursor) },
        ]),
    };
  }

  function silentCommands({ ask, done }) {
    const of = (to, chat) => {
      checkChat(chat);
      return { conversationId: to, type: CHAT_TO_SDK[chat] };
    };
    const silentMode = (data) => ['silent_mode', { kind: shown(data.type), until: shown(data.ignoreDuration) }];
    return {
      set_silent_mode: ({ handle, to, chat, kind, ms }) => {
        const options =
          kind === undefined ? { paramType: PARAM_DURATION, duration: ms } : { paramType: PARAM_KIND, remindType: kind };
        if (to === undefined) done(handle, 'setSilentModeForAll', { options });
        else if (kind === DEFAULT) done(handle, 'clearRemindTypeForConversation', of(to, chat));
        else done(handle, 'setSilentModeForConversation', { ...of(to, chat), options });
      },
      get_silent_mode: ({ handle, to, chat }) => {
        if (to === undefined) ask(handle, 'getSilentModeForAll', [], silentMode);
        else ask(handle, 'getSilentModeForConversation', [of(to, chat)], silentMode);
      },
      set_push_language: ({ handle, language }) => done(handle, 'setPushPerformLanguage', { language }),
      get_push_language: ({ handle }) =>
        ask(handle, 'getPushPerformLanguage', [], (data) => ['push_language', { language: shown(data.language) }]),
    };
  }

  function wordCommands({ ask, done }) {
    return {
      translate: ({ handle, text, to }) =>
        ask(handle, 'translateMessage', [{ text, languages: to }], ([{ translations }]) => [
          'translations',
          { languages: translations.map((one) => shown(one.to)), texts: translations.map((one) => shown(one.text)) },
        ]),
      list_languages: ({ handle }) =>
        ask(handle, 'getSupportedLanguages', [], (data) => ['languages', { codes: data.map(({ code }) => shown(code)) }]),
      report_message: ({ handle, id, kind, reason }) =>
        done(handle, 'reportMessage', { messageId: id, reportType: kind, reportReason: reason }),
    };
  }

  function paged(limit, cursor) {
    return { ...(limit === undefined ? {} : { pageSize: limit }), ...(cursor === undefined ? {} : { cursor }) };
  }

  /** The SDK gives an empty one for the last page. */
  function shownCursor(cursor) {
    return cursor === '' ? null : shown(cursor);
  }
};
