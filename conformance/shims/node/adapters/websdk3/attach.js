//! The adapter of the 3.x generation of the Web SDK: the harness's commands as its calls, its callbacks as the
//! harness's events. The scripts of this folder run in the device's own realm after the bundle. They report what the
//! SDK shows and mend nothing; what 3.0.6 and 3.6.3 have not in common is told apart by whether a call is there.
//! Only texts and files cross to the shim, so that no object of another realm ever reaches the SDK, whose
//! `instanceof` checks would drop it without a word.

'use strict';

(kit) => {
  const { describe, Missing } = kit;

  /**
   * Makes a connection object, not logged in.
   * @param {string} settingsText the arguments of `create`, as JSON
   * @param {(text: string) => void} tellText takes an event, as JSON
   * @param {import('../../device.mjs').User} user the person before the page
   * @returns {(name: string, bodyText: string) => string} makes a call, gives its answer, both as JSON
   */
  kit.attach = (settingsText, tellText, user) => {
    const settings = JSON.parse(settingsText);
    const tell = (name, body) => tellText(JSON.stringify({ [name]: body }));
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
    const device = { conn, settings, tell, handles, user };
    const commands = {
      ...kit.sessionCommands(device),
      ...kit.messageCommands(device),
      ...kit.attachmentCommands(device),
      ...kit.conversationCommands(device),
      ...kit.circleCommands(device),
    };

    return (name, bodyText) => {
      if (!Object.hasOwn(commands, name)) return JSON.stringify({ unsupported: name });
      try {
        return JSON.stringify({ ok: commands[name](JSON.parse(bodyText)) ?? {} });
      } catch (error) {
        if (error instanceof Missing) return JSON.stringify({ unsupported: error.message });
        return JSON.stringify({ error: describe(error) });
      }
    };
  };
};
