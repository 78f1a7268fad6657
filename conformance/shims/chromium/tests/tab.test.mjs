//! What a tab tells of its page, keeps from the next one, and does as a person would; in a real Chromium, against a
//! server of another origin.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { loadPackage } from '../../node/sdk.mjs';
import { advance, clockScript } from '../clock.mjs';
import { findChromium, startChromium } from '../launch.mjs';
import { settled } from '../quiet.mjs';
import { startSite } from '../site.mjs';
import { Tab } from '../tab.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const PHOTO = join(HERE, '../../../../fixtures/media/photo.png');
/** Runs `eval` on what it is told, in place of an SDK. */
const ADAPTER = `(kit) => { kit.attach = (settings, tell, user) => (name, body) => {
  const value = (0, eval)(JSON.parse(body).code)({ tell, user });
  return JSON.stringify({ ok: value ?? {} });
}; }`;

let browser, site, other, sockets, folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tab-test-'));
  browser = await startChromium(findChromium());
  const script = (body) => ({ type: 'text/javascript', body });
  site = await startSite({
    '/': { type: 'text/html', body: readFileSync(join(HERE, '../page/index.html')) },
    '/page.js': script(readFileSync(join(HERE, '../page/page.js'))),
    '/clock.js': script(clockScript()),
    '/sdk.js': script(''),
    '/adapter.js': script(`conformance.adapter([${JSON.stringify(ADAPTER)}]);`),
  });
  other = createServer((request, response) => {
    const open = request.url.startsWith('/open') ? { 'Access-Control-Allow-Origin': '*' } : {};
    response.writeHead(request.url.endsWith('404') ? 404 : 200, open).end('x');
  });
  await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { WebSocketServer } = loadPackage('ws');
  sockets = new WebSocketServer({ server: other });
});
after(async () => {
  await browser?.close();
  site?.close();
  other?.closeAllConnections();
  other?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A tab with its page, and what it tells. */
async function withTab(body) {
  const tab = await Tab.open(browser, site.origin);
  await tab.loaded;
  const events = [];
  const listener = { tell: (event) => events.push(event), remark: () => {} };
  tab.listen(listener);
  await tab.call('create', '{}');
  const run = async (code) => JSON.parse(await tab.call('run', 'x', JSON.stringify({ code })));
  try {
    await body({ tab, events, listener, run, origin: `http://127.0.0.1:${other.address().port}` });
  } finally {
    await tab.close();
  }
}

for (const [what, code, words] of [
  ['console.error', () => "() => console.error('so it is')", 'console.error: so it is'],
  ['an exception in a callback', () => "() => void setTimeout(() => { throw new TypeError('oh') })", 'uncaught: TypeError: oh'],
  ['an exception in an event', () => "() => { addEventListener('mine', () => { throw new TypeError('oh') }); dispatchEvent(new Event('mine')); }", 'uncaught: TypeError: oh'],
  ['a rejection that nobody handles', () => "() => void Promise.reject(new Error('oh'))", 'uncaught: Error: oh'],
  ['a request without CORS', (origin) => `() => void fetch('${origin}/closed').catch(() => {})`, 'blocked'],
  ['a request to another host', () => "() => void fetch('http://example.test/').catch(() => {})", 'the client asked for http://example.test/'],
]) {
  test(`tells of ${what}`, () =>
    withTab(async ({ tab, events, run, origin }) => {
      await run(code(origin));
      await settled([tab]);
      assert.ok(events.length > 0, 'nothing was told');
      assert.ok(events.every(({ error }) => error.type === null), JSON.stringify(events));
      assert.ok(events.some(({ error }) => error.message.includes(words)), JSON.stringify(events));
    }));
}

test('keeps to itself what the browser remarks on a refusal', () =>
  withTab(async ({ tab, events, run, origin }) => {
    await run(`() => void fetch('${origin}/open/404')`);
    await settled([tab]);
    assert.deepEqual(events, []);
  }));

test('waits for what is on its way and for what that brings about', () =>
  withTab(async ({ tab, events, run, origin }) => {
    const connected = new Promise((resolve) => sockets.once('connection', resolve));
    await run(`({ tell }) => {
      const socket = new WebSocket('${origin.replace('http', 'ws')}');
      socket.onmessage = ({ data }) => fetch('${origin}/open/' + data).then(() => tell('{"got":"' + data + '"}'));
    }`);
    const socket = await connected;
    await new Promise((resolve) => socket.send('one', resolve));
    await settled([tab]);
    assert.deepEqual(events, [{ got: 'one' }]);
  }));

test('leaves nothing to the next page, and nothing of it is told', () =>
  withTab(async ({ tab, events, listener, run, origin }) => {
    const connected = new Promise((resolve) => sockets.once('connection', resolve));
    await run(`({ tell }) => {
      localStorage.setItem('left', 'behind');
      window.left = 'behind';
      const socket = new WebSocket('${origin.replace('http', 'ws')}');
      socket.onclose = () => tell('{"closed":{}}');
    }`);
    const socket = await connected;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await tab.setOnline(false);
    await tab.renew();
    await closed;
    await tab.loaded;
    tab.listen(listener);
    await tab.call('create', '{}');
    const left = await run('() => [localStorage.length, window.left === undefined, navigator.onLine]');
    assert.deepEqual(left, { ok: [0, true, true] });
    assert.deepEqual(events, []);
  }));

test('tells what a page showed while it loaded', () =>
  withTab(async ({ tab, events, listener }) => {
    await tab.page.addInitScript(() => console.error('early'));
    await tab.renew();
    await tab.loaded;
    tab.listen(listener);
    assert.deepEqual(events, [{ error: { type: null, message: 'console.error: early' } }]);
  }));

test('two tabs share no storage', () =>
  withTab(async ({ run }) => {
    await run("() => localStorage.setItem('mine', '1')");
    await withTab(async ({ run: runElsewhere }) => {
      assert.deepEqual(await runElsewhere('() => localStorage.length'), { ok: 0 });
    });
    assert.deepEqual(await run('() => localStorage.length'), { ok: 1 });
  }));

for (const [name, mediaType] of [
  ['photo.png', 'image/png'],
  ['notes of mine.txt', 'text/plain'],
  ['报告 (1) "x".txt', 'text/plain'],
  ['of another type.png', 'application/octet-stream'],
]) {
  test(`a person chooses ${name} as ${mediaType}`, () =>
    withTab(async ({ tab, run, events }) => {
      const path = join(folder, 'source');
      writeFileSync(path, 'what is in it');
      await tab.choose(path, name, mediaType);
      const read = `({ tell, user }) => {
        const [file] = user.fileInput().files;
        user.sha256(file, (sha256) => tell(JSON.stringify({ sha256 })));
        return [file instanceof File, file.name, file.type, file.size];
      }`;
      assert.deepEqual(await run(read), { ok: [true, name, mediaType, 13] });
      await settled([tab]);
      assert.deepEqual(events, [{ sha256: createHash('sha256').update('what is in it').digest('hex') }]);
    }));
}

test('a person pastes a picture: a file in an event that no script made', () =>
  withTab(async ({ tab, run, events }) => {
    await run(`({ tell }) => document.addEventListener('paste', (event) => tell(JSON.stringify({ trusted: event.isTrusted })))`);
    await tab.choose(PHOTO, 'photo.png', 'image/png');
    await tab.paste();
    const pasted = await run('({ user }) => [user.pasted() instanceof File, user.pasted().type, user.pasted().size > 0]');
    assert.deepEqual(pasted, { ok: [true, 'image/png', true] });
    assert.deepEqual(events, [{ trusted: true }]);
  }));

test('draws what it is given, and says so when it is none', () =>
  withTab(async ({ tab, events, origin }) => {
    const url = `data:image/png;base64,${readFileSync(PHOTO).toString('base64')}`;
    await tab.call('render', { handle: 'r1', url, element: 'img' });
    await tab.call('render', { handle: 'r2', url: `${origin}/open/nothing`, element: 'video' });
    await settled([tab]);
    const byHandle = Object.fromEntries(events.map((event) => [Object.values(event)[0].handle, event]));
    assert.deepEqual(byHandle, {
      r1: { rendered: { handle: 'r1', width: 96, height: 72 } },
      r2: { render_failed: { handle: 'r2' } },
    });
  }));

test('the network goes and comes back', () =>
  withTab(async ({ tab, run, events }) => {
    await run(`({ tell }) => { for (const name of ['online', 'offline']) addEventListener(name, () => tell('"' + name + '"')); }`);
    await tab.setOnline(false);
    await settled([tab]);
    await tab.setOnline(true);
    await settled([tab]);
    assert.deepEqual(events, ['offline', 'online']);
  }));

test('the clocks of two pages are moved as one, and nothing runs before its time', () =>
  withTab(async ({ tab: one, events, run }) =>
    withTab(async ({ tab: other, listener, run: runInOther }) => {
      other.listen({ ...listener, tell: (event) => events.push(event) });
      const start = 1_640_908_800_000;
      for (const tab of [one, other]) await tab.call('setClock', start);
      const timer = (name, ms) => `setTimeout(() => tell(JSON.stringify(['${name}', Date.now() - ${start}, new Date().getTime() - ${start}])), ${ms});`;
      await run(`({ tell }) => { ${timer('one', 600)} ${timer('one', 10)} }`);
      await runInOther(`({ tell }) => { ${timer('other', 300)} ${timer('other', 2)} }`);
      const tabs = [one, other];
      const move = (ms) => advance(tabs, ms, () => settled(tabs));
      // What means "in a moment" needs no time.
      assert.equal(await move(0), 10);
      assert.deepEqual(events.splice(0), [['other', 0, 0]]);
      assert.equal(await move(9), 1);
      assert.deepEqual(events.splice(0), []);
      assert.equal(await move(391), 200);
      assert.deepEqual(events.splice(0), [['one', 10, 10], ['other', 300, 300]]);
      assert.equal(await move(1000), null);
      assert.deepEqual(events, [['one', 600, 600]]);
      assert.equal((await run('() => [new Date() instanceof Date, Date.now()]')).ok[1], start + 1400);
    })));
