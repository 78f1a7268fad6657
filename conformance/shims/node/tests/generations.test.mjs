//! Users of both generations meet on the mock server: what one does the other is shown, and what only 4.x understands
//! does 3.x no harm.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startMockServer } from '../mock-server.mjs';
import { loadSdk } from '../sdk.mjs';
import { Person } from './person.mjs';

/** What a page tells besides what its calls come to: the callbacks that both generations have in some form. */
const TELLING = `
  const settings = JSON.parse(settingsText);
  const tell = (body) => tellText(JSON.stringify(body));
  const heard = [];
  const hear = (name) => (event) => void heard.push([name, event?.type ?? event?.message ?? event?.msg ?? event?.data]);
  const make = (run) => (kind, bodyText) => {
    const { n, name, args } = JSON.parse(bodyText);
    const done = (ok) => tell({ n, ok: ok ?? null });
    const failed = (error) => tell({ n, error: String(error?.type) + ' ' + String(error?.message ?? error) });
    if (kind === 'heard') done(heard.splice(0));
    else run(kind, name, args, done, failed);
    return '{}';
  };`;

const PAGE_3X = `(settingsText, tellText) => {
  ${TELLING}
  const conn = new WebIM.connection({ appKey: settings.app_key, url: settings.sockjs, apiUrl: settings.rest, isHttpDNS: false });
  conn.listen({
    onOpened: () => tell({ n: 0, ok: null }), onPresence: hear('presence'), onTextMessage: hear('text'), onError: hear('error'),
  });
  return make((kind, name, args, done, failed) => {
    if (kind === 'open') return conn.open({ user: settings.username, pwd: 'pw', appKey: settings.app_key });
    if (kind === 'send') {
      const message = new WebIM.message('txt', conn.getUniqueId());
      message.set({ ...args[0], success: (_, id) => done(id), fail: failed });
      return conn.send(message.body);
    }
    conn[name](...args);
    done();
  });
}`;

const PAGE_4X = `(settingsText, tellText) => {
  ${TELLING}
  const conn = new WebIM.connection({ appKey: settings.app_key, url: settings.websocket, apiUrl: settings.rest, isHttpDNS: false });
  conn.addEventHandler('test', {
    onConnected: () => tell({ n: 0, ok: null }), onContactInvited: hear('presence'), onContactAgreed: hear('presence'),
    onContactAdded: hear('presence'), onContactRefuse: hear('presence'), onContactDeleted: hear('presence'),
    onTextMessage: hear('text'), onError: hear('error'),
  });
  return make((kind, name, args, done, failed) => {
    if (kind === 'open') return void conn.open({ user: settings.username, pwd: 'pw' }).catch(failed);
    if (kind === 'send') return void conn.send(WebIM.message.create({ type: 'txt', ...args[0] })).then(({ serverMsgId }) => done(serverMsgId), failed);
    conn[name](...args).then(done, failed);
  });
}`;

let server;
let old;
let young;

before(async () => {
  server = await startMockServer();
  const settings = { rest: server.rest, sockjs: `${server.rest}/ws`, websocket: `${server.rest.replace('http', 'ws')}/websocket` };
  old = new Person(loadSdk('easemob-websdk-3.6.3'), PAGE_3X, { ...settings, username: 'olga' });
  young = new Person(loadSdk('easemob-websdk-4.21.1'), PAGE_4X, { ...settings, username: 'yuri' });
  await old.open();
  await young.open();
});

after(async () => {
  await Promise.all([old, young].map((person) => person?.drop()));
  server?.stop();
});

/** What a person hears until it has heard so much; a test that waits for what never comes ends by the runner's time. */
async function heard(person, count) {
  const all = [];
  while (all.length < count) {
    all.push(...(await person.call('heard', '')));
    await new Promise((turn) => setImmediate(turn));
  }
  return all;
}

const toOld = { to: 'olga', chatType: 'singleChat' };

test('whoever asks, the other generation may say yes, and either may end it', async () => {
  await young.call('plain', 'addContact', 'olga', 'hi');
  assert.deepEqual(await heard(old, 1), [['presence', 'subscribe']]);
  await old.call('plain', 'subscribed', { to: 'yuri' });
  assert.deepEqual(await heard(young, 1), [['presence', 'subscribed']]);
  assert.deepEqual((await young.call('plain', 'getContacts')).data, ['olga']);
  assert.deepEqual(await heard(old, 1), [['presence', 'subscribed']]);
  await young.call('plain', 'deleteContact', 'olga');
  for (const person of [old, young]) assert.deepEqual(await heard(person, 1), [['presence', 'unsubscribed']]);

  await old.call('plain', 'subscribe', { to: 'yuri', message: 'hi' });
  assert.deepEqual(await heard(young, 1), [['presence', 'subscribe']]);
  await young.call('plain', 'acceptContactInvite', 'olga');
  for (const person of [old, young]) assert.deepEqual(await heard(person, 1), [['presence', 'subscribed']]);
  await old.call('plain', 'removeRoster', { to: 'yuri' });
  for (const person of [old, young]) assert.deepEqual(await heard(person, 1), [['presence', 'unsubscribed']]);
});

test('what is told in JSON does 3.x no harm: the next message is shown, and no error', async () => {
  const id = await young.call('send', '', { ...toOld, msg: 'one' });
  await young.call('plain', 'addReaction', { messageId: id, reaction: '👍' });
  await young.call('send', '', { ...toOld, msg: 'two' });
  assert.deepEqual(await heard(old, 2), [['text', 'chat'], ['text', 'chat']]);
  await old.call('send', '', { to: 'yuri', msg: 'three', chatType: 'singleChat' });
  assert.deepEqual(await heard(young, 1), [['text', 'txt']]);
  assert.deepEqual(await old.call('heard', ''), []);
});
