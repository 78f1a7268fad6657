//! The page of README.md, "An app of yours", taken from there letter by letter but for the server's port, on the unmodified
//! SDK in Chromium: with a script tag and through a bundler.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startMockServer } from '../../node/mock-server.mjs';
import { loadPackage, sdkRoot } from '../../node/sdk.mjs';
import { findChromium, startChromium } from '../launch.mjs';
import { startSite } from '../site.mjs';

const README = join(dirname(fileURLToPath(import.meta.url)), '../../../../README.md');
/** For each thing that the page should show: nothing on this machine takes seconds, unless it is busy. */
const WAIT_MAX_MS = 20_000;
/** As the page names it. */
const SCRIPT = 'node_modules/easemob-websdk/Easemob-chat.js';
const SCRIPT_TAGS = /<script src="node_modules.*?<\/script>.*\n<script src="index.js"><\/script>/;

let server;
let browser;
before(async () => {
  server = await startMockServer();
  browser = await startChromium(findChromium());
});
after(async () => {
  await browser?.close();
  server?.stop();
});

test('with a script tag', async () => {
  const { html, code } = page();
  await talk({
    '/': { type: 'text/html', body: html },
    '/index.js': { type: 'text/javascript', body: code },
    [`/${SCRIPT}`]: { type: 'text/javascript', body: readFileSync(sdkFile()) },
  });
});

test('through a bundler', async () => {
  const { html, code } = page();
  const { outputFiles: [bundle] } = await loadPackage('esbuild').build({
    stdin: { contents: `import WebIM from 'easemob-websdk';\n${code}`, resolveDir: sdkRoot() },
    alias: { 'easemob-websdk': sdkFile() },
    bundle: true,
    write: false,
    logLevel: 'silent',
  });
  const bundled = html.replace(SCRIPT_TAGS, '<script src="bundle.js"></script>');
  assert.notEqual(bundled, html, 'the page should have two scripts to replace');
  await talk({
    '/': { type: 'text/html', body: bundled },
    '/bundle.js': { type: 'text/javascript', body: Buffer.from(bundle.contents) },
  });
});

/** Alice and bob open the page in two tabs of one browser; each sends the other a text, and sees both. */
async function talk(files) {
  // Every browser asks for an icon.
  const site = await startSite({ ...files, '/favicon.ico': { type: 'image/x-icon', body: '' } });
  const faults = [];
  const context = await browser.newContext();
  const open = async (user) => {
    const tab = await context.newPage();
    tab.setDefaultTimeout(WAIT_MAX_MS);
    tab.on('pageerror', (error) => faults.push(`${user}: ${error.message}`));
    tab.on('requestfailed', (request) => faults.push(`${user}: ${request.url()} ${request.failure()?.errorText}`));
    tab.on('console', (entry) => entry.type() === 'error' && faults.push(`${user}: ${entry.text()}`));
    await tab.goto(site.origin);
    await tab.fill('[name=user]', user);
    await tab.fill('[name=password]', `pw-${user}`);
    await tab.click('text=Log in');
    await tab.waitForSelector('li:has-text("logged in")');
    return tab;
  };
  const send = async (tab, to, text) => {
    await tab.fill('[name=to]', to);
    await tab.fill('[name=text]', text);
    await tab.click('text=Send');
    await tab.waitForSelector(`li:text-matches("^sent: ${text} \\\\(\\\\d+\\\\)$")`);
  };
  try {
    const [alice, bob] = [await open('alice'), await open('bob')];
    await send(alice, 'bob', 'hello');
    await bob.waitForSelector('li:text-is("alice: hello")');
    await send(bob, 'alice', 'hello yourself');
    await alice.waitForSelector('li:text-is("bob: hello yourself")');
    assert.deepEqual(faults, []);
  } finally {
    await context.close();
    site.close();
  }
}

/** The two files, with this run's server in place of the usual one. */
function page() {
  const text = readFileSync(README, 'utf8').split('## An app of yours')[1];
  const block = (language) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)[1];
  const host = new URL(server.rest).host;
  const code = block('js').replaceAll('127.0.0.1:8989', host);
  assert.ok(code.includes(host), 'the code should name the server');
  return { html: block('html'), code };
}

function sdkFile() {
  return join(sdkRoot(), 'node_modules/easemob-websdk-4.21.1/Easemob-chat.js');
}
