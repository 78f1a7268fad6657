//! An https page and the unmodified SDKs against `mock-server --tls`, which browsers let talk to https and wss alone; by the
//! usual addresses and by a world's own path. The authority is trusted by the public key in the file that the server hands
//! out, so what Chromium does not trust does not connect.

import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { findChromium, startChromium } from '../launch.mjs';
import { startMockServer } from '../../node/mock-server.mjs';
import { sdkRoot } from '../../node/sdk.mjs';

/** Where the page is: an address that is this machine's, so that no page of the network asks for this machine's servers. */
const PAGE = 'https://127.0.0.1:1/';
const WAIT_MAX_MS = 60_000;
const BUNDLES = { '3.6.3': 'Easemob-chat-3.6.3.js', '4.21.1': 'Easemob-chat.js' };

let server;
let browser;
let trusted;
before(async () => {
  server = await startMockServer(undefined, ['--tls']);
  const plain = server.rest.replace('https:', 'http:');
  const authority = new X509Certificate(await (await fetch(`${plain}/_mock/ca.crt`)).text());
  trusted = createHash('sha256').update(authority.publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
  browser = await startChromium(findChromium(), { trusted });
});
after(async () => {
  await browser?.close();
  server?.stop();
});

/** A page by https with an SDK in it, which no server gives. */
async function page(context, version) {
  const script = readFileSync(join(sdkRoot(), `node_modules/easemob-websdk-${version}`, BUNDLES[version]));
  await context.route(`${PAGE}**`, (route) => {
    if (route.request().url() === `${PAGE}sdk.js`) return route.fulfill({ contentType: 'text/javascript', body: script });
    return route.fulfill({ contentType: 'text/html', body: '<!doctype html><meta charset="utf-8"><script src="sdk.js"></script>' });
  });
  // No machine gave this page, so Chromium takes it for one of the wide network, whose user it asks before it may reach this
  // machine. A Chromium before 142 asks nobody, and does not know that there is something to allow.
  await context.grantPermissions(['local-network-access']).catch(() => {});
  const tab = await context.newPage();
  tab.setDefaultTimeout(WAIT_MAX_MS);
  await tab.goto(PAGE);
  assert.ok(await tab.evaluate(() => isSecureContext && location.protocol === 'https:'));
  return tab;
}

const log_in_3 = async ({ appKey, rest, name, send }) => {
  const conn = new WebIM.connection({ appKey, isHttpDNS: false, https: true, url: `${rest}/ws`, apiUrl: rest, isMultiLoginSessions: true });
  globalThis.texts = [];
  const opened = new Promise((resolve, reject) => {
    conn.listen({ onOpened: resolve, onError: (error) => reject(new Error(JSON.stringify(error))), onTextMessage: ({ data }) => globalThis.texts.push(data) });
  });
  conn.open({ user: name, pwd: 'pw', appKey, apiUrl: rest });
  await opened;
  if (!send) return undefined;
  const message = new WebIM.message('txt', conn.getUniqueId());
  const sent = new Promise((resolve, reject) => message.set({ msg: send.text, to: send.to, chatType: 'singleChat', success: resolve, fail: reject }));
  conn.send(message.body);
  return sent;
};

const log_in_4 = async ({ appKey, rest, name, send }) => {
  const conn = new WebIM.connection({ appKey, isHttpDNS: false, url: `${rest.replace('http', 'ws')}/websocket`, apiUrl: rest });
  globalThis.texts = [];
  const connected = new Promise((resolve) => {
    conn.addEventHandler('app', { onConnected: resolve, onTextMessage: ({ msg }) => globalThis.texts.push(msg) });
  });
  await conn.open({ user: name, pwd: 'pw' });
  await connected;
  if (send) await conn.send(WebIM.message.create({ type: 'txt', chatType: 'singleChat', to: send.to, msg: send.text }));
  // A picture, whose address must lead back by the same way.
  const form = new FormData();
  form.append('file', new Blob(['hello']), 'a.txt');
  const headers = { Authorization: `Bearer ${conn.token}` };
  const upload = await (await fetch(`${rest}/${appKey.replace('#', '/')}/chatfiles`, { method: 'POST', headers, body: form })).json();
  const file = await fetch(`${upload.uri}/${upload.entities[0].uuid}`, { headers });
  return { uri: upload.uri, content: await file.text() };
};

for (const way of ['', '/w/tls~app']) {
  test(`both generations talk to each other from https pages, at ${way || 'the usual addresses'}`, async () => {
    const rest = `${server.rest}${way}`;
    const appKey = 'tls#app';
    const contexts = [await browser.newContext(), await browser.newContext()];
    try {
      const bob = await page(contexts[0], '3.6.3');
      await bob.evaluate(log_in_3, { appKey, rest, name: 'bob' });
      const alice = await page(contexts[1], '4.21.1');
      const { uri, content } = await alice.evaluate(log_in_4, { appKey, rest, name: 'alice', send: { to: 'bob', text: `hello by ${rest}` } });
      await bob.waitForFunction((text) => globalThis.texts.includes(text), `hello by ${rest}`);
      assert.deepEqual({ uri, content }, { uri: `${rest}/tls/app/chatfiles`, content: 'hello' });
    } finally {
      for (const context of contexts) await context.close();
    }
  });
}

test('who does not trust the authority does not connect', async () => {
  const stranger = await startChromium(findChromium());
  try {
    const context = await stranger.newContext();
    const tab = await page(context, '4.21.1');
    const failed = tab.waitForEvent('requestfailed');
    await tab.evaluate((rest) => fetch(`${rest}/ws/info`).catch(() => {}), server.rest);
    assert.equal((await failed).failure().errorText, 'net::ERR_CERT_AUTHORITY_INVALID');
  } finally {
    await stranger.close();
  }
});
