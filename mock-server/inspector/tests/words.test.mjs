//! The table of words: both languages say everything, with the same values in it; every key that is used is there, and
//! every key that is there is used.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { GROUPS } from '../model.js';
import { LANGUAGES, WORDS, fill } from '../words.js';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = readdirSync(FOLDER).filter((name) => /\.(js|html)$/.test(name) && name !== 'words.js').map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]);
const valuesIn = (text) => [...new Set([...text.matchAll(/\{(\w+)[|}]/g)].map(([, name]) => name))].sort();
/** Names that Chinese writes as they are. */
const SAME = ['App key', 'HAR', 'easemob-websdk 4.x', 'easemob-websdk 3.x', 'on 2nd text from alice: drop', 'refuse info with 503 next 2'];

test('both languages say everything, with the same values', () => {
  for (const [key, words] of Object.entries(WORDS)) {
    assert.equal(words.length, LANGUAGES.length, key);
    const [en, zh] = words;
    assert.ok(en.trim() && zh.trim(), key);
    assert.deepEqual(valuesIn(en), valuesIn(zh), key);
    // The name of the other language is written in that language.
    if (key === 'language') continue;
    assert.doesNotMatch(en, /\p{Script=Han}/u, `${key}: English`);
    if (!SAME.includes(en) && /\p{Letter}/u.test(en.replace(/\{[^}]*\}/g, ''))) assert.match(zh, /\p{Script=Han}/u, `${key}: Chinese`);
  }
});

test('every key that is used is there, and every one that is there is used', () => {
  const quoted = new Set(sources.flatMap(([, text]) => [...text.matchAll(/['"]([\w ]+)['"]/g)].map(([, word]) => word)));
  // Made of two parts where the line's state is told.
  for (const state of ['loading', 'live', 'lost', 'gone', 'untaped', 'locked', 'none']) quoted.add(`line${state[0].toUpperCase()}${state.slice(1)}`);
  // Names of fields and of the model that are words of the page too.
  for (const name of ['up', ...Object.keys(GROUPS)]) quoted.add(name);
  assert.deepEqual(Object.keys(WORDS).filter((key) => !quoted.has(key)), [], 'nobody says these');
  const said = sources.flatMap(([name, text]) => [
    // Where the names of these attributes are made, they are no keys.
    ...(name === 'element.js' ? '' : text).matchAll(/\b(?:w|wLabel|wTitle|wPlaceholder): \[?'([^']+)'/g), ...text.matchAll(/\b(?:say|button|announce|field|section|unseen)\(\[?'([^']+)'/g),
    ...text.matchAll(/\bnote\('\w+', '([^']+)'/g), ...text.matchAll(/\bword\([\w.#]+, '([^']+)'/g), ...text.matchAll(/data-w="([^"]+)"/g),
  ].map(([, key]) => [name, key]));
  assert.ok(said.length > 100, `${said.length} places found`);
  assert.deepEqual(said.filter(([, key]) => !Object.hasOwn(WORDS, key)), [], 'words that the table lacks');
});

test('no word stands outside the table', () => {
  for (const [name, text] of sources) {
    const code = text.replace(/^\s*(\/\/|\/?\*).*$/gm, '');
    assert.doesNotMatch(code.replace(/<noscript>.*<\/noscript>/, ''), /\p{Script=Han}/u, `${name}: Chinese`);
    // Text between elements, titles and labels that are written down rather than looked up.
    assert.deepEqual([...code.matchAll(/(?:aria-label|placeholder|title): '([^'$]+)'/g)].map(([whole]) => whole).filter((whole) => !whole.includes('org#app')), [], name);
    if (name.endsWith('.html')) assert.equal(code.replace(/<noscript>.*<\/noscript>/, '').replace(/<title>.*<\/title>/, '').replace(/<[^>]*>/g, '').replace(/\s+/g, ''), 'mock-server?', name);
  }
});

test('values are put in, and one is not many', () => {
  assert.equal(fill('{n} {n|row|rows}', { n: 1 }), '1 row');
  assert.equal(fill('{n} {n|row|rows}', { n: 1234 }), '1,234 rows');
  assert.equal(fill('{a} {b}', { a: '{b}' }), '{b} ');
});
