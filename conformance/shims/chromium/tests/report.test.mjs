//! `report.html` as people meet it: opened from a file in a real Chromium, walked through by keyboard, on a phone, in
//! light and dark, and with words in it that would be markup elsewhere. `REPORT_HTML` names a page to look at, such as
//! that of a run of everything; without it, the built harness makes one of a few scenarios.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

import { findChromium, startChromium } from '../launch.mjs';
import { makePage } from './report-page.mjs';

const INDEX = /(<script type="application\/json" id="index">)(.*?)(<\/script>)/s;
const LAPTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
/** WCAG 2 AA for text of usual size. */
const CONTRAST_MIN = 4.5;
const SIGNS = { f: '✕', s: '!', y: '↻', k: '≠', u: '–', n: '·', p: '✓' };
const WORDS = { f: 'failed', s: 'stale known failure', y: 'flaky', k: 'known failure', u: 'unsupported', n: 'not run', p: 'passed' };

const blockPattern = (at) => new RegExp(`(<script type="text/plain" id="p${at}">)(.*?)(</script>)`);
/** What the page has of a scenario beyond its index. */
const blockOf = (at) => JSON.parse(inflateRawSync(Buffer.from(blockPattern(at).exec(html)[2], 'base64')));

let browser, folder, file, html, index;
/** A scenario that a client failed, and one that a client passed: `{ at, client }`, by index. */
let failed, passed;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'report-test-'));
  file = process.env.REPORT_HTML ?? makePage(folder);
  html = readFileSync(file, 'utf8');
  index = JSON.parse(INDEX.exec(html)[2]);
  const first = (letter, wanted) => {
    for (const [client, { verdicts }] of index.clients.entries()) {
      for (let at = verdicts.indexOf(letter); at >= 0; at = verdicts.indexOf(letter, at + 1)) {
        const run = blockOf(at).runs[client];
        if (wanted(run)) return { at, client };
      }
    }
    throw new Error(`no run of ${file} is ${WORDS[letter]} as these tests need one`);
  };
  const seen = (run) => run.evidence?.moments.some(({ step }) => step !== null);
  passed = first('p', seen);
  failed = ['f', 'k'].map((letter) => {
    try {
      return first(letter, (run) => seen(run) && run.mismatches.length > 0);
    } catch {
      return undefined;
    }
  }).find(Boolean) ?? passed;
  browser = await startChromium(findChromium());
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** How a page carries JSON. */
const inert = (value) => JSON.stringify(value).replaceAll('<', '\\u003c');
const routeOf = ({ at, client }) => `#/s/${index.scenarios[at].name}/${encodeURIComponent(index.clients[client].name)}`;

/** The page at an address; at the end nothing may have gone wrong in it, and nothing was asked of anybody. */
async function withPage(hash, options, body, path = file) {
  const context = await browser.newContext({ viewport: LAPTOP, ...options });
  const wrong = [];
  const asked = [];
  const page = await context.newPage();
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) wrong.push(message.text()); });
  page.on('pageerror', (error) => wrong.push(error.stack ?? error.message));
  page.on('dialog', (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  const url = pathToFileURL(path).href;
  page.on('request', (request) => { if (request.url().split('#')[0] !== url && !/^(data|blob):/.test(request.url())) asked.push(request.url()); });
  try {
    await page.goto(url + hash);
    await page.waitForSelector('main h1, main .note');
    await body(page);
    assert.deepEqual(wrong, [], 'the console');
    assert.deepEqual(asked, [], 'requests');
  } finally {
    await context.close();
  }
}
const hashOf = (page) => page.evaluate(() => location.hash);
/** The page shows what this address names; the address itself changes before. */
const shows = (page, hash) => page.waitForFunction((there) => document.querySelector('main').dataset.address === there, hash);
const go = async (page, hash) => {
  await page.evaluate((there) => { location.hash = there; }, hash);
  await shows(page, hash);
};
const focused = (page) => page.evaluate(() => document.activeElement.closest('tr')?.querySelector('th').innerText ?? document.activeElement.innerText);

test('the table has a cell for each run, told by sign, words and colour', () => withPage('', {}, async (page) => {
  const cells = await page.$$eval('tbody tr:not(.group) td a', (links) => links.map((link) => [link.getAttribute('href'), link.innerText, link.getAttribute('aria-label'), getComputedStyle(link).backgroundColor]));
  const expected = index.scenarios.flatMap((_, at) => index.clients.flatMap(({ verdicts }, client) => (verdicts[at] === ' ' ? [] : [[routeOf({ at, client }), SIGNS[verdicts[at]], WORDS[verdicts[at]]]])));
  assert.deepEqual(cells.map((cell) => cell.slice(0, 3)), expected);
  const heads = await page.$$eval('thead th', (all) => all.map((head) => head.textContent));
  assert.deepEqual(heads.slice(1), index.clients.map(({ name }) => name));
  const totals = cells.filter(([, sign]) => sign === '✓').length.toLocaleString('en');
  assert.ok((await page.innerText('.headline')).includes(`${totals} of`), 'the headline has the count');
}));

test('the head and the names stay where a long table is scrolled', () => withPage('', { viewport: { width: 600, height: 420 } }, async (page) => {
  const places = () => page.evaluate(() => {
    const box = (selector) => document.querySelector(selector).getBoundingClientRect();
    return { head: box('thead th:nth-child(2)').top, tools: box('.tools').bottom, name: box('tbody tr:not(.group) th').left, wide: document.querySelector('main').scrollWidth };
  });
  await page.evaluate(() => { document.querySelector('main').scrollTop = 1e6; });
  const { head, tools, name, wide } = await places();
  assert.ok(Math.abs(head - tools) < 2, `the head is at ${head}, the tools end at ${tools}`);
  await page.evaluate(() => { document.querySelector('main').scrollLeft = 200; });
  assert.equal((await places()).name, name);
  assert.ok(wide >= 600);
}));

test('the filter keeps what has all its words, and the address has it', () => withPage('', {}, async (page) => {
  const { name } = index.scenarios[failed.at];
  await page.keyboard.press('/');
  await page.keyboard.type(name);
  const rows = () => page.$$eval('tbody tr:not(.group):not([hidden]) th a', (links) => links.map((link) => link.getAttribute('href')));
  const meant = index.scenarios.filter((one) => [one.name, one.why, ...one.clauses].join('\n').toLowerCase().includes(name)).map((one) => `#/s/${one.name}`);
  assert.deepEqual(await rows(), meant);
  const count = meant.length === index.scenarios.length ? '' : `${meant.length} of `;
  assert.ok((await page.innerText('#count')).startsWith(count));
  assert.equal(await hashOf(page), `#/?q=${encodeURIComponent(name)}`);
  await page.reload();
  assert.deepEqual(await rows(), meant);
  await page.keyboard.press('Escape');
  await shows(page, '#/');
  assert.equal((await rows()).length, index.scenarios.length);
  await page.fill('#filter', 'no scenario has these words');
  assert.equal(await page.isVisible('.nothing'), true);
}));

test('verdicts and clients are switches', () => withPage('', {}, async (page) => {
  await page.click('.chips .chip:has(.v.passed)');
  const rows = await page.$$eval('tbody tr:not(.group):not([hidden])', (lines) => lines.map((line) => [...line.querySelectorAll('td a')].map((link) => link.innerText)));
  assert.equal(rows.length, index.scenarios.filter((_, at) => index.clients.some(({ verdicts }) => verdicts[at] === 'p')).length);
  assert.ok(rows.every((signs) => signs.includes('✓')));
  await page.click(`.cards .card:nth-child(${passed.client + 1})`);
  assert.deepEqual(await page.$$eval('thead th:not([hidden])', (heads) => heads.slice(1).map((head) => head.textContent)), [index.clients[passed.client].name]);
  assert.equal(await hashOf(page), `#/?v=passed&c=${index.clients[passed.client].name}`);
  await page.click('.clear');
  assert.equal(await hashOf(page), '#/');
}));

test('from the table to a decoded frame and back without a mouse', () => withPage('', {}, async (page) => {
  await page.keyboard.press('/');
  await page.keyboard.type(index.scenarios[passed.at].name);
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-expanded')), 'true', 'the first stop is the area');
  const wanted = routeOf(passed);
  for (let press = 0; press < 5 && !(await page.evaluate((href) => document.activeElement.closest('tr').querySelector(`a[href="${href}"]`), wanted)); press += 1) await page.keyboard.press('j');
  for (let press = 0; press <= index.clients.length && (await page.evaluate(() => document.activeElement.getAttribute('href'))) !== wanted; press += 1) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.moments');
  assert.equal(await hashOf(page), wanted);
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.classList.contains('arrow')), true);
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', 'focus is seen');
  const before = await page.evaluate(() => document.activeElement.at);
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  assert.equal(await page.evaluate(() => document.activeElement.at), before);
  await page.keyboard.press('Enter');
  const moment = blockOf(passed.at).runs[passed.client].evidence.moments[before];
  assert.equal((await page.textContent('.frame pre')).trimEnd(), moment.text.trimEnd());
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-expanded')), 'true');
  assert.equal(await hashOf(page), `${wanted}?m=${before + 1}`);
  await page.keyboard.press('Escape');
  assert.equal(await page.$('.frame'), null);
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=grid]');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), wanted, 'where the reader was');
}));

test('an address is shared, loaded anew and gone back from', () => withPage(routeOf(failed), {}, async (page) => {
  const shown = async () => {
    await page.waitForSelector('.scenario h1');
    return [await page.innerText('h1'), await page.innerText('.switcher [aria-current]'), await page.title()];
  };
  const name = index.scenarios[failed.at].name;
  const first = await shown();
  assert.equal(first[0], name.slice(name.indexOf('/') + 1));
  assert.ok(first[1].includes(index.clients[failed.client].name));
  assert.ok(first[2].startsWith(name));
  await page.reload();
  assert.deepEqual(await shown(), first);
  await page.click('nav [href="#/c"]');
  await page.waitForSelector('.sheet.clauses');
  await page.goBack();
  assert.deepEqual(await shown(), first);
  await go(page, '#/s/no/such');
  assert.match(await page.innerText('main'), /No scenario of this report is called no\/such/);
}));

test('a failure is told field by field, with its line, its step and how to run it again', () => withPage(routeOf(failed), {}, async (page) => {
  const { runs, steps } = blockOf(failed.at);
  const run = runs[failed.client];
  const { message, step, line } = run.mismatches[0];
  const sentence = message.split('\n')[0];
  assert.equal(await page.innerText('.mismatch .sentence'), sentence);
  const fields = message.split('\n').slice(1).filter((one) => /^\s+\S.*: expected .*, got /.test(one)).length;
  assert.equal(await page.locator('.mismatch').first().locator('.fields tbody tr').count(), fields);
  assert.ok((await page.innerText('.commands')).includes(index.scenarios[failed.at].name));
  if (line) assert.ok((await page.innerText(`.source [data-line="${line}"]`)).includes(`^ ${sentence}`));
  if (step) assert.ok((await page.innerText('.moments .failure')).includes(sentence));
  assert.equal(await page.locator('.source li').count(), blockOf(failed.at).source.replace(/\n$/, '').split('\n').length);
  assert.equal(await page.locator('.source button').count(), steps.length);
}));

test('a moment lights its step in the text, and a step its moments', () => withPage(routeOf(passed), {}, async (page) => {
  const { runs, steps } = blockOf(passed.at);
  const { moments } = runs[passed.client].evidence;
  const at = moments.findIndex(({ step }) => step !== null);
  assert.equal(await page.locator('.moments .step').count(), moments.filter(({ step }, one) => one === 0 || moments[one - 1].step !== step).length, 'a heading where another step begins');
  const { step } = moments[at];
  await page.evaluate((wanted) => [...document.querySelectorAll('.arrow')].find((arrow) => arrow.at === wanted).focus(), at);
  assert.deepEqual(await page.$$eval('.source .lit', (lines) => lines.map((line) => Number(line.dataset.line))), lines(steps[step - 1]));
  await page.hover(`.source [data-line="${steps[step - 1][0]}"]`);
  assert.equal(await page.locator('.moment.lit').count(), moments.filter((moment) => moment.step === step).length);
  await page.click(`.source [data-line="${steps[step - 1][0]}"] button`);
  assert.equal(await page.evaluate(() => document.activeElement.at), at);
}));
const lines = ([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

test('each clause has its level, its statement, its scenarios and what each client does', () => withPage('#/c', {}, async (page) => {
  const rows = await page.$$eval('tbody tr:not(.group)', (all) => all.map((row) => [row.querySelector('th a').innerText, row.querySelector('.level').innerText, row.querySelector('.statement').innerText, row.querySelector('.clause .count').innerText]));
  const scenarios = (id) => index.scenarios.filter(({ clauses }) => clauses.includes(id)).length;
  const counted = (count) => `${count} ${count === 1 ? 'scenario' : 'scenarios'}`;
  assert.deepEqual(rows.sort(), index.clauses.map(({ id, level, statement }) => [id, level, statement.replaceAll('`', ''), counted(scenarios(id))]).sort());
  const { id } = index.clauses.find((clause) => index.scenarios[passed.at].clauses.includes(clause.id));
  await page.click(`th a[href="#/c/${id}"]`);
  await page.waitForSelector(`h1:has-text("${id}")`);
  assert.equal(await page.locator('tbody tr:not(.group)').count(), scenarios(id));
}));

test('on a phone only boxes scroll sideways, and a frame is read', () => withPage(routeOf(passed), { viewport: PHONE, isMobile: true, hasTouch: true }, async (page) => {
  for (const hash of ['#/', '#/c', `#/c/${index.scenarios[passed.at].clauses[0]}`, routeOf(failed), routeOf(passed)]) {
    await go(page, hash);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width, hash);
  }
  await page.waitForSelector('.moments');
  assert.ok(await page.evaluate(() => document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth), 'a scenario is no wider than the phone');
  await page.tap('.moments .arrow');
  const { x, width } = await page.locator('.frame').boundingBox();
  assert.ok(x >= 0 && x + width <= PHONE.width, `the frame is at ${x}, ${width} wide`);
}));

test('a bar that takes room, as on most desktops, pushes nothing out of its box', async () => {
  const hidden = browser;
  browser = await startChromium(findChromium(), { scrollbars: true });
  try {
    for (const width of [LAPTOP.width, 400]) {
      await withPage('', { viewport: { ...LAPTOP, width } }, async (page) => {
        for (const hash of ['#/', '#/c', routeOf(failed), routeOf(passed)]) {
          await go(page, hash);
          const over = await page.evaluate(() => {
            const [page, box, fixed] = [document.documentElement, document.querySelector('main'), document.querySelector('.fixed')];
            // A table of many clients is wider than its box, and its head is not.
            return [page.scrollWidth - page.clientWidth, (fixed?.offsetWidth ?? box.scrollWidth) - box.clientWidth];
          });
          assert.deepEqual(over, [0, 0], `${hash} at ${width}`);
        }
      });
    }
  } finally {
    await browser.close();
    browser = hidden;
  }
});

for (const colorScheme of ['light', 'dark']) {
  test(`every word can be read in ${colorScheme}`, () => withPage('', { colorScheme }, async (page) => {
    const schemes = [];
    for (const hash of ['#/', '#/?v=failed', '#/c', routeOf(failed), routeOf(passed)]) {
      await go(page, hash);
      if (hash.startsWith('#/s/')) {
        await page.waitForSelector('.moments .arrow');
        await page.focus('.moments .arrow');
        await page.keyboard.press('Enter');
      }
      const { poor, ground } = await page.evaluate(contrasts, CONTRAST_MIN);
      assert.deepEqual(poor, [], hash);
      schemes.push(ground);
    }
    assert.ok(schemes.every((ground) => (colorScheme === 'dark' ? ground < 0.1 : ground > 0.8)), `${schemes}`);
  }));
}

test('the switch for colours outdoes the machine', () => withPage('', { colorScheme: 'dark' }, async (page) => {
  await page.click('#theme');
  assert.ok((await page.evaluate(contrasts, 0)).ground > 0.8);
  await page.click('#theme');
  assert.ok((await page.evaluate(contrasts, 0)).ground < 0.1);
}));

test('nothing moves for those who asked for it', () => withPage('', { reducedMotion: 'reduce' }, async (page) => {
  assert.equal(await page.evaluate(() => [...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s').length), 0);
}));

test('the head says by which seed the server was nasty, if it was', async () => {
  const facts = (page) => page.$$eval('.headline .facts > div', (all) => all.map((fact) => fact.innerText.split('\n')).filter(([name]) => name.toLowerCase() === 'nasty seed').map(([, value]) => value));
  const path = join(folder, 'nasty.html');
  for (const [nasty, shown] of [[null, []], ['0', ['0']], ['18446744073709551615', ['18446744073709551615']]]) {
    writeFileSync(path, html.replace(INDEX, (_, begin, __, end) => begin + inert({ ...index, nasty }) + end));
    await withPage('', {}, async (page) => assert.deepEqual(await facts(page), shown), path);
  }
});

test('words that are markup elsewhere are words here', async () => {
  const hostile = '</script><img src=x onerror="alert(1)"><script>alert(2)</script><!-- "quoted" \u2028';
  const changed = structuredClone(index);
  changed.harness = hostile;
  for (const clause of changed.clauses) clause.statement = hostile;
  Object.assign(changed.scenarios[passed.at], { why: hostile, path: hostile });
  Object.assign(changed.clients[passed.client], { calls_itself: hostile, stale: [hostile], mend: hostile, file: hostile });
  const block = blockOf(passed.at);
  const run = block.runs[passed.client];
  block.source = `${hostile}\n${block.source}`;
  Object.assign(run, { reason: hostile, bundle: hostile, again: hostile, mismatches: [{ place: 'step', step: 1, line: 1, message: `${hostile}\n  ${hostile}: expected ${hostile}, got ${hostile}\n${hostile}` }], findings: [{ clause: hostile, user: hostile, text: hostile, times: 2 }] });
  run.evidence.stderr = hostile;
  for (const lane of run.evidence.lanes) lane.title = hostile;
  for (const moment of run.evidence.moments) Object.assign(moment, { label: hostile, text: hostile });
  const within = (text) => (_, begin, __, end) => begin + text + end;
  const page = html.replace(INDEX, within(inert(changed))).replace(blockPattern(passed.at), within(deflateRawSync(JSON.stringify(block)).toString('base64')));
  const path = join(folder, 'hostile.html');
  writeFileSync(path, page);
  await withPage('', {}, async (page) => {
    assert.ok((await page.innerText('.headline')).includes('<img src=x'));
    for (const hash of ['#/c', routeOf(passed), '#/s/%3Cimg%20src=x%20onerror=alert(1)%3E/x']) {
      await go(page, hash);
      assert.ok((await page.textContent('main')).includes('<img src=x'), hash);
      assert.equal(await page.locator('img, main script').count(), 0, hash);
    }
    await go(page, routeOf(passed));
    await page.click('.over button:has-text("Open all frames")');
    assert.equal((await page.textContent('.frame pre')).trimEnd(), hostile.trimEnd());
    assert.equal(await page.locator('img, main script').count(), 0);
  }, path);
});

/** Which visible words have less contrast than they must, and how light the page is. Runs in the page. */
function contrasts(least) {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  canvas.canvas.width = canvas.canvas.height = 1;
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((part, at) => part * a + below[at] * (1 - a));
  const light = (color) => {
    const [r, g, b] = color.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const layer = rgba(getComputedStyle(one).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [1, 1, 1]);
  };
  const poor = new Set();
  for (const element of document.body.querySelectorAll('*')) {
    const words = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!words || element.closest('script, .sr, [aria-disabled]') || !element.checkVisibility({ opacityProperty: true })) continue;
    const ground = groundOf(element);
    const [one, other] = [light(over(rgba(getComputedStyle(element).color), ground)), light(ground)].sort();
    const contrast = (other + 0.05) / (one + 0.05);
    if (contrast < least) poor.add(`${element.tagName}.${element.className}: ${contrast.toFixed(2)}`);
  }
  return { poor: [...poor], ground: light(groundOf(document.body)) };
}
