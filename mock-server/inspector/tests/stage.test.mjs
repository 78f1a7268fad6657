//! Staging by clicks: every entry of the server's catalog, every fault at the door, what it says, and that it is taken back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { device } from './device.mjs';
import { inspected } from './inspected.mjs';
import { loadPackage } from '../../../conformance/shims/node/sdk.mjs';

let here;
before(async () => { here = await inspected(); });
after(() => here?.close());

const noteSays = (page, words) => page.waitForSelector(`.notes .note:has-text("${words}")`);
/** The groups of the catalog, and those that are closed at first. */
const openAll = (page) => page.$$eval('.catalog .group', (groups) => groups.forEach((group) => { group.open = true; }));
const doors = async (path) => (await (await fetch(`${here.base}${path}`)).json()).doors;

/** What becomes of a WebSocket's handshake there. */
const knocks = (path) => new Promise((resolve) => {
  const { WebSocket } = loadPackage('ws');
  const socket = new WebSocket(`${here.server.rest.replace('http', 'ws')}${path}/websocket`);
  socket.on('open', () => {
    socket.terminate();
    resolve('opened');
  });
  socket.on('unexpected-response', (request, { statusCode }) => {
    request.destroy();
    resolve(statusCode);
  });
  socket.on('error', () => resolve('refused'));
});

test('each entry of the catalog is armed by its button, says what was armed and what to do then, and is taken back', async () => {
  const appKey = 'every#entry';
  const { errors, situations, profiles } = await (await fetch(`${here.base}/catalog`)).json();
  const all = [...situations, ...errors, ...profiles];
  assert.ok(all.length > 100, `${all.length} entries`);
  // Each has a user of its own, who is there: some need a device that can be hit, and some remove whom they hit.
  const devices = await Promise.all(all.map((_, at) => device(here.server.rest, appKey, `user${at}`)));
  try {
    await here.withPage(appKey, {}, async (page) => {
      await page.click('#tab-stage');
      await page.waitForFunction((count) => document.querySelectorAll('.catalog .entry').length >= count, all.length);
      const records = await page.evaluate(clickThrough, all.map(({ name }) => name));
      for (const [at, { name, arm, rules }] of all.entries()) {
        const [record, user] = [records[at], `user${at}`];
        const lines = rules ?? arm.map((one) => one.fault?.rule ?? JSON.stringify(one));
        const waits = rules !== undefined || arm.some((one) => one.fault?.rule !== undefined);
        assert.equal(record.buttons, 1, name);
        assert.equal(record.told, `${name} is ${waits ? 'armed' : 'done'} for ${user}.`);
        assert.ok(record.then.length > 10, `${name}: what to do then`);
        assert.doesNotMatch(record.then, /[{}]/, name);
        assert.equal(record.lines.length, lines.length, name);
        for (const line of record.lines) assert.doesNotMatch(line, /\{user\}/, name);
        assert.deepEqual(record.rules, record.lines.filter((line) => !line.startsWith('{')), name);
        assert.equal(record.says, waits ? 'Take back' : 'It has happened; there is nothing to take back.', name);
        assert.deepEqual(record.left, [], `${name} is taken back`);
      }
    });
  } finally {
    for (const one of devices) one.close();
  }
});

/** Runs in the page: presses the button of each entry, for a user of its own, notes what is shown, and takes it back. */
async function clickThrough(names) {
  const until = (look) => new Promise((resolve) => {
    const observer = new MutationObserver(() => tell());
    const tell = () => {
      const found = look();
      if (!found) return;
      observer.disconnect();
      resolve(found);
    };
    observer.observe(document.body, { childList: true, subtree: true });
    tell();
  });
  const rules = async () => (await (await fetch('/_mock/every/entry/rules')).json()).rules.map(({ text }) => text);
  const user = document.querySelector('[name=user]');
  const records = [];
  for (const [at, name] of names.entries()) {
    user.value = `user${at}`;
    user.dispatchEvent(new Event('input', { bubbles: true }));
    const buttons = document.querySelectorAll(`.entry[data-name="${CSS.escape(name)}"] > .strong`);
    buttons[0].click();
    const note = await until(() => document.querySelector('.told .note, .notes .bad'));
    const [back, happened] = [note.querySelector('[data-w=takeBack]'), note.querySelector('[data-w=happened]')];
    const record = {
      buttons: buttons.length,
      told: (note.querySelector('b') ?? note).textContent,
      then: note.querySelector('.then')?.textContent,
      lines: [...note.querySelectorAll('code')].map((code) => code.textContent),
      rules: await rules(),
      says: (happened ?? back)?.textContent,
    };
    records.push(record);
    (happened ? note.querySelector('.quiet') : back).click();
    await until(() => !document.querySelector('.told .note'));
    record.left = await rules();
  }
  return records;
}

test('each fault at the door is armed by its button, for the server or for one world, listed with its hits, and taken away', async () => {
  const appKey = 'the#door';
  const [server, world] = ['/doors', '/the/door/doors'];
  await here.withPage(appKey, { people: true }, async (page) => {
    await page.click('#tab-stage');
    await page.waitForSelector('.doors', { state: 'attached' });
    await openAll(page);
    const buttons = page.locator('.doors .entry > .strong');
    const once = ['refuse next connection', 'refuse next connection with reset', 'refuse info with 503 next 1', 'refuse upgrade with 401 next 1', 'never open next 1', 'slow open 5s next 1'];
    const every = ['refuse every connection', 'refuse every connection with reset', 'refuse info with 503', 'refuse upgrade with 401', 'never open', 'slow open 5s'];
    for (const [whom, tries, path, lines, says, then] of [
      ['server', '1', server, once, 'Armed at the server’s door.', /the next tries run into it, later ones get through\.$/],
      ['world', '', world, every, 'Armed at this world’s own path.', /until it is taken back\. Only clients that connect through \/w\/the~door meet it\.$/],
    ]) {
      await page.selectOption('[name=whom]', whom);
      await page.fill('[name=tries]', tries);
      for (const [at, line] of lines.entries()) {
        await buttons.nth(at).click();
        const armed = page.locator(`.told .note:has(b:text-is("${says}")):has(code:text-is("${line}"))`);
        assert.match(await armed.locator('.then').innerText(), then);
        assert.deepEqual((await doors(path)).map(({ text, armed: waits }) => [text, waits]), [[line, true]]);
        await page.waitForSelector(`.rule:has-text("${line}"):has-text("${whom === 'server' ? 'at the server’s door' : 'at /w/the~door'}")`);
        await armed.locator('text="Take back"').click();
        await page.waitForSelector('.rule', { state: 'detached' });
        assert.deepEqual(await doors(path), []);
      }
    }
    // No tries are none that the field takes.
    await page.fill('[name=tries]', '0');
    await buttons.first().click();
    assert.equal(await page.$eval('[name=tries]', (input) => input.validity.rangeUnderflow), true);
    assert.deepEqual(await doors(world), []);

    // Who comes by the world's path meets it, and nobody else does.
    await page.fill('[name=tries]', '2');
    await buttons.first().click();
    await page.waitForSelector('.rule:has-text("0 hits")');
    assert.equal(await page.innerText('#tab-stage .badge'), '1');
    assert.deepEqual([await knocks(''), await knocks('/w/the~door'), await knocks('/w/the~door'), await knocks('/w/the~door')], ['opened', 'refused', 'refused', 'opened']);
    await page.waitForSelector('.rule.spent:has-text("done: 2 hits")');
    await page.waitForSelector('#tab-stage .badge', { state: 'hidden' });
    await page.click('.rule >> text="Remove"');
    await page.waitForSelector('.rule', { state: 'detached' });

    // At the server's door everybody does, until it is disarmed; all at once, too.
    await page.selectOption('[name=whom]', 'server');
    await page.fill('[name=door]', 'refuse upgrade with 418');
    await page.click('text="Arm at the door"');
    await noteSays(page, 'The door fault is armed.');
    assert.deepEqual([await knocks(''), await knocks('/w/the~door')], [418, 418]);
    await page.waitForSelector('.rule.hit:has-text("2 hits")');
    await page.click('.rule >> text="Disarm"');
    await page.waitForSelector('.rule', { state: 'detached' });
    assert.equal(await knocks(''), 'opened');
    for (const whom of ['server', 'world']) {
      await page.selectOption('[name=whom]', whom);
      await buttons.nth(4).click();
      await page.waitForSelector(`.rule:has-text("${whom === 'server' ? 'server’s door' : 'at /w/'}")`);
    }
    await page.fill('[name=rule]', 'on next text from alice: drop');
    await page.click('text="Arm the rule"');
    await page.waitForFunction(() => document.querySelectorAll('.rule').length === 3);
    await page.click('text="Disarm all"');
    await page.waitForSelector('.rule', { state: 'detached' });
    assert.deepEqual([await doors(server), await doors(world), (await here.look(appKey, 'rules')).rules], [[], [], []]);
  });
});

test('a slip in a door fault of one’s own is shown where it is', () => here.withPage('slip#door', { people: true, refusals: true }, async (page) => {
  await page.click('#tab-stage');
  await page.waitForSelector('.entry', { state: 'attached' });
  await openAll(page);
  await page.fill('[name=door]', 'refuse info witj 503');
  await page.click('text="Arm at the door"');
  await page.waitForSelector('#door-error');
  const words = await page.innerText('#door-error');
  assert.match(words, /column 13: expected .*\n+ *refuse info witj 503\n *\^$/);
  assert.equal(await page.evaluate(() => {
    const { value, selectionStart, selectionEnd } = document.querySelector('[name=door]');
    return value.slice(selectionStart, selectionEnd);
  }), 'witj');
  assert.deepEqual(await doors('/doors'), []);
}));

test('entries are found by what they say in either language, and by their rules; the door is among them', () => here.withPage('find#it', { people: true }, async (page) => {
  await page.click('#tab-stage');
  await page.waitForFunction(() => document.querySelectorAll('.catalog .entry').length > 100);
  const found = async (words) => {
    await page.fill('.sheet > [type=search]', words);
    return page.$$eval('.catalog .entry', (entries) => entries.filter((entry) => entry.checkVisibility()).length);
  };
  assert.equal(await found('handshake 401'), 1);
  assert.equal(await found('握手返回'), 1);
  assert.ok(await found('sensitive') >= 1);
  assert.equal(await found('no entry has these'), 0);
  await page.waitForSelector('text="No entry has these words."');
  assert.ok(await found('') > 10);
  // Another user's command is ready to copy, for this world of this server.
  await page.fill('[name=user]', 'bob');
  const entry = page.locator('.entry[data-name="501"]');
  await entry.locator('summary').click();
  assert.equal(await entry.locator('.command code').innerText(), `mock-server errors 501 --arm --user bob --world 'find#it' --server ${here.server.rest}`);
}));

test('the options that are shown are those with which an unmodified SDK comes here, by the world’s own path, too', async () => {
  for (const [sdk, at] of [['easemob-websdk-4.21.1', 0], ['easemob-websdk-3.6.3', 1]]) {
    for (const own of [false, true]) {
      const appKey = `own#path-${at}-${own}`;
      // A fault at the world's own door tells the two ways apart; it makes the world, in which nobody has a password yet.
      await fetch(`${here.base}/own/path-${at}-${own}/doors`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '"slow open 1ms next 1"' });
      await here.withPage(appKey, {}, async (page) => {
        await page.click('#tab-connect');
        await page.setChecked('[name=own]', own);
        const code = await page.locator('.panel .snippet pre').nth(at).innerText();
        assert.equal(code.includes(`/w/own~path-${at}-${own}/`), own, code);
        const app = await here.pasted(sdk, code);
        try {
          await page.waitForSelector('.lane-head b:text-is("alice")');
          await page.waitForSelector('.label:has-text("provision OK")');
          const [{ hits }] = await doors(`/own/path-${at}-${own}/doors`);
          assert.equal(hits, own ? 1 : 0);
        } finally {
          await app.close();
        }
      });
    }
  }
});
