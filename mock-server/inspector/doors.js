//! Faults at the door: what befalls whoever tries to come in, before anybody has logged in. They are the whole server's,
//! or those of one world's own path.

import { button, choose, field, h, put, word } from './element.js';
import { WORDS, say } from './words.js';
import { lineForm } from './lineform.js';
import { doorsOf, ownPath, post } from './server.js';

/** The largest number of tries that the server takes. */
const TRIES_MAX = 1_000_000;

const next = (tries) => (tries === undefined ? '' : ` next ${tries}`);
const connections = (tries) => (tries === undefined ? 'every connection' : tries === 1 ? 'next connection' : `next ${tries} connections`);

/** Each as the server's own line, for so many tries; `undefined`: for every one. */
const DOORS = [
  { called: 'doorClosed', about: 'doorClosedAbout', line: (tries) => `refuse ${connections(tries)}` },
  { called: 'doorReset', about: 'doorResetAbout', line: (tries) => `refuse ${connections(tries)} with reset` },
  { called: 'doorInfo', about: 'doorInfoAbout', line: (tries) => `refuse info with 503${next(tries)}` },
  { called: 'doorUpgrade', about: 'doorUpgradeAbout', line: (tries) => `refuse upgrade with 401${next(tries)}` },
  { called: 'doorNever', about: 'doorNeverAbout', line: (tries) => `never open${next(tries)}` },
  { called: 'doorSlow', about: 'doorSlowAbout', line: (tries) => `slow open 5s${next(tries)}` },
];

/**
 * The part of the catalog about doors. `armed(what)` is told what was armed: the words and values that say so, what to do
 * then, the lines, and where each is taken back; or nothing, where it was refused.
 */
export const doorGroup = (world, armed) => {
  const whom = choose([['server', 'whomServer'], ['world', 'whomWorld']], { name: 'whom', onchange: () => show() });
  const tries = h('input', { name: 'tries', type: 'number', min: 1, max: TRIES_MAX, value: 1, wPlaceholder: 'everyTry', oninput: () => show() });
  const come = h('p', { class: 'soft come' }, h('span', {}), ' ', button('connect', () => world.open('connect', { own: true }), { class: 'copy' }));
  const count = () => (tries.value === '' ? undefined : Number(tries.value));

  const arm = async (line) => {
    const scope = whom.value;
    const place = doorsOf(scope, world.key);
    const { doors } = await post(place, line);
    const one = doors.at(-1);
    world.refresh();
    armed({
      words: scope === 'server' ? ['armedAtServer'] : ['armedAtWorld'],
      then: () => [say(/ next /.test(one.text) ? 'doorThenNext' : 'doorThenEvery'), scope === 'world' && say('comeBy', { path: ownPath(world.key) })].filter(Boolean).join(' '),
      lines: [one.text],
      backs: [`${place}/${one.id}`],
    });
  };
  const clicked = async (make) => {
    if (!tries.reportValidity()) return;
    try {
      await arm(make(count()));
    } catch (error) {
      armed(undefined);
      world.refused(error);
    }
  };
  const items = DOORS.map(({ called, about, line }) => {
    const name = h('span', { class: 'title', w: called });
    const code = h('code', { class: 'block', translate: 'no' });
    const go = h('button', { type: 'button', class: 'strong small', w: 'arm', onclick: () => clicked(line) });
    const item = h('li', { class: 'entry' }, h('details', {}, h('summary', {}, name), h('div', { class: 'inner' }, h('p', { w: about }), code)), go);
    item.show = () => {
      put(code, line(tries.validity.valid ? count() : 1));
      word(go, 'armNamed', { name: say(called) }, 'aria-label');
    };
    item.found = [...WORDS[called], ...WORDS[about], ...WORDS.door, line(1)].join('\n').toLowerCase();
    return item;
  });
  const own = lineForm({ name: 'door', label: 'ownDoor', hint: 'doorPlaceholder', go: 'armDoor', done: 'doorIsArmed', send: arm });
  own.offer([...DOORS.map(({ line }) => line(2)), 'refuse every connection with 503']);
  const element = h('details', { class: 'group' },
    h('summary', {}, h('span', { w: 'door' }), h('span', { class: 'count', translate: 'no' }, ` ${DOORS.length}`)),
    h('div', { class: 'doors' },
      h('p', { class: 'soft', w: 'doorAbout' }),
      h('div', { class: 'pair wide' }, field('whom', whom), field('tries', tries)), come,
      h('ul', { class: 'list' }, items), own.element));

  const show = () => {
    come.hidden = whom.value !== 'world';
    word(come.firstChild, 'comeBy', { path: ownPath(world.key) });
    for (const item of items) item.show();
  };
  show();
  return { element, items, show };
};
