//! What the SDK shows, as JSON can carry it, and the calls that it may lack. A classic script of the device's
//! realm, like all of the adapters; its value adds to the adapter's kit. It mends nothing.

'use strict';

(kit) => {
  /** Limits on what is shown of a value, against objects that are the SDK's own works and not data. */
  const SHOWN_DEPTH_MAX = 100;
  const SHOWN_PARTS_MAX = 100_000;

  /** The SDK has no such call. */
  kit.Missing = class Missing extends Error {};

  /** Chat types as the SDKs take them; 3.0.6 has none. */
  kit.CHAT_TO_SDK = { single: 'singleChat', group: 'groupChat', room: 'chatRoom' };

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

  /** What the messages of a kind show besides what all do; the text of a text has another name in each generation. */
  const file = (m) => ({ url: shown(m.url), secret: shown(m.secret), filename: shown(m.filename), file_length: shown(m.file_length) });
  kit.CONTENT_SHOWN = {
    cmd: (m) => ({ action: shown(m.action) }),
    custom: (m) => ({ event: shown(m.customEvent), exts: shown(m.customExts) }),
    location: (m) => ({ lat: shown(m.lat), lng: shown(m.lng), addr: shown(m.addr) }),
    picture: (m) => ({ ...file(m), width: shown(m.width), height: shown(m.height) }),
    file,
    audio: (m) => ({ ...file(m), length: shown(m.length) }),
    video: (m) => ({ ...file(m), length: shown(m.length) }),
  };

  /** What every message shows. @param {string | undefined} chat in DRIVER.md's words */
  kit.shownMessage = (m, chat) => ({
    id: shown(m.id),
    from: shown(m.from),
    to: shown(m.to),
    chat: shown(chat),
    ext: shown(m.ext),
    time: kit.shownTime(m.time),
  });

  /** `count` as the seed's example reads it: by the id of the message that was read. */
  kit.shownRead = ({ mid, groupReadCount, ackContent }) => {
    const event = { mid: shown(mid) };
    if (groupReadCount !== undefined) event.count = shown(groupReadCount?.[mid]);
    if (ackContent !== undefined) event.content = shown(ackContent);
    return event;
  };

  /** As the seed's example reads them. */
  kit.shownGroupAcks = (message) => {
    const statistic = message.location && JSON.parse(message.location);
    return shown(statistic?.group_ack ?? []);
  };

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
