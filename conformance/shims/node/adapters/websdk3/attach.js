//! The adapter of the 3.x generation of the Web SDK: the harness's commands as its calls, its callbacks as the
//! harness's events. The scripts of this folder and of `shared` run in the device's own realm after the bundle. They
//! report what the SDK shows and mend nothing; what 3.0.6 and 3.6.3 have not in common is told apart by whether a call
//! is there.

'use strict';

(kit) => {
  kit.attach = kit.seam((settings, tell, user) => {
    if (settings.emoji) globalThis.WebIM.Emoji = settings.emoji;
    const conn = new globalThis.WebIM.connection({
      appKey: settings.app_key,
      url: settings.sockjs,
      apiUrl: settings.rest,
      isHttpDNS: false,
      deviceId: settings.device,
      autoReconnectNumMax: settings.reconnects,
      delivery: settings.delivery,
      useOwnUploadFun: settings.own_upload,
    });
    /** The harness's handles by local message id. */
    const handles = new Map();
    conn.listen(kit.listeners(tell, handles));
    const device = { conn, settings, tell, handles, user, uploadFailed: kit.uploadFailures(tell) };
    device.ask = kit.asker(device);
    const request = kit.requester(device);
    return {
      ...kit.sessionCommands(device),
      ...kit.messageCommands(device),
      ...kit.attachmentCommands(device),
      ...kit.conversationCommands(device, { deleteSession: 'deleteSession' }),
      ...kit.sessionListCommands(device),
      ...kit.contactCommands(device, request),
      ...kit.circleCommands(device, request, kit.CIRCLE_CALLS),
      ...kit.joinedCommands(device, request),
    };
  });
};
