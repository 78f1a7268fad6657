//! The adapter of the 4.x generation of the Web SDK: the harness's commands as its promises, its event handlers as the
//! harness's events. The scripts of this folder and of `shared` run in the device's own realm after the bundle. They
//! report what the SDK shows and mend nothing. A clause for which 4.x has another call than 3.x is shown by that call.

'use strict';

(kit) => {
  /** What 4.x has over 3.x: a file each, whose commands are there when the file is. */
  const TOPICS = ['history', 'rich', 'rooms', 'threads', 'people', 'tokens'];

  kit.attach = kit.seam((settings, tell, user) => {
    const conn = new globalThis.WebIM.connection({
      appKey: settings.app_key,
      url: settings.websocket,
      apiUrl: settings.rest,
      isHttpDNS: false,
      deviceId: settings.device,
      autoReconnectNumMax: settings.reconnects,
      delivery: settings.delivery,
      useOwnUploadFun: settings.own_upload,
    });
    countAsOne(conn);
    // It logs several lines a frame; what it warns of is enough to look at a failure.
    globalThis.WebIM.logger.setLevel('WARN', false);
    /** The harness's messages by local id: the handle, and a promise that resolves when their outcome is told. */
    const messages = new Map();
    const expect = (localId, handle, told) => void messages.set(String(localId), { handle, told });
    const device = { conn, settings, tell, messages, expect, user, fail: kit.failures(tell), uploadFailed: kit.uploadFailures(tell) };
    device.ask = kit.asker(device);
    device.outcome = kit.outcome(device);
    kit.listen(device, TOPICS);
    const request = kit.requester(device);
    const commands = {
      ...kit.sessionCommands(device),
      ...kit.messageCommands(device),
      ...kit.attachmentCommands(device),
      ...kit.conversationCommands(device, { deleteSession: 'deleteConversation' }),
      ...kit.sessionListCommands(device),
      ...kit.contactCommands(device, request),
      ...kit.circleCommands(device, request, kit.CIRCLE_CALLS, {
        made_group: (body) => tell('create_group', { group: kit.shown(body?.data?.groupid) }),
      }),
    };
    for (const topic of TOPICS) Object.assign(commands, kit[`${topic}Commands`]?.(device));
    return commands;
  });

  /**
   * A local id is the time in ms and a count, and the SDK counts its recalls apart from all other messages: a message and
   * the recall that follows it within as many ms as messages went before have one id, and a server takes the second
   * frame for the first come again. With one count no scenario meets that by chance.
   */
  function countAsOne(conn) {
    const { utils } = globalThis.WebIM;
    const autoIncrement = { get: () => utils.autoIncrement, set: (count) => (utils.autoIncrement = count) };
    Object.defineProperty(conn, 'autoIncrement', autoIncrement);
  }
};
