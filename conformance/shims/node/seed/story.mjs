//! The story of the vendor's examples: who runs which, to whom, and what must then fire, wherever the page of
//! `page.js` runs. It knows neither Node nor a browser; its people are given their devices.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const MEDIA = join(HERE, '../../../../fixtures/media');
/** The example code, a classic script. */
export const PAGE = join(HERE, 'page.js');

/** How long one callback may take: nothing on this machine takes seconds. In ms. */
const CALLBACK_MAX_MS = 10_000;

/** The files that the page's inputs hold. */
export const INPUTS = {
  image: { path: join(MEDIA, 'photo.png'), name: 'photo.png', type: 'image/png' },
  file: { path: join(MEDIA, 'notes.txt'), name: 'notes.txt', type: 'text/plain' },
  audio: { path: join(MEDIA, 'sound.mp3'), name: 'sound.mp3', type: 'audio/mpeg' },
  video: { path: join(MEDIA, 'clip.mp4'), name: 'clip.mp4', type: 'video/mp4' },
};
export const OWN_PICTURE = 'http://pictures.test/a/b.png';

/** Callbacks of the page's list that 3.6.3 never calls, and why. */
const DEAD = {
  onEmojiMessage: 'a variable of its own hides WebIM.Emoji from it; a text with emoji comes by onTextMessage',
  onInviteMessage: 'nothing calls it; an invitation comes by onPresence, with the type invite',
  onDeliveredMessage: 'with `delivery: true` it sends no receipt, so nobody ever gets one of another 3.6.3',
};
/** Calls of the page that 3.6.3 lacks. */
const MISSING = { deleteSession: 'the page documents it; 3.6.3 has no such call' };
/**
 * What runs one user's page.
 * @typedef {object} Host
 * @property {(example: string, body: object) => Promise<void> | void} run in order
 * @property {() => Promise<void>} drop
 */

/** One user before a page. */
export class Person {
  #host;
  #name;
  #awaited = [];
  #seen = 0;
  #wrong = null;
  /** `[name, body]` of each callback, in order. */
  fired = [];

  /**
   * @param {string} name
   * @param {string} rest address of the server
   * @param {(settings: object, tell: (event: object) => void) => Host} hostOf makes the page
   * @param {object} [more] settings
   */
  constructor(name, rest, hostOf, more = {}) {
    this.#name = name;
    const settings = {
      app_key: 'easemob-demo#seed', username: name, password: `pw-${name}`, device: 'web', rest, sockjs: `${rest}/ws`,
      inputs: INPUTS, url: OWN_PICTURE, own_upload: false, ...more,
    };
    this.#host = hostOf(settings, (event) => this.#take(event));
  }

  /** Runs an example. */
  run(example, body = {}) {
    console.log(`${this.#name}: ${example}()`);
    const refused = (error) => this.#take({ error: { type: null, message: `${example}: ${error.message}` } });
    Promise.resolve(this.#host.run(example, body)).catch(refused);
    return this;
  }

  /** The body of the next callback of that name that fits, from the last one awaited on. */
  async until(name, fits = () => true) {
    const deadline = AbortSignal.timeout(CALLBACK_MAX_MS);
    for (;;) {
      if (this.#wrong !== null) throw new Error(`${this.#name}: ${this.#wrong}`);
      const at = this.fired.findIndex(([fired, body], index) => index >= this.#seen && fired === name && fits(body));
      if (at !== -1) {
        return this.fired[at][1];
      }
      await new Promise((resolve, reject) => {
        this.#awaited.push(resolve);
        deadline.addEventListener('abort', () => reject(new Error(`${this.#name}: ${name} did not fire`)), { once: true });
      });
    }
  }

  /** Only what fires from now on counts for `until`. */
  mark() {
    this.#seen = this.fired.length;
    return this;
  }

  /** All that ever fired counts for `until`. */
  rewind() {
    this.#seen = 0;
    return this;
  }

  drop() {
    return this.#host.drop();
  }

  #take(event) {
    const [[name, body]] = Object.entries(event);
    console.log(`  ${this.#name}.${name} ${JSON.stringify(body)}`);
    // The page itself calls nothing `error`: it is what nothing caught.
    if (name === 'error') this.#wrong ??= body.message;
    this.fired.push([name, body]);
    for (const resolve of this.#awaited.splice(0)) resolve();
  }
}

/** The story: every example, by somebody, to somebody who sees what it brings about. */
export async function play(alice, bob, carol) {
  alice.run('open', { name: '' });
  check((await alice.until('onError')).type, 0, 'no user name');
  for (const person of [alice, bob]) {
    person.run('open');
    await person.until('onOpened');
  }

  // Texts to a user, a group and a room.
  alice.run('sendPrivateText', { to: 'bob' });
  const { serverMsgId: textId } = await alice.until('sendPrivateText success');
  await alice.until('onReceivedMessage', ({ mid }) => mid === textId);
  const text = await bob.until('onTextMessage');
  check([text.id, text.data, text.ext], [textId, 'a text of ours', { key: 'value', key2: { key3: 'value2' } }], 'the text');
  alice.run('createGroup', { members: ['bob'] });
  const { group } = await alice.until('onCreateGroup');
  await bob.until('onPresence');
  alice.run('createRoom', { members: ['bob'] });
  const { room } = await alice.until('createChatRoom');
  bob.run('joinRoom', { room });
  await bob.until('joinChatRoom');
  for (const [example, to, type] of [['sendGroupText', group, 'groupchat'], ['setChatType', group, 'groupchat'], ['sendRoomText', room, 'chatroom']]) {
    bob.mark();
    alice.run(example, { to });
    await alice.until(`${example} success`);
    check((await bob.until('onTextMessage')).type, type, example);
  }

  // Emoji, commands, custom messages, locations.
  bob.mark();
  alice.run('sendPrivateText', { to: 'bob', text: 'hi [):]' });
  check((await bob.until('onTextMessage')).data, 'hi [):]', 'the emoji');
  for (const [example, callback] of [['sendCmd', 'onCmdMessage'], ['sendCustomMsg', 'onCustomMessage'], ['sendLocation', 'onLocationMessage']]) {
    alice.run(example, { to: 'bob' });
    await bob.until(callback);
    if (example !== 'sendLocation') await alice.until(`${example} success`);
  }

  // Files.
  for (const [example, callback] of [
    ['sendPrivateImg', 'onPictureMessage'],
    ['sendPrivateFile', 'onFileMessage'],
    ['sendPrivateAudio', 'onAudioMessage'],
    ['sendPrivateVideo', 'onVideoMessage'],
  ]) {
    alice.mark().run(example, { to: 'bob' });
    await alice.until(`${example} onFileUploadProgress`, ({ loaded, total }) => loaded === total);
    await alice.until(`${example} onFileUploadComplete`);
    await alice.until(`${example} success`);
    await bob.until(callback);
  }
  for (const kind of ['audio', 'video']) {
    const { url, sha256 } = await bob.until(`${kind} onFileDownloadComplete`);
    check(url.startsWith('blob:'), true, `the object URL of the ${kind}`);
    check(sha256, createHash('sha256').update(readFileSync(INPUTS[kind].path)).digest('hex'), `the bytes of the ${kind}`);
  }
  bob.mark();
  alice.run('paste', { to: 'bob' });
  await alice.until('paste onFileUploadComplete');
  await alice.until('paste success');
  await bob.until('onPictureMessage');
  carol.run('open');
  await carol.until('onOpened');
  alice.run('sendPrivateUrlImg', { to: 'carol' });
  check((await carol.until('onPictureMessage')).url, OWN_PICTURE, 'the picture by its url, with useOwnUploadFun');

  // Recall.
  alice.run('recallMessage', { mid: textId, to: 'bob' });
  await alice.until('recallMessage success');
  check((await bob.until('onRecallMessage')).mid, textId, 'the recall');

  // Contacts, the block list, a mute.
  bob.mark().run('subscribe', { name: 'alice' });
  await alice.until('onPresence', ({ type }) => type === 'subscribe');
  alice.run('subscribed', { name: 'bob' });
  await bob.until('onPresence', ({ type }) => type === 'subscribed');
  alice.run('getRoster');
  check(await alice.until('onRoster'), { names: ['bob'] }, 'the contacts');
  bob.run('block', { name: 'alice' });
  check(await bob.until('onBlacklistUpdate'), { names: ['alice'] }, 'the block list');
  alice.run('sendPrivateText', { to: 'bob' });
  check(await alice.until('sendPrivateText fail'), { type: 603 }, 'a text to a user who blocks');
  bob.mark().run('unblock', { name: 'alice' });
  check(await bob.until('onBlacklistUpdate'), { names: [] }, 'the block list');
  alice.run('mute', { group, name: 'bob' });
  await alice.until('mute');
  bob.run('sendGroupText', { to: group });
  await bob.until('onMutedMessage');
  alice.run('unmute', { group, name: 'bob' });
  await alice.until('removeMute');

  // History and sessions.
  alice.run('fetchHistoryMessages', { queue: 'bob' });
  const { ids } = await alice.until('fetchHistoryMessages success');
  check([ids.length > 0, ids.includes(textId)], [true, false], 'the history, without what was recalled');
  bob.run('getSessionList');
  const { channels } = await bob.until('getSessionList');
  const withAlice = channels.find(([id]) => id === 'easemob-demo#seed_alice@easemob.com');
  check(withAlice !== undefined && withAlice[1] > 0, true, "bob's session with alice, unread");
  alice.run('deleteSession', { channel: 'bob' });
  await alice.until('deleteSession missing');

  // Receipts.
  bob.mark();
  alice.mark().run('sendPrivateText', { to: 'bob' });
  const { serverMsgId: readId } = await alice.until('sendPrivateText success');
  await bob.until('onTextMessage', ({ id }) => id === readId);
  bob.run('sendRead', { id: readId, from: 'alice' });
  check(await alice.until('onReadMessage'), { id: readId }, 'the read receipt');
  bob.run('sendChannelAck', { to: 'alice' });
  await alice.until('onChannelMessage');
  bob.mark().run('getSessionList');
  const after = (await bob.until('getSessionList')).channels;
  check(after.find(([id]) => id === withAlice[0])?.[1], 0, "bob's session with alice, read");
  const asked = async () => {
    bob.mark();
    alice.mark().run('sendGroupReadMsg', { to: group });
    const { serverMsgId: id } = await alice.until('sendGroupReadMsg success');
    await bob.until('onTextMessage');
    return id;
  };
  const first = await asked();
  bob.run('sendReadMsg', { id: first, from: 'alice' });
  check(await alice.until('onReadMessage'), { id: first, groupReadCount: 1 }, 'the group receipt');
  alice.run('getGroupMsgReadUser', { msgId: first, groupId: group });
  check(await alice.until('getGroupMsgReadUser'), { users: ['bob'] }, 'the readers');
  bob.mark().run('sendGroupChannelAck', { to: group });
  await bob.until('onReceivedMessage');
  const second = await asked();
  alice.run('close');
  await alice.until('onClosed');
  bob.mark().run('sendReadMsg', { id: second, from: 'alice' });
  await bob.until('onReceivedMessage');
  alice.mark().run('open');
  await alice.until('onOpened');
  const { groupAck } = await alice.until('onStatisticMessage', (body) => body.groupAck.length > 0);
  check(JSON.stringify(groupAck).includes(second), true, 'the receipts that came while she was away');
}

export function check(shown, wanted, what) {
  if (isDeepStrictEqual(shown, wanted)) return;
  throw new Error(`${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(shown)}`);
}

/** The callbacks that the page listens to, by its own text. */
function listened() {
  return [...readFileSync(PAGE, 'utf8').matchAll(/^    (on\w+): (?:function \(|\()/gm)].map(([, name]) => name);
}

/**
 * Prints what became of each callback.
 * @param {Person[]} people
 * @param {Record<string, string>} left what this page cannot have fire, and why
 * @returns {string[]} those that should have fired and did not
 */
export function summary(people, left) {
  const fired = new Map();
  for (const [name] of people.flatMap((person) => person.fired)) fired.set(name, (fired.get(name) ?? 0) + 1);
  const silent = [];
  console.log('\nThe callbacks of conn.listen:');
  for (const name of listened()) {
    const times = fired.get(name);
    if (times) console.log(`  fired    ${name}, ${times} times`);
    else if (name in DEAD) console.log(`  dead     ${name}: ${DEAD[name]}`);
    else if (name in left) console.log(`  left     ${name}: ${left[name]}`);
    else silent.push(name);
    if (times && (name in DEAD || name in left)) silent.push(`${name} (it fired, and is said not to)`);
  }
  for (const [name, why] of Object.entries(MISSING)) console.log(`  missing  ${name}: ${why}`);
  console.log('Left for another host:');
  for (const [name, why] of Object.entries(left)) console.log(`  ${name}: ${why}`);
  return silent;
}
