//! What is armed, rules and doors together, with how often each was hit; and what was armed last: what to do then, and a
//! way to take it back.

import { button, h, keep, note, put, sign, word } from './element.js';
import { doorsOf, ownPath, remove } from './server.js';

/** Where a rule is taken back. */
export const ruleAt = ({ place }, id) => `${place}/rules/${encodeURIComponent(id)}`;

/** What is armed in the world and at its doors: `{ path, text, hits, seen, armed, where }`, `path` being where it is taken back. */
export const armedIn = (world) => [
  ...world.rules.map(({ id, text, hits, looked_at: seen, armed }) => ({ path: ruleAt(world, id), text, hits, seen, armed })),
  ...world.doors.map(({ scope, id, text, hits, armed }) => ({ path: `${doorsOf(scope, world.key)}/${id}`, text, hits, armed, where: scope })),
];

/** What may still strike and what was done last, which is what is looked for; and what was done before, the newest first. */
const sorted = (all) => {
  const spent = all.filter(({ armed }) => armed === false);
  const latest = [spent.findLast(({ where }) => where === undefined), spent.findLast(({ where }) => where !== undefined)].filter(Boolean);
  return {
    now: [...all.filter(({ armed }) => armed !== false), ...latest],
    before: spent.filter((one) => !latest.includes(one)).reverse(),
  };
};

export const armedList = (world) => {
  const list = h('ul', { class: 'list' });
  const done = h('ul', { class: 'list' });
  const doneCount = h('span', {});
  const older = h('details', { class: 'more', hidden: true }, h('summary', {}, doneCount), done);
  const none = h('p', { class: 'soft', w: 'noRules' });
  const back = async (path) => {
    try {
      await remove(path);
      world.refresh();
      return true;
    } catch (error) {
      world.refused(error);
      return false;
    }
  };
  const clear = button('clearAll', async () => {
    try {
      if (world.rules.length > 0) await world.control({ clear_faults: {} });
      for (const scope of new Set(world.doors.map((door) => door.scope))) await remove(doorsOf(scope, world.key));
      forget();
      world.refresh();
    } catch (error) {
      world.refused(error);
    }
  });
  const item = (one) => {
    const [where, hits] = [h('span', { class: 'soft' }), h('span', { class: 'count' })];
    const take = button('disarm', () => back(one.path), { class: 'plain small' });
    const element = h('li', { class: 'rule' }, h('div', {}, h('code', { translate: 'no' }, one.text), where, hits), take);
    element.parts = { where, hits, take };
    return element;
  };
  const fill = (element, one) => {
    const { where, hits, take } = element.parts;
    where.hidden = one.where === undefined;
    if (one.where === 'server') word(where, 'atServer');
    else if (one.where === 'world') word(where, 'atWorld', { path: ownPath(world.key) });
    word(hits, one.armed === false ? (one.where ? 'doorSpent' : 'ruleSpent') : one.where ? 'doorHits' : 'ruleHits', { hits: one.hits, seen: one.seen });
    element.classList.toggle('spent', one.armed === false);
    element.classList.toggle('hit', one.hits > 0);
    word(take, one.armed === false ? 'forget' : 'disarm');
  };

  // What was armed last
  const told = h('div', { class: 'told', role: 'status' });
  let last;
  const forget = () => {
    last = undefined;
    told.replaceChildren();
  };
  /** Tells what was armed; nothing: what was tried last was refused, and what stood there is of another. */
  const say = (what) => {
    if (!what) {
      forget();
      return;
    }
    const then = h('p', { class: 'then' });
    const takeBack = button('takeBack', async () => {
      let all = true;
      for (const path of what.backs) all = await back(path) && all;
      if (all) {
        forget();
        note('good', 'takenBack');
      }
    }, { class: 'plain small' });
    last = { ...what, key: world.key, at: world.seenAt, then, takeBack, words: what.then };
    told.replaceChildren(h('div', { class: 'note good' },
      h('div', { class: 'over' }, h('b', { w: what.words }), h('button', { type: 'button', class: 'quiet', wLabel: 'close', onclick: forget }, sign('✕'))), then,
      what.lines.map((line) => h('code', { class: 'block', translate: 'no' }, line)),
      h('div', { class: 'row' }, takeBack, what.backs.length === 0 && h('span', { class: 'soft', w: 'happened' }))));
    show();
  };

  const show = () => {
    const armed = armedIn(world);
    const { now, before } = sorted(armed);
    for (const [element, items] of [[list, now], [done, before]]) keep(element, items, { key: ({ path }) => path, make: item, update: fill });
    older.hidden = before.length === 0;
    word(doneCount, 'doneBefore', { count: before.length });
    none.hidden = armed.length > 0;
    clear.hidden = armed.length === 0;
    // What was said of another world is none of this one's.
    if (last && last.key !== world.key) forget();
    if (!last) return;
    put(last.then, last.words());
    const known = world.seenAt !== last.at;
    last.takeBack.hidden = last.backs.length === 0 || (known && !armed.some(({ path }) => last.backs.includes(path)));
  };
  return { list, older, none, clear, told, say, show };
};
