//! What goes wrong around the page: calls that are refused, a server that begins anew, a world that is not there, a
//! server with groups of its own. Whatever it is, the page says so, why, and what helps.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { device } from './device.mjs';
import { inspected } from './inspected.mjs';

let here;
before(async () => { here = await inspected(); });
after(() => here?.close());

const noteSays = (page, words) => page.waitForSelector(`.notes .note:has-text("${words}")`);
const inState = (page, state) => page.waitForSelector(`#line[data-state="${state}"]`);
const rows = (page, count) => page.waitForFunction((n) => document.querySelector('.found').textContent === `${n} ${n === 1 ? 'row' : 'rows'}`, count);
const post = (url, body) => fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

test('every call that is refused is told, with its reason', () => here.withPage('all#refused', { people: true, refusals: true }, async (page) => {
  const there = await device(here.server.rest, 'all#refused', 'alice');
  try {
    await here.control('all#refused', [{ fault: { rule: 'on 9th text from alice: drop' } }]);
    await post(`${here.base}/all/refused/doors`, 'never open next 7');
    await page.waitForSelector('.dot.on');
    await page.click('#tab-stage');
    await page.waitForFunction(() => document.querySelectorAll('.catalog .entry').length > 100 && document.querySelectorAll('.rule').length === 2);
    let refused = 0;
    await page.route('**/_mock/**', (route) => {
      if (route.request().method() === 'GET') return route.fallback();
      refused += 1;
      return route.fulfill({ status: 400, json: { error: 'refused', error_description: `nothing was done, because of ${refused}` } });
    });
    const told = async (what, press) => {
      await press();
      await page.waitForSelector(`.notes .bad:has-text("because of ${refused || 1}")`).catch((error) => { throw new Error(`${what} says nothing: ${error.message}`); });
      assert.match(await page.innerText('.notes .bad >> nth=-1'), /Not done: the server refused\./, what);
      assert.match(await page.innerText('.notes .bad >> nth=-1'), new RegExp(`because of ${refused}\\b`), what);
    };
    const click = (selector) => () => page.click(selector);
    await page.evaluate(() => document.querySelector('.told').append('armed before'));
    await told('an entry', click('.entry[data-name="501"] > .strong'));
    assert.equal(await page.textContent('.told'), '', 'what stood there is not of this click');
    await told('disarm a rule', click('.rule >> nth=0 >> text="Disarm"'));
    await told('disarm a door fault', click('.rule >> nth=1 >> text="Disarm"'));
    await page.fill('.sheet > [type=search]', 'door');
    await told('a door', click('.doors .entry >> nth=0 >> .strong'));
    for (const [name, go] of [['rule', 'Arm the rule'], ['door', 'Arm at the door']]) {
      await page.fill(`[name=${name}]`, 'anything');
      await page.click(`text="${go}"`);
      await page.waitForSelector(`#${name}-error:has-text("because of ${refused || 1}")`);
    }
    await page.click('#tab-world');
    for (const words of ['+1 s', '+1 min', '+1 h', '+1 day', 'Stop']) await told(words, click(`.panel >> text="${words}"`));
    await page.fill('[name=app_key]', 'no#room');
    await told('a world', click('text="Make or choose"'));
    await told('reset', async () => {
      await page.click('text="Reset this world"');
      await page.click('text="Really empty all#refused?"');
    });
    await page.click('#tab-users');
    await page.click('text="New user"');
    await page.fill('[name=name]', 'carol');
    await page.fill('[name=password]', 'pw');
    await told('a user', click('text="Make user"'));
    assert.equal(await page.inputValue('[name=name]'), 'carol', 'what was typed is still there');
    await page.click('.person:has(.name:text-is("alice")) summary');
    await told('cut', click('.person[open] >> text="Cut the link"'));
    await told('kick', click('.person[open] >> text="Kick"'));
    await page.click('.person:has(.name:text-is("g1")) summary');
    for (const words of ['Silence all', 'End the silence']) await told(words, click(`text="${words}"`));
    await page.click('#tab-send');
    await page.fill('[name=from]', 'alice');
    await page.fill('[name=to]', 'bob');
    await page.fill('[name=text]', 'not lost');
    await told('send', click('.form >> text="Send"'));
    assert.equal(await page.inputValue('[name=text]'), 'not lost');
    // Nobody answers: that is another matter, and said so.
    await page.unroute('**/_mock/**');
    await page.route('**/control', (route) => route.fulfill({ status: 401, json: { error: 'no_token', error_description: 'the control plane wants its token' } }));
    await page.click('.form >> text="Send"');
    await page.waitForSelector('.notes .bad:has-text("Open the link with the token in it that mock-server printed when it started")');
  } finally {
    there.close();
  }
}));

test('what cannot be read is told once, however often it is asked for', () => here.withPage('not#read', { people: true, refusals: true }, async (page) => {
  await inState(page, 'live');
  let asked = 0;
  await page.route('**/rules', (route) => {
    asked += 1;
    return route.fulfill({ status: 503, json: { error: 'busy', error_description: 'no rules today' } });
  });
  await page.click('#tab-stage');
  for (const text of ['one', 'two', 'three']) {
    const before = asked;
    await here.control('not#read', { send: { from: 'alice', to: 'bob', chat: 'single', text } });
    while (asked === before) await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  await page.waitForSelector('.notes .bad:has-text("no rules today")');
  assert.equal(await page.locator('.notes .bad').count(), 1);
}));

test('a server that was started with groups of its own makes a sample world of them', async () => {
  for (const [flags, group] of [[['--group', 'g1=alice,bob'], 'g1'], [['--group', 'friends=carol,dave'], 'friends'], [['--strict'], 'g1']]) {
    const other = await inspected(flags);
    try {
      await other.withPage('', {}, async (page) => {
        await page.click('text="Make a sample world"');
        await page.waitForFunction(() => document.activeElement.name === 'text');
        await page.keyboard.type('first words');
        await page.keyboard.press('Control+Enter');
        await noteSays(page, 'Sent from alice to bob.');
        await page.click('#tab-users');
        await page.waitForSelector('.person:has(.name:text-is("bob")) .unread:text-is("1 unread")');
        const { groups } = await other.look('org#app', 'overview');
        assert.deepEqual(groups.map(({ id }) => id), [group]);
      });
    } finally {
      await other.close();
    }
  }
});

test('a world that is not there can be made, and is told of when it goes', () => here.withPage('not#there', { refusals: true }, async (page) => {
  await inState(page, 'gone');
  await page.waitForSelector('.empty:has-text("This world is not there.")');
  await page.click('text="Make it now"');
  await noteSays(page, 'The world not#there is there.');
  await inState(page, 'live');
  await page.waitForSelector('.empty:has-text("Nothing has come over the wires of this world yet.")');
  await here.control('not#there', { known: { users: ['alice'] } });
  await page.waitForSelector('.person');
  await fetch(`${here.base}/not/there/world`, { method: 'DELETE' });
  await inState(page, 'gone');
  await page.waitForSelector('.person', { state: 'detached' });
}));

test('a server that goes away and comes back with nothing, or with another world of that name, is told apart', async () => {
  const wire = await here.wire();
  const others = [];
  const another = async (users) => {
    const other = await inspected();
    others.push(other);
    const devices = [];
    for (const user of users) devices.push(await device(other.server.rest, 'comes#back', user));
    for (const one of devices) one.close();
    return other;
  };
  try {
    await here.withPage('comes#back', { refusals: true, wire }, async (page) => {
      const first = await device(here.server.rest, 'comes#back', 'alice');
      await inState(page, 'live');
      const { rows_ever: few } = await here.look('comes#back', 'traffic?limit=1');
      await rows(page, few);
      first.close();
      await rows(page, few + 1);

      // Another one with more rows than were seen: none of its first ones is missing.
      const second = await another(['bob', 'carol', 'dave']);
      wire.cut();
      await inState(page, 'lost');
      wire.mend(second.server.rest);
      await inState(page, 'live');
      await noteSays(page, 'The world began anew');
      const { rows_ever: more } = await second.look('comes#back', 'traffic?limit=1');
      assert.ok(more > few + 1, `${more} rows`);
      await rows(page, few + 1 + more);
      await page.waitForSelector('.person .name:text-is("dave")');
      assert.equal(await page.locator('.person .name:text-is("alice")').count(), 0);

      // And one with no such world: its rows stay, and what it is called says so.
      const third = await another([]);
      wire.cut();
      await inState(page, 'lost');
      wire.mend(third.server.rest);
      await inState(page, 'gone');
      assert.equal(await page.isVisible('.moment'), true);
      const again = await device(third.server.rest, 'comes#back', 'erin');
      try {
        await inState(page, 'live');
        await page.waitForSelector('.person .name:text-is("erin")');
        const { rows_ever: new_ } = await third.look('comes#back', 'traffic?limit=1');
        await rows(page, few + 1 + more + new_);
      } finally {
        again.close();
      }
    });
  } finally {
    wire.close();
    for (const other of others) await other.close();
  }
});

test('a server that wants a token that this browser has not says what to do', async () => {
  const other = await inspected(['--control-token', 'sesame-sesame']);
  try {
    await other.withPage('no#token', { refusals: true, link: '/_mock/?token=sesame-sesame' }, async (page, context) => {
      await page.click('#tab-world');
      await page.fill('[name=app_key]', 'with#token');
      await page.click('text="Make or choose"');
      await inState(page, 'live');
      await context.clearCookies();
      await page.click('text="+1 s"');
      await page.waitForSelector('.notes .bad:has-text("Open the link with the token in it")');
    });
  } finally {
    await other.close();
  }
});

test('before there is a world, whatever is pressed makes the first one or says why not', async () => {
  const other = await inspected();
  try {
    for (const [tab, press, told] of [
      ['world', (page) => page.click('.panel >> text="Stop"'), 'The clock stands still.'],
      ['stage', (page) => page.fill('[name=rule]', 'on next text from alice: drop').then(() => page.click('text="Arm the rule"')), 'The rule is armed.'],
      ['users', (page) => page.click('text="New user"').then(() => page.fill('[name=name]', 'alice')).then(() => page.fill('[name=password]', 'any')).then(() => page.click('text="Make user"')), 'alice is there.'],
    ]) {
      await other.withPage('', {}, async (page) => {
        await page.waitForSelector('h2:text("Nobody has connected yet")');
        await page.click(`#tab-${tab}`);
        await press(page);
        await noteSays(page, told);
        await page.waitForFunction(() => document.getElementById('world').value === 'org#app');
        await inState(page, 'live');
      });
      await fetch(`${other.base}/org/app/world`, { method: 'DELETE' });
    }
    await other.withPage('', { refusals: true }, async (page) => {
      await page.waitForSelector('h2:text("Nobody has connected yet")');
      await page.click('#tab-world');
      assert.deepEqual(await page.$$eval('.files a', (links) => links.map((link) => link.hasAttribute('href'))), [false, false, false]);
      assert.equal(await page.isDisabled('text="Reset this world"'), true);
      await page.click('#tab-stage');
      await page.fill('[name=user]', 'alice');
      await page.click('.entry[data-name="cut-no-frame"] > .strong');
      await page.waitForSelector('.notes .bad .lines');
      await page.click('.notes [aria-label="Close"]');
      // Nobody is there to send anything.
      await page.click('#tab-send');
      for (const [name, value] of [['from', 'alice'], ['to', 'bob'], ['text', 'x']]) await page.fill(`[name=${name}]`, value);
      await page.click('.form >> text="Send"');
      await page.waitForSelector('.notes .bad .lines:has-text("alice")');
    });
  } finally {
    await other.close();
  }
});
