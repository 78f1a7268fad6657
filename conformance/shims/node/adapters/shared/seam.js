//! How an adapter meets the shim: commands in, events out, as texts. Only texts and files cross, so that no object of
//! another realm ever reaches the SDK, whose `instanceof` checks would drop it without a word.

'use strict';

(kit) => {
  const { describe, Missing } = kit;

  /**
   * @param {(settings: object, tell: (name: string, body: object) => void, user: import('../../device.mjs').User) => object}
   *   commandsOf makes a client, gives its commands by name
   * @returns {(settingsText: string, tellText: (text: string) => void, user: import('../../device.mjs').User) =>
   *   (name: string, bodyText: string) => string} makes a client, not logged in, from the arguments of `create`;
   *   its value makes a call and gives the answer
   */
  kit.seam = (commandsOf) => (settingsText, tellText, user) => {
    const tell = (name, body) => tellText(JSON.stringify({ [name]: body }));
    const commands = commandsOf(JSON.parse(settingsText), tell, user);
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
