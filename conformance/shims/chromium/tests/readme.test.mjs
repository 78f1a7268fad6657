//! The page of README.md, "An app of yours", taken from there letter by letter but for the server's port, on the unmodified
//! SDK in Chromium: with a script tag and through a bundler.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { serverProgram, startMockServer } from '../../node/mock-server.mjs';
import { findSdk, loadPackage, sdkRoot } from '../../node/sdk.mjs';
import { findChromium, startChromium } from '../launch.mjs';
import { startSite } from '../site.mjs';

const README = join(dirname(fileURLToPath(import.meta.url)), '../../../../README.md');
/** For each thing that the page should show: nothing on this machine takes seconds, unless it is busy. */
const WAIT_MAX_MS = 20_000;
/** As the page names it. */
const SCRIPT = 'node_modules/easemob-websdk/Easemob-chat.js';
const SCRIPT_TAGS = /<script src="node_modules.*?<\/script>.*\n<script src="index.js"><\/script>/;

/** Those of "Reproduce error N", in its order. */
const CODES = ['501', '502', '503', '504', '505', '506', '602', '603', '604', '605'];

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

/** README's page as a site, with the SDK beside it. */
const startReadme = () => {
  const { html, code } = page();
  return startSite({
    '/': { type: 'text/html', body: html },
    '/index.js': { type: 'text/javascript', body: code },
    [`/${SCRIPT}`]: { type: 'text/javascript', body: readFileSync(sdkFile()) },
    '/favicon.ico': { type: 'image/x-icon', body: '' },
  });
};

test('each error of "Reproduce error N" by its own line', async () => {
  const site = await startReadme();
  const section = readFileSync(README, 'utf8').split('### Reproduce error N')[1].split('\n## ')[0];
  const block = (language) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(section)[1];
  const recall = block('js');
  const lines = block('sh').trim().split('\n');
  assert.deepEqual(lines.map((line) => /errors (\d+)/.exec(line)[1]), CODES);
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    tab.setDefaultTimeout(WAIT_MAX_MS);
    await tab.goto(site.origin);
    await tab.fill('[name=user]', 'alice');
    await tab.fill('[name=password]', 'pw-alice');
    await tab.click('text=Log in');
    await tab.waitForSelector('li:has-text("logged in")');
    const send = async (text) => {
      await tab.fill('[name=to]', 'bob');
      await tab.fill('[name=text]', text);
      await tab.click('text=Send');
    };
    for (const [index, line] of lines.entries()) {
      const arm = /^cargo run -q -p mock-server -- (.*?) +# then: (send|recall)/.exec(line);
      if (arm[2] === 'send') {
        runProgram(arm[1]);
        await send('hello');
      } else {
        await send(`oops ${index}`);
        const sent = await tab.waitForSelector(`li:has-text("sent: oops ${index}")`);
        const [, id] = /\((\d+)\)/.exec(await sent.textContent());
        runProgram(arm[1]);
        await tab.evaluate(recall.replace(/'\d{19}'/, `'${id}'`));
      }
      await tab.waitForSelector(`li:has-text("failed ${CODES[index]}: ")`);
    }
    await send('and on');
    await tab.waitForSelector('li:has-text("sent: and on")');
  } finally {
    await context.close();
    site.close();
  }
});

test('each error of "Reproduce error N" on 3.6.3, in the README\'s own code for 3.x', async () => {
  const site = await startSite({
    '/': { type: 'text/html', body: '<!doctype html><script src="sdk.js"></script><script src="index.js"></script>' },
    '/index.js': { type: 'text/javascript', body: oldCode() },
    '/sdk.js': { type: 'text/javascript', body: readFileSync(findSdk('easemob-websdk-3.6.3').bundlePath) },
    '/favicon.ico': { type: 'image/x-icon', body: '' },
  });
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    tab.setDefaultTimeout(WAIT_MAX_MS);
    const sent = tab.waitForEvent('console', (entry) => /^sent \d{19}$/.test(entry.text()));
    await tab.goto(site.origin);
    await sent;
    for (const code of CODES) {
      const id = code === '504' || code === '505' ? (await tab.evaluate(sendOld)).id : null;
      runProgram(`errors ${code} --arm --user alice`);
      const shown = id ? await tab.evaluate(recallOld, id) : await tab.evaluate(sendOld);
      assert.equal(shown.failed, Number(code), JSON.stringify(shown));
    }
    assert.match((await tab.evaluate(sendOld)).id, /^\d{19}$/);
  } finally {
    await context.close();
    site.close();
  }
});

test('an error, a kick and a cut by nothing but the name in the login form', async () => {
  const site = await startReadme();
  const context = await browser.newContext();
  const logIn = async (user) => {
    const tab = await context.newPage();
    tab.setDefaultTimeout(WAIT_MAX_MS);
    await tab.goto(site.origin);
    await tab.fill('[name=user]', user);
    await tab.fill('[name=password]', 'any');
    await tab.click('text=Log in');
    return tab;
  };
  const send = async (tab, text) => {
    await tab.fill('[name=to]', 'bob');
    await tab.fill('[name=text]', text);
    await tab.click('text=Send');
  };
  try {
    const refused = await logIn('carol--501');
    await refused.waitForSelector('li:has-text("logged in")');
    await send(refused, 'rude');
    await refused.waitForSelector('li:has-text("failed 501: ")');
    await send(refused, 'polite');
    await refused.waitForSelector('li:has-text("sent: polite")');
    await refused.close();

    const shut = await logIn('carol--1');
    await shut.waitForSelector('li:has-text("failed 1: ")');
    await shut.close();

    const kicked = await logIn('carol--217');
    await kicked.waitForSelector('li:has-text("logged out")');
    await kicked.close();

    // It comes back by itself and stays.
    const cut = await logIn('carol--cut-no-frame');
    await cut.waitForSelector('li:text-is("logged in") >> nth=1');
    await send(cut, 'back');
    await cut.waitForSelector('li:has-text("sent: back")');
  } finally {
    await context.close();
    site.close();
  }
});

/** In the page, with the vendor's names of 3.x: what becomes of a text to bob. */
function sendOld() {
  return new Promise((resolve) => {
    const message = new WebIM.message('txt', conn.getUniqueId());
    message.set({ to: 'bob', msg: 'hello', success: (_, id) => resolve({ id }), fail: ({ type }) => resolve({ failed: type }) });
    conn.send(message.body);
  });
}

/** As `sendOld`, of a recall. */
function recallOld(mid) {
  return new Promise((resolve) => {
    const fail = ({ type }) => resolve({ failed: type });
    conn.recallMessage({ mid, to: 'bob', type: 'chat', success: () => resolve({}), fail });
  });
}

/** The README's lines for 3.x, with this run's server. */
function oldCode() {
  const text = readFileSync(README, 'utf8').split('In easemob-websdk 3.x:')[1];
  return /```js\n([^]*?)```/.exec(text)[1].replaceAll('http://127.0.0.1:8989', server.rest);
}

/** The program as the README's line runs it, but that it is built already and that its server has another port. */
function runProgram(words) {
  execFileSync(serverProgram(), [...words.split(' '), '--server', server.rest], { stdio: 'pipe' });
}

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
