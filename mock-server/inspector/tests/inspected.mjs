//! A server, a browser, and the inspector in it, for tests: each page of a context of its own, in which at the end
//! nothing may have gone wrong and nothing but that server was asked. With `INSPECTOR_FILES=1` the page's files are those
//! of the folder rather than those in the program, so that no build stands between a change and a look.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startMockServer } from '../../../conformance/shims/node/mock-server.mjs';
import { findSdk } from '../../../conformance/shims/node/sdk.mjs';
import { findChromium, startChromium } from '../../../conformance/shims/chromium/launch.mjs';
import { startSite } from '../../../conformance/shims/chromium/site.mjs';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..');
/** For each thing that a page should show: nothing on this machine takes seconds, unless it is busy. */
const WAIT_MAX_MS = 20_000;
export const LAPTOP = { width: 1360, height: 840 };
export const PHONE = { width: 400, height: 800 };

const PEOPLE = [{ user: { name: 'alice', password: 'pw' } }, { user: { name: 'bob', password: 'pw' } }, { group: { id: 'g1', owner: 'alice', members: ['bob'] } }];

/** Chromium itself tells of each answer that is a refusal; the page tells the reader of them in its own words. */
const isRefusal = (text) => /^Failed to load resource: the server responded with a status of (4\d\d|503)/.test(text);
const isOutage = (text) => /^Failed to load resource: net::ERR_/.test(text);

/** @param {string[]} [flags] of the server */
export async function inspected(flags) {
  const server = await startMockServer(undefined, flags);
  const browser = await startChromium(findChromium());
  const base = `${server.rest}/_mock`;
  const place = (appKey) => `${base}/${appKey.split('#').map(encodeURIComponent).join('/')}`;
  const asked = async (url, body) => {
    const response = await fetch(url, body === undefined ? undefined : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${url} ${JSON.stringify(body)}: ${response.status} ${text.slice(0, 500)}`);
    return JSON.parse(text);
  };

  /** A page on another origin with nothing in it but that SDK. */
  const pageOf = async (sdk) => {
    const html = '<!doctype html><meta charset="utf-8"><title>app</title><script src="/sdk.js"></script>';
    const site = await startSite({ '/': { type: 'text/html', body: html }, '/sdk.js': { type: 'text/javascript', body: readFileSync(findSdk(sdk).bundlePath) }, '/favicon.ico': { type: 'image/x-icon', body: '' } });
    const context = await browser.newContext();
    const tab = await context.newPage();
    tab.setDefaultTimeout(WAIT_MAX_MS);
    await tab.goto(site.origin);
    return {
      tab,
      close: async () => {
        await context.close();
        site.close();
      },
    };
  };

  /** Buttons by the key of their words: those that were on a page, and those that were pressed. */
  const buttons = { there: new Set(), pressed: new Set() };
  return {
    server,
    buttons,
    base,
    /** What a test says to a world beside the page. */
    control: (appKey, commands) => asked(`${place(appKey)}/control`, commands),
    look: (appKey, what) => asked(`${place(appKey)}/${what}`),
    close: async () => {
      await browser.close();
      server.stop();
    },

    /**
     * Runs `body` with the page at a world. `people`: alice, bob and a group of theirs are in it; `refusals`: the server is
     * expected to refuse something; `wire`: what `wire()` gave stands between the page and the server; `link`: the page's address.
     * @param {(page: import('playwright-core').Page) => Promise<void>} body
     */
    async withPage(appKey, { people = false, refusals = false, wire = undefined, link = '/_mock/', ...options }, body) {
      if (people) await asked(`${place(appKey)}/control`, PEOPLE);
      const context = await browser.newContext({ viewport: LAPTOP, locale: 'en-GB', acceptDownloads: true, ...options });
      const origin = wire?.origin ?? server.rest;
      const wrong = [];
      const elsewhere = [];
      if (process.env.INSPECTOR_FILES) {
        await context.route('**/_mock/inspector/*', (route) => route.fulfill({ path: join(FOLDER, new URL(route.request().url()).pathname.split('/').at(-1)) }));
      }
      await context.exposeFunction('toldButton', (what, key) => { buttons[what].add(key); });
      await context.addInitScript(watchButtons);
      const page = await context.newPage();
      page.setDefaultTimeout(WAIT_MAX_MS);
      page.on('console', (message) => { if (['error', 'warning'].includes(message.type()) && !(refusals && isRefusal(message.text())) && !(wire && isOutage(message.text()))) wrong.push(message.text()); });
      page.on('pageerror', (error) => wrong.push(error.stack ?? error.message));
      page.on('dialog', (dialog) => {
        wrong.push(`dialog: ${dialog.message()}`);
        dialog.dismiss();
      });
      page.on('request', (request) => { if (new URL(request.url()).origin !== origin) elsewhere.push(request.url()); });
      try {
        await page.goto(`${origin}${link}${appKey ? `#${encodeURIComponent(appKey)}` : ''}`);
        await page.waitForSelector('[role="tab"]', { state: 'attached' });
        await body(page, context);
        assert.deepEqual(wrong, [], 'the console');
        assert.deepEqual(elsewhere, [], 'requests to others');
      } catch (error) {
        // What went wrong in the page is most often why the test waited in vain.
        if (wrong.length > 0) error.message += `\nin the page: ${wrong.join('\n')}`;
        throw error;
      } finally {
        await context.close();
      }
    },

    /**
     * A wire to the server that can be cut, and mended.
     * @returns {Promise<{origin: string, cut: () => void, mend: (rest?: string) => void, close: () => void}>}
     */
    async wire() {
      const open = new Set();
      let isCut = false;
      let port = Number(new URL(server.rest).port);
      const proxy = createServer((near) => {
        if (isCut) return near.destroy();
        const far = connect(port, '127.0.0.1');
        for (const [one, other] of [[near, far], [far, near]]) {
          open.add(one);
          one.on('error', () => other.destroy());
          one.on('close', () => {
            open.delete(one);
            other.destroy();
          });
        }
        near.pipe(far).pipe(near);
        return undefined;
      });
      await new Promise((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
      const cut = () => {
        isCut = true;
        for (const socket of open) socket.destroy();
      };
      return {
        origin: `http://127.0.0.1:${proxy.address().port}`,
        cut,
        /** `rest`: another server stands at its end from now on. */
        mend: (rest) => {
          isCut = false;
          if (rest) port = Number(new URL(rest).port);
        },
        close: () => {
          cut();
          proxy.close();
        },
      };
    },

    /**
     * A page of the unmodified SDK on another origin, logged in: what an app is.
     * @returns {Promise<{send: (to: string, text: string) => Promise<void>, close: () => Promise<void>}>}
     */
    async app(appKey, user) {
      const { tab, close } = await pageOf('easemob-websdk-4.21.1');
      await tab.evaluate(async ({ appKey: key, rest, name }) => {
        globalThis.conn = new WebIM.connection({ appKey: key, isHttpDNS: false, url: `${rest.replace('http', 'ws')}/websocket`, apiUrl: rest });
        const connected = new Promise((resolve) => { globalThis.conn.addEventHandler('app', { onConnected: resolve }); });
        await globalThis.conn.open({ user: name, pwd: 'pw' });
        await connected;
      }, { appKey, rest: server.rest, name: user });
      return {
        send: (to, msg) => tab.evaluate(async (message) => { await globalThis.conn.send(WebIM.message.create({ type: 'txt', chatType: 'singleChat', ...message })); }, { to, msg }),
        close,
      };
    },

    /**
     * A page of that SDK on another origin, into which these lines are pasted.
     * @returns {Promise<{close: () => Promise<void>}>}
     */
    async pasted(sdk, code) {
      const { tab, close } = await pageOf(sdk);
      await tab.addScriptTag({ content: code });
      return { close };
    },
  };
}

/** Runs in the page: tells each button by its key, once when it is there and once when it is pressed. */
function watchButtons() {
  const told = new Set();
  const tell = (what, button) => {
    const { worded = {}, id } = button;
    const key = id || worded.text?.[0] || worded['aria-label']?.[0];
    if (key && !told.has(`${what} ${key}`)) {
      told.add(`${what} ${key}`);
      globalThis.toldButton(what, key);
    }
  };
  addEventListener('click', (event) => {
    const button = event.target.closest?.('button');
    if (button) tell('pressed', button);
  }, true);
  new MutationObserver(() => {
    for (const button of document.querySelectorAll('button')) tell('there', button);
  }).observe(document, { childList: true, subtree: true });
}

/** The labels of the rows in sight, from top to bottom. */
export const rowsIn = (page) => page.$$eval('.moment', (rows) => rows.sort((one, other) => one.at - other.at).map((row) => row.querySelector('.label').textContent));
