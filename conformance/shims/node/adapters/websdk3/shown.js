//! What the SDK shows, as JSON can carry it, and the calls that it may lack. A classic script of the device's
//! realm, like all of this folder; its value adds to the adapter's kit. It mends nothing.

'use strict';

(kit) => {
  /** Limits on what is shown of a value, against objects that are the SDK's own works and not data. */
  const SHOWN_DEPTH_MAX = 100;
  const SHOWN_PARTS_MAX = 100_000;

  /** The SDK has no such call. */
  kit.Missing = class Missing extends Error {};

  /** Chat types as the 3.6.3 takes them, as recall takes them, and as received messages show them (`type`). */
  kit.CHAT_TO_SDK = { single: 'singleChat', group: 'groupChat', room: 'chatRoom' };
  kit.CHAT_TO_RECALL = { single: 'chat', group: 'groupchat', room: 'chatroom' };
  kit.CHAT_SHOWN = { chat: 'single', groupchat: 'group', chatroom: 'room' };

  kit.checkChat = (chat) => {
    if (!Object.hasOwn(kit.CHAT_TO_SDK, chat)) throw new Error(`chat must be single, group or room, not ${chat}`);
  };

  /** `subject[name](…)`, or the news that the SDK lacks it. */
  kit.call = (subject, subjectName, name, ...values) => {
    if (typeof subject?.[name] !== 'function') throw new kit.Missing(`${subjectName}.${name}`);
    return subject[name](...values);
  };

  kit.describe = (error) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

  kit.shownError = (error) => {
    const thrown = error instanceof Error;
    const event = { type: shown(error?.type), message: thrown ? kit.describe(error) : shown(error?.message) };
    if (error?.data !== undefined) event.data = shown(error.data);
    return event;
  };

  /** The SDK puts a reason in one of three places, by the kind of failure. */
  kit.reasonOf = (failure) => shown(failure?.reason ?? failure?.data?.reason ?? failure?.message);

  /** The SDK shows ms as a text of digits; DRIVER.md has a number. */
  kit.shownTime = (time) => (typeof time === 'string' && /^\d{1,15}$/.test(time) ? Number(time) : shown(time));

  /**
   * A value as JSON can carry it, with what the app would read from it: not toJSON, by which protobuf objects
   * give other values than their properties have.
   */
  function shown(value, within = [], left = { parts: SHOWN_PARTS_MAX }) {
    if (value === undefined || value === null) return null;
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
    if (typeof value !== 'object') return value;
    if (value instanceof Error) return { name: value.name, message: value.message };
    if (within.includes(value)) return '[circular]';
    if (within.length === SHOWN_DEPTH_MAX || left.parts <= 0) return '[more]';
    const inner = [...within, value];
    const part = (item) => {
      left.parts -= 1;
      return shown(item, inner, left);
    };
    if (Array.isArray(value)) return value.map(part);
    return Object.fromEntries(Object.keys(value).map((key) => [key, key === 'xhr' ? '[request]' : part(value[key])]));
  }
  kit.shown = shown;
};
