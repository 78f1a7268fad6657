//! The world itself: its clock, its end and its beginning, and what may be taken home of it.

import { button, field, h, note, put, word } from './element.js';
import { dateOf, say } from './words.js';
import { post } from './server.js';

const STEPS = [[1000, 'plusSecond'], [60_000, 'plusMinute'], [3_600_000, 'plusHour'], [86_400_000, 'plusDay']];
const FILES = [['bundle', 'bundle', 'bundleAbout'], ['har', 'har', 'harAbout'], ['state', 'state', 'stateAbout']];
/** What the server takes for an app key, so that the reader hears of a slip before it is sent. */
export const APP_KEY = '[^#\\/\\s]+#[^#\\/\\s]+';

/** What time it is in the world by now: the clock of the last answer, and since then as this machine's goes on. */
export const nowOf = ({ overview, seenAt }) => (overview ? overview.clock.now_ms + (overview.clock.runs ? performance.now() - seenAt : 0) : undefined);

export const worldPanel = (world) => {
  const time = h('time', { class: 'time', translate: 'no' });
  const state = h('span', { class: 'soft' });
  const move = async (body, done) => {
    try {
      await post(`${world.place}/clock`, body);
      note('good', ...done);
      world.refresh();
    } catch (error) {
      world.refused(error);
    }
  };
  const stop = button('stopClock', () => move({ stop: {} }, ['clockStopped']));
  const run = button('runClock', () => move({ run: {} }, ['clockRuns']));
  const name = h('input', { name: 'app_key', required: true, pattern: APP_KEY, placeholder: 'org#app', autocomplete: 'off', spellcheck: 'false', wTitle: 'appKeyForm' });
  const make = h('form', { class: 'form', onsubmit: async (event) => {
    event.preventDefault();
    if (await world.make(name.value.trim())) make.reset();
  } }, field('newWorld', name), h('div', { class: 'row' }, h('button', { class: 'plain', w: 'makeWorld' })));

  // What cannot be undone is asked twice, in the same place.
  let asked;
  const reset = button('reset', async () => {
    if (asked !== world.appKey) {
      asked = world.appKey;
      word(reset, 'resetSure', { world: asked });
      reset.classList.add('danger');
      return;
    }
    calm();
    try {
      await post(`${world.place}/reset`, {});
      note('good', 'resetDone', { world: world.appKey });
      world.refresh();
    } catch (error) {
      world.refused(error);
    }
  });
  const calm = () => {
    asked = undefined;
    word(reset, 'reset');
    reset.classList.remove('danger');
  };
  reset.addEventListener('blur', calm);

  const files = FILES.map(([file, key, about]) => {
    const link = h('a', { class: 'plain', download: '', w: key });
    return { file, link, item: h('li', {}, link, h('span', { class: 'soft', w: about })) };
  });
  const tick = () => {
    const now = nowOf(world);
    put(time, now === undefined ? '' : dateOf(now));
  };
  const show = () => {
    const runs = world.overview?.clock.runs !== false;
    word(state, runs ? 'clockGoing' : 'clockStanding');
    run.disabled = runs;
    reset.disabled = !world.appKey;
    for (const { file, link } of files) {
      const [org, app] = world.key.split('#');
      // Of no world there is nothing to take home.
      if (world.appKey) link.href = `/_mock${world.place}/${file}`;
      else link.removeAttribute('href');
      link.download = `${org}-${app}.${file === 'har' ? 'har' : `${file}.json`}`;
    }
    if (asked !== undefined && asked !== world.appKey) calm();
    tick();
  };
  const element = h('div', { class: 'sheet' },
    h('h2', { w: 'clock' }), h('p', { class: 'clock-face' }, time, state),
    h('div', { class: 'row' }, STEPS.map(([ms, key]) => button(key, () => move({ advance_ms: ms }, ['clockMoved', { by: say(key) }])))),
    h('div', { class: 'row' }, stop, run),
    h('p', { class: 'soft', w: 'clockAbout' }),
    h('h2', { w: 'files' }), h('ul', { class: 'files' }, files.map(({ item }) => item)),
    h('h2', { w: 'worlds' }), make,
    h('div', { class: 'row' }, reset), h('p', { class: 'soft', w: 'resetAbout' }));
  return { element, show, tick, reworded: show, begin: () => {} };
};
