//! The inspector as people meet it: the built server's own page in a real Chromium, beside an app that it watches.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { PHONE, inspected, rowsIn } from './inspected.mjs';

const MARKUP = '<img src=x onerror=alert(1)>';
/** WCAG 2 AA for text of usual size. */
const CONTRAST_MIN = 4.5;

let here;
before(async () => { here = await inspected(); });
after(() => here?.close());

const noteSays = (page, words) => page.waitForSelector(`.notes .note:has-text("${words}")`);
const live = (page) => page.waitForSelector('#line[data-state="live"]');

test('the first look says what to do, and an app that logs in shows up by itself', async () => {
  await here.withPage('', {}, async (page) => {
    await page.waitForSelector('h2:text("Nobody has connected yet")');
    const code = await page.innerText('.welcome .snippet >> nth=0');
    assert.ok(code.includes(`url: '${here.server.rest.replace('http', 'ws')}/websocket'`), code);
    assert.ok(code.includes('isHttpDNS: false'), code);
    const app = await here.app('first#look', 'alice');
    try {
      await live(page);
      assert.equal(await page.inputValue('#world'), 'first#look');
      await page.waitForSelector('.lane-head b:text-is("alice")');
      await page.waitForSelector('.moment .label:has-text("provision OK")');
      await page.waitForSelector('.person .name:text-is("alice")');
      await app.send('bob', 'hello from the app');
      await page.waitForSelector('.arrow.socket.right .label:has-text("text “hello from the app” → bob")');
      await page.waitForSelector('.arrow.socket.left .label:has-text("answer OK")');
      await page.waitForSelector('.arrow.http .label:has-text("/token")');

      await page.click('.label:has-text("hello from the app")');
      const decoded = await page.innerText('.detail .tree');
      assert.match(decoded, /command: "SYNC"/);
      assert.match(decoded, /text: "hello from the app"/);
      assert.match(await page.innerText('.detail .hex'), /^0000 {2}[0-9a-f]{2} /);
    } finally {
      await app.close();
    }
    await page.waitForSelector('.moment .arrow.control .label:has-text("closed")');
  });
});

test('send as anyone, and see it wait', () => here.withPage('send#as', { people: true }, async (page) => {
  await page.click('#tab-send');
  await page.fill('[name=from]', 'alice');
  await page.fill('[name=to]', 'bob');
  await page.fill('[name=text]', 'are you there?');
  await page.click('text=Swap');
  assert.equal(await page.inputValue('[name=from]'), 'bob');
  await page.click('text=Swap');
  await page.click('.form >> text="Send"');
  await noteSays(page, 'Sent from alice to bob.');
  assert.equal(await page.inputValue('[name=text]'), '');
  await page.click('#tab-users');
  await page.waitForSelector('.person:has(.name:text-is("bob")) .unread:text-is("1 unread")');
  await page.click('.person:has(.name:text-is("bob")) summary');
  await page.waitForSelector('.person .plain-list li:has-text("alice") .count');
  await page.click('#tab-send');
  await page.fill('[name=to]', 'g1');
  assert.equal(await page.inputValue('[name=chat]'), 'group');
}));

test('a refusal is told in the server’s words', () => here.withPage('refused#send', { people: true, refusals: true }, async (page) => {
  await here.control('refused#send', { settings: { strict: true } });
  await page.click('#tab-send');
  await page.fill('[name=from]', 'alice');
  await page.fill('[name=to]', 'nobody-of-that-name');
  await page.fill('[name=text]', 'x');
  await page.click('.form >> text="Send"');
  await noteSays(page, 'Not done: the server refused.');
  assert.match(await page.innerText('.notes .lines'), /nobody-of-that-name/);
  await page.click('.notes [aria-label="Close"]');
  assert.equal(await page.$$eval('.notes .note', (all) => all.length), 0);
}));

test('an entry of the catalog is armed by a click, listed, and disarmed', () => here.withPage('stage#it', { people: true }, async (page) => {
  await page.click('#tab-stage');
  await page.waitForSelector('.entry');
  await page.fill('[name=user]', 'alice');
  await page.fill('.catalog >> xpath=preceding-sibling::input', '503');
  const entry = page.locator('.entry:visible', { has: page.locator('.code:text-is("503")') }).first();
  await entry.locator('summary').click();
  await entry.locator('.strong').click();
  await page.waitForSelector('.told .note:has-text("is armed for alice.")');
  await page.click('.told >> text="Take back"');
  await noteSays(page, 'Taken back');
  await page.fill('.catalog >> xpath=preceding-sibling::input', 'door');
  await page.selectOption('[name=whom]', 'world');
  await page.fill('[name=door]', 'never open next 1');
  await page.click('text="Arm at the door"');
  await page.click('.rule:has-text("at /w/stage~it") >> text="Disarm"');
  await page.click('.come >> text="Connect"');
  assert.equal(await page.isChecked('[name=own]'), true);
  assert.match(await page.innerText('.panel .snippet pre >> nth=0'), /\/w\/stage~it\/websocket/);
}));

test('a rule of one’s own is armed; a slip in one is shown where it is', () => here.withPage('own#rule', { people: true, refusals: true }, async (page) => {
  await page.click('#tab-stage');
  await page.fill('[name=rule]', 'on next txet from alice: drop');
  await page.click('text=Arm the rule');
  await page.waitForSelector('.wrong');
  assert.match(await page.innerText('.wrong'), /column/);
  assert.equal(await page.evaluate(() => {
    const { value, selectionStart, selectionEnd } = document.querySelector('[name=rule]');
    return value.slice(selectionStart, selectionEnd);
  }), 'txet');
  await page.fill('[name=rule]', 'on next text from alice: drop');
  assert.equal(await page.isVisible('.wrong'), false);
  await page.click('text=Arm the rule');
  await page.waitForSelector('.rule code:has-text("on next text from alice: drop")');
  assert.equal(await page.innerText('#tab-stage .badge'), '1');
  await page.click('.rule >> text=Disarm');
  await page.waitForSelector('.rule', { state: 'detached' });
  await page.fill('[name=rule]', 'on every ack from anyone: drop');
  await page.click('text=Arm the rule');
  await page.click('text="Disarm all"');
  await page.waitForSelector('.rule', { state: 'detached' });
}));

test('the rule that was done last stays with those that may strike, and those before it are folded away', () => here.withPage('done#before', { people: true }, async (page) => {
  const rule = (at) => `on next request /nowhere${at}: answer http 503`;
  for (const at of [1, 2, 3]) {
    await here.control('done#before', { fault: { rule: rule(at) } });
    assert.equal((await fetch(`${here.server.rest}/done/before/nowhere${at}`)).status, 503);
  }
  await here.control('done#before', { fault: { rule: rule(4) } });
  await page.click('#tab-stage');
  await page.waitForSelector('.rule:not(.spent)');
  const texts = (selector) => page.$$eval(selector, (all) => all.map((code) => code.textContent));
  assert.deepEqual(await texts('.rule code:visible'), [rule(4), rule(3)]);
  await page.click('summary:has-text("Done before: 2")');
  assert.deepEqual(await texts('details .rule code:visible'), [rule(2), rule(1)]);
  await page.click('details .rule >> nth=0 >> text="Remove"');
  await page.waitForSelector('summary:has-text("Done before: 1")');
  await page.click('text="Disarm all"');
  await page.waitForSelector('summary:has-text("Done before")', { state: 'hidden' });
}));

test('each group of the catalog says how many of its entries are found', () => here.withPage('how#many', { people: true }, async (page) => {
  await page.click('#tab-stage');
  await page.waitForSelector('.entry');
  const counts = () => page.$$eval('.catalog > .group:not([hidden])', (groups) => groups.map((group) => [group.querySelectorAll('.entry:not([hidden])').length, group.querySelectorAll('.entry').length, group.querySelector('summary .count').textContent.trim()]));
  const whole = await counts();
  assert.ok(whole.length > 3 && whole.every(([shown, all, said]) => shown === all && said === `${all}`), JSON.stringify(whole));
  await page.fill('.catalog >> xpath=preceding-sibling::input', '504');
  const some = await counts();
  assert.ok(some.length > 0 && some.every(([shown, all, said]) => said === `${shown}/${all}`), JSON.stringify(some));
}));

test('the clock moves, stops and runs', () => here.withPage('the#clock', { people: true }, async (page) => {
  await page.click('#clock');
  await page.click('text="Stop"');
  await noteSays(page, 'The clock stands still.');
  await page.waitForSelector('.clock-face :text("stands still")');
  const now = async () => (await here.look('the#clock', 'clock')).now_ms;
  const stopped = await now();
  for (const [words, ms] of [['+1 s', 1000], ['+1 min', 60_000], ['+1 h', 3_600_000], ['+1 day', 86_400_000]]) {
    const earlier = await now();
    await page.click(`text="${words}"`);
    await noteSays(page, `The clock moved: ${words}.`);
    assert.equal(await now() - earlier, ms);
  }
  assert.equal(await now() - stopped, 90_061_000);
  await page.waitForFunction(() => /stopped/.test(document.getElementById('clock').textContent));
  await page.click('text="Run"');
  await page.waitForSelector('.clock-face :text("runs")');
}));

test('a world is made, chosen and reset', () => here.withPage('', { refusals: true }, async (page) => {
  await page.click('#tab-world');
  await page.fill('[name=app_key]', 'no app key');
  await page.click('text=Make or choose');
  assert.equal(await page.$eval('[name=app_key]', (input) => input.validity.patternMismatch), true);
  await page.fill('[name=app_key]', 'made#here');
  await page.click('text=Make or choose');
  await page.waitForFunction(() => document.getElementById('world').value === 'made#here');
  await page.waitForSelector('.empty:has-text("Nothing has come over the wires of this world yet.")');
  assert.equal(new URL(page.url()).hash, `#${encodeURIComponent('made#here')}`);
  await here.control('made#here', { user: { name: 'alice', password: 'pw' } });
  await page.click('text="Reset this world"');
  await page.click('text="Really empty made#here?"');
  await noteSays(page, 'made#here is empty.');
  assert.deepEqual((await here.look('made#here', 'overview')).users, []);
}));

test('what came is filtered by user, kind and words, as one types', () => here.withPage('filter#it', { people: true }, async (page) => {
  const [alice, bob] = [await here.app('filter#it', 'alice'), await here.app('filter#it', 'bob')];
  try {
    await live(page);
    await alice.send('bob', 'a needle');
    await bob.send('alice', 'some hay');
    await page.waitForSelector('.label:has-text("some hay")');
    await page.keyboard.press('/');
    await page.keyboard.type('needle');
    await page.waitForFunction(() => /^[1-9]\d* of \d+ rows$/.test(document.querySelector('.found').textContent));
    for (const label of await rowsIn(page)) assert.match(label, /needle/);
    await page.keyboard.type(' -text -message');
    await page.keyboard.press('Escape');
    assert.equal(await page.inputValue('.tools [type=search]'), '');
    await page.selectOption('.tools select >> nth=0', 'bob');
    await page.waitForFunction(() => [...document.querySelectorAll('.lane-head b')].every((head) => head.textContent === 'bob'));
    await page.selectOption('.tools select >> nth=1', 'group:requests');
    await page.waitForFunction(() => document.querySelectorAll('.moment').length > 0 && [...document.querySelectorAll('.moment .arrow')].every((arrow) => arrow.classList.contains('http')));
    await page.click('text="Show all"');
    await page.fill('.tools [type=search]', 'no row has these words');
    await page.waitForSelector('.empty:has-text("No row is as the filter says.")');
    await page.click('.empty >> text="Show all"');
    await page.waitForSelector('.moment');

    await page.click('text="Follow"');
    assert.equal(await page.getAttribute('text="Follow"', 'aria-pressed'), 'false');
    await page.click('text="Follow"');
    await page.click('text="Pause"');
    const before = await rowsIn(page);
    await alice.send('bob', 'while paused');
    await page.waitForSelector('text=/Go on \\([1-9]\\d* more\\)/');
    assert.deepEqual(await rowsIn(page), before);
    await page.click('text=/Go on/');
    await page.waitForSelector('.label:has-text("while paused")');
  } finally {
    await alice.close();
    await bob.close();
  }
}));

test('what people write stays text wherever it is shown', () => here.withPage('markup#here', { people: true, refusals: true }, async (page) => {
  const app = await here.app('markup#here', 'alice');
  try {
    await app.send('bob', MARKUP);
    await page.waitForSelector('.label:has-text("onerror")');
    await page.click('.label:has-text("onerror")');
    assert.match(await page.innerText('.detail .tree'), /<img src=x onerror=alert\(1\)>/);
    await page.goto(`${here.base}/#${encodeURIComponent('<b>x<#<i>y<')}`);
    await page.reload();
    await page.waitForSelector('#line[data-state="gone"]');
    assert.equal(await page.$$eval('main :is(img, b > i, script)', (all) => all.length), 0);
    await page.waitForSelector('.empty:has-text("This world is not there.")');
    await page.click('text="Make it now"');
    await noteSays(page, 'The world <b>x<#<i>y< is there.');
    await page.waitForSelector('.empty:has-text("Nothing has come over the wires of this world yet.")');
    assert.equal(await page.$$eval(':is(main, .notes) :is(img, b > i, script)', (all) => all.length), 0);
  } finally {
    await app.close();
  }
}));

test('the connection is lost and comes back, and no row is missing or double', async () => {
  const wire = await here.wire();
  try {
    await here.withPage('lost#line', { people: true, refusals: true, wire }, async (page) => {
      await live(page);
      const app = await here.app('lost#line', 'alice');
      try {
        await app.send('bob', 'before');
        await page.waitForSelector('.label:has-text("before")');
        wire.cut();
        await page.waitForSelector('#line[data-state="lost"]');
        await app.send('bob', 'meanwhile');
        assert.equal(await page.isVisible('.label:has-text("before")'), true);
        wire.mend();
        await page.waitForSelector('.label:has-text("meanwhile")');
        await noteSays(page, 'The connection is back');
        const { rows_ever: all } = await here.look('lost#line', 'traffic?limit=1');
        await page.waitForFunction((n) => document.querySelector('.found').textContent === `${n.toLocaleString('en')} rows`, all);
      } finally {
        await app.close();
      }
      // The world itself goes, and one of its name comes: what was seen stays, and what comes is told behind it.
      await fetch(`${here.base}/lost/line/world`, { method: 'DELETE' });
      await page.waitForSelector('#line[data-state="gone"]');
      await here.control('lost#line', { user: { name: 'carol', password: 'pw' } });
      await noteSays(page, 'The world began anew');
      await fetch(`${here.server.rest}/lost/line/users/carol`);
      await page.waitForSelector('.label:has-text("GET /users/carol")');
      await page.waitForSelector('.label:has-text("meanwhile")');
    });
  } finally {
    wire.close();
  }
});

test('everything is reached by keyboard, and says what it is', () => here.withPage('by#keys', { people: true }, async (page) => {
  const app = await here.app('by#keys', 'alice');
  try {
    await live(page);
    await app.send('bob', 'one');
    await app.send('bob', 'two');
    await page.waitForSelector('.label:has-text("two")');
    await page.keyboard.press('t');
    await page.keyboard.press('Home');
    const active = () => page.evaluate(() => {
      const list = document.activeElement;
      return { role: list.getAttribute('role'), at: document.getElementById(list.getAttribute('aria-activedescendant'))?.getAttribute('aria-posinset') };
    });
    await page.waitForFunction(() => document.activeElement.getAttribute('aria-activedescendant'));
    assert.deepEqual(await active(), { role: 'listbox', at: '1' });
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.getAttribute('aria-posinset') === '2');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.detail h2');
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('.detail'), false);
    assert.equal((await active()).role, 'listbox');
    for (const [key, tab] of [['1', 'users'], ['2', 'send'], ['3', 'stage'], ['4', 'world'], ['5', 'findings'], ['6', 'connect']]) {
      await page.keyboard.press(key);
      assert.equal(await page.evaluate(() => document.activeElement.id), `tab-${tab}`);
      assert.equal(await page.getAttribute(`#tab-${tab}`, 'aria-selected'), 'true');
    }
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-findings');
    await page.keyboard.press('?');
    assert.equal(await page.evaluate(() => document.getElementById('keyboard').open), true);
    await page.keyboard.press('Escape');
    // Every stop of the tab key on the page is seen, and has a name.
    for (const tab of ['users', 'send', 'stage', 'world', 'findings', 'connect']) {
      await page.click(`#tab-${tab}`);
      const stops = [];
      for (let at = 0; at < 80; at += 1) {
        await page.keyboard.press('Tab');
        const stop = await page.evaluate(() => {
          const element = document.activeElement;
          if (element === document.body) return 'end';
          const { outlineStyle, outlineWidth } = getComputedStyle(element);
          const name = element.getAttribute('aria-label') ?? (element.labels?.[0]?.innerText || element.textContent || element.title);
          return { name: name.trim(), seen: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1, tag: element.tagName };
        });
        if (stop === 'end') break;
        stops.push(stop);
      }
      assert.ok(stops.length > 5, `${tab}: ${stops.length} stops`);
      assert.deepEqual(stops.filter((stop) => !stop.name || !stop.seen), [], tab);
    }
  } finally {
    await app.close();
  }
}));

test('a screen reader is told what lanes and rows are; nothing moves for who would rather not; nobody else is asked', () => here.withPage('by#ear', { people: true, reducedMotion: 'reduce' }, async (page) => {
  const app = await here.app('by#ear', 'alice');
  try {
    await app.send('bob', 'one');
    await page.waitForSelector('.label:has-text("answer OK")');
    const list = page.getByRole('listbox', { name: 'Traffic, oldest first' });
    await list.getByRole('option', { name: /^\d\d:\d\d:\d\d\.\d{3} alice client to server text “one” → bob$/ }).waitFor();
    await list.getByRole('option', { name: /alice server to client answer OK/ }).waitFor();
    for (const name of ['Users', 'Send', 'Stage', 'World', 'Findings', 'Connect']) {
      await page.getByRole('tab', { name: new RegExp(`^${name}`) }).click();
      await page.getByRole('tabpanel', { name: new RegExp(`^${name}`) }).waitFor();
    }
    await list.getByRole('option', { name: /text “one”/ }).click();
    await page.getByRole('tree', { name: 'Decoded' }).getByRole('treeitem', { name: /"one"/ }).first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    assert.deepEqual(await page.$$eval('*', (all) => all.filter((element) => {
      const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(element);
      return animationName !== 'none' || Number.parseFloat(transitionDuration) > 0 || scrollBehavior === 'smooth';
    }).map((element) => element.outerHTML.slice(0, 80))), []);
    const policy = (await page.reload()).headers()['content-security-policy'];
    for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "require-trusted-types-for 'script'"]) assert.ok(policy.includes(part), policy);
  } finally {
    await app.close();
  }
}));

/** Texts whose colour is too near to what they stand on, with the contrast. */
const faint = (page) => page.evaluate((least) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { parentElement: element } = walker.currentNode;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('.sr, :disabled')) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < least) found.push(`${walker.currentNode.data.trim().slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return found;
}, CONTRAST_MIN);

for (const [colorScheme, locale, viewport] of [['light', 'en-GB', undefined], ['dark', 'zh-CN', undefined], ['light', 'zh-CN', PHONE], ['dark', 'en-GB', PHONE]]) {
  const appKey = `looks#${colorScheme}-${locale}${viewport ? '-phone' : ''}`;
  test(`${colorScheme}, ${locale}${viewport ? ', a phone' : ''}: all can be read, nothing is cut off, every word is of that language`, () => here.withPage(appKey, { people: true, colorScheme, locale, ...(viewport && { viewport }) }, async (page) => {
    const app = await here.app(appKey, 'alice');
    try {
      await app.send('bob', 'hello');
      await live(page);
      if (viewport) await page.click('#tab-traffic');
      await page.waitForSelector('.moment');
      for (const tab of [...(viewport ? ['traffic'] : []), 'users', 'send', 'stage', 'world', 'findings', 'connect']) {
        await page.click(`#tab-${tab}`);
        if (tab === 'stage') await page.waitForSelector('.entry');
        if (tab === 'users') await page.click('.person summary >> nth=0');
        assert.deepEqual(await faint(page), [], `${tab}: contrast`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${tab} is ${wide} px wider than the window`);
        const chinese = locale === 'zh-CN';
        const foreign = await page.evaluate((isChinese) => {
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const found = [];
          while (walker.nextNode()) {
            const { data, parentElement: element } = walker.currentNode;
            if (!data.trim() || !element.hasAttribute('data-w') || element.closest('[translate="no"], noscript, #language')) continue;
            const hasHan = /\p{Script=Han}/u.test(data);
            if (isChinese ? !hasHan && !/^(HAR|easemob-websdk .*|App Key)$/.test(data) : hasHan) found.push(data);
          }
          return found;
        }, chinese);
        assert.deepEqual(foreign, [], `${tab}: words of another language`);
      }
      if (viewport) await page.click('#tab-traffic');
      await page.click('.moment >> nth=2');
      await page.waitForSelector('.detail h2');
      assert.deepEqual(await faint(page), [], 'one row: contrast');
      assert.equal(await page.evaluate(() => document.documentElement.lang), locale === 'zh-CN' ? 'zh-CN' : 'en');
    } finally {
      await app.close();
    }
  }));
}

test('users are made, looked at, cut off and kicked; groups are silenced', () => here.withPage('people#here', { people: true }, async (page) => {
  const app = await here.app('people#here', 'alice');
  try {
    await page.waitForSelector('.person .dot.on');
    await page.click('text="New user"');
    await page.fill('[name=name]', 'carol');
    await page.fill('[name=password]', 'pw');
    await page.click('text="Make user"');
    await noteSays(page, 'carol is there.');
    await page.waitForSelector('.person .name:text-is("carol")');
    const alice = page.locator('.person', { has: page.locator('.name:text-is("alice")') }).first();
    await alice.locator('summary').click();
    await alice.locator('text="Only these rows"').click();
    await page.waitForFunction(() => document.querySelector('.tools select').value === 'alice');
    await alice.locator('text="Stage for"').click();
    assert.equal(await page.inputValue('[name=user]'), 'alice');
    await page.click('#tab-users');
    await alice.locator('text="Send as"').click();
    assert.equal(await page.inputValue('[name=from]'), 'alice');
    await page.click('#tab-users');
    await alice.locator('text="Cut the link"').click();
    await noteSays(page, 'The link of alice is cut');
    // The SDK comes back by itself.
    await page.waitForSelector('.label:has-text("logged in") >> nth=1');
    await page.waitForSelector('.person .dot.on');
    await alice.locator('select').selectOption('operator');
    await alice.locator('text="Kick"').click();
    await noteSays(page, 'alice is kicked.');
    await page.waitForSelector('.person .dot.on', { state: 'detached' });

    const group = page.locator('.person', { has: page.locator('.name:text-is("g1")') });
    await group.locator('summary').click();
    assert.match(await group.innerText(), /★ alice, bob/);
    await group.locator('text="Silence all"').click();
    await noteSays(page, 'In g1 only its owner may speak');
    await group.locator('text="End the silence"').click();
    await noteSays(page, 'In g1 all may speak.');
    await group.locator('text="Send here"').click();
    assert.deepEqual([await page.inputValue('[name=to]'), await page.inputValue('[name=chat]')], ['g1', 'group']);
  } finally {
    await app.close();
  }
}));

test('one row is walked from, copied and staged on; long lists open piece by piece', () => here.withPage('one#row', { people: true, permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
  const app = await here.app('one#row', 'alice');
  try {
    await app.send('bob', 'look at me');
    await page.click('.label:has-text("look at me")');
    await page.click('.detail >> text="Copy"');
    await page.click('.detail >> text="Copied"');
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /"text": "look at me"/);
    const first = await page.innerText('.detail h2');
    await page.click('.detail [aria-label="Next row"]');
    await page.waitForFunction((words) => document.querySelector('.detail h2').innerText !== words, first);
    await page.click('.detail [aria-label="Previous row"]');
    await page.waitForFunction((words) => document.querySelector('.detail h2').innerText === words, first);
    await page.click('.detail >> text="Stage on the next such"');
    assert.equal(await page.inputValue('[name=rule]'), 'on next text from alice: ');
    await page.click('.detail >> text="Only alice"');
    await page.waitForFunction(() => document.querySelector('.tools select').value === 'alice');
    await page.click('.result >> text="Show all"');
    await page.click('.detail [aria-label="Close"]');

    const many = JSON.stringify(Array.from({ length: 300 }, (_, at) => ({ username: `u${at}` })));
    await fetch(`${here.server.rest}/one/row/nowhere`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: many });
    await page.click('.label:has-text("POST /nowhere")');
    await page.click('.detail >> text="Show 100 more"');
    assert.equal(await page.$$eval('.detail section:first-of-type > .tree > li', (all) => all.length), 300);
  } finally {
    await app.close();
  }
}));

test('without an app there is a sample; without rows there is a way to keep them', async () => {
  await here.withPage('', { refusals: true }, async (page) => {
    // A server that nobody has used: this one has been.
    await page.route('**/_mock/worlds', (route) => route.fulfill({ json: { worlds: [] } }));
    await page.goto('about:blank');
    await page.goto(`${here.base}/`);
    await page.click('text="Make a sample world"');
    await page.waitForFunction(() => document.activeElement.name === 'text');
    await page.keyboard.type('first words');
    await page.keyboard.press('Control+Enter');
    await noteSays(page, 'Sent from alice to bob.');
  });
  await here.withPage('not#kept', { people: true, refusals: true }, async (page) => {
    let kept = false;
    await page.route('**/traffic?*', (route) => (kept ? route.fallback() : route.fulfill({ status: 404, json: { error: 'no_tape', error_description: 'no tape is kept' } })));
    await page.route('**/tape', (route) => {
      kept = true;
      return route.fallback();
    });
    await page.reload();
    await page.click('text="Keep them from now on"');
    await live(page);
    await page.click('.empty >> text="Send as anyone"');
    assert.equal(await page.getAttribute('#tab-send', 'aria-selected'), 'true');
  });
});

for (const [name, of] of [['Bundle', 'bundle'], ['HAR', 'har'], ['State', 'state']]) {
  test(`${name} is taken home`, () => here.withPage(`take#${of}`, { people: true }, async (page) => {
    await page.click('#tab-world');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.files >> text="${name}"`)]);
    assert.equal(await download.failure(), null);
    assert.ok(download.suggestedFilename().startsWith(`take-${of}.`), download.suggestedFilename());
    assert.equal(typeof JSON.parse(readFileSync(await download.path(), 'utf8')), 'object', name);
  }));
}

test('language and colours are switched, and kept', () => here.withPage('', {}, async (page) => {
  await page.click('#language');
  assert.equal(await page.innerText('#tab-users >> span >> nth=0'), '用户');
  await page.click('#help');
  await page.click('dialog >> text="关闭"');
  await page.click('#theme');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
  await page.click('#theme');
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
  await page.reload();
  await page.waitForSelector('#tab-users:has-text("用户")');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.click('#language');
  assert.equal(await page.innerText('#tab-users >> span >> nth=0'), 'Users');
}));

test('every button that was on a page was pressed', () => {
  const { there, pressed } = here.buttons;
  assert.ok(there.size > 40, `${there.size} buttons`);
  assert.deepEqual([...there].filter((key) => !pressed.has(key)), []);
});
