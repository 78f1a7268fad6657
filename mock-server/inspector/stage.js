//! Stage: any error, situation or profile for a user by a click, from the server's own catalog, faults at the door, and
//! rules of one's own. What is armed stands on top, with how often it was hit.

import { copyButton, field, h, keep, put } from './element.js';
import { inLanguage, say } from './words.js';
import { get, post } from './server.js';
import { armedIn, armedList, ruleAt } from './armed.js';
import { doorGroup } from './doors.js';
import { lineForm } from './lineform.js';

/** The groups of the catalog, in the order in which a reader meets them. */
const GROUPS = ['message', 'login', 'kick', 'upload', 'rest', '4.x'];
const GROUP_WORDS = { message: 'groupMessage', login: 'groupLogin', kick: 'groupKick', upload: 'groupUpload', rest: 'groupRest', '4.x': 'group4' };

/** A text of the catalog, which may name the user whom it is about. */
const text = (both, user) => (typeof both === 'string' ? both : both ? inLanguage(both) : '').replaceAll('{user}', user || '…');

/** A word of a command line, whatever is in it. */
const shellWord = (word) => (/^[\w.@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** Where the program looks for a server by itself. */
const SERVER = 'http://127.0.0.1:8989';
/** The catalog's commands are for alice, as an example: the same for this user of this world of this server. */
const commandFor = (command, user, appKey) => [command.replace(/--user alice$/, `--user ${shellWord(user)}`), `--world ${shellWord(appKey)}`, location.origin !== SERVER && `--server ${location.origin}`].filter(Boolean).join(' ');

export const stagePanel = (world) => {
  let entries;
  let known = '';
  let shownFor;
  const user = h('input', { name: 'user', list: 'staged', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', required: true });
  const users = h('datalist', { id: 'staged' });
  const find = h('input', { type: 'search', wPlaceholder: 'findError', wLabel: 'findError', oninput: () => filter() });
  const none = h('p', { class: 'nothing', hidden: true, w: 'noSuchError' });
  const armed = armedList(world);
  const doors = doorGroup(world, armed.say);
  // The door is there before the server's catalog is.
  const catalog = h('div', { class: 'catalog' }, doors.element);
  entries = doors.items;
  const own = lineForm({ name: 'rule', label: 'ownRule', hint: 'rulePlaceholder', go: 'armRule', done: 'ruleArmed', send: async (rule) => {
    await post(`${world.place}/control`, { fault: { rule } });
    world.refresh();
  } });

  /** Where the rules are that these commands have armed: the newest of each text. */
  const backsOf = async (commands) => {
    const texts = commands.map((command) => command.fault?.rule).filter((rule) => rule !== undefined);
    if (texts.length === 0) return [];
    const { rules } = await get(`${world.place}/rules`);
    return rules.slice(-texts.length).map(({ id }) => ruleAt(world, id));
  };
  const arm = async (name) => {
    const who = user.value.trim();
    if (who === '') {
      user.focus();
      user.reportValidity();
      return;
    }
    try {
      const { armed: commands, then } = await post(`${world.place}/stage`, { name, user: who });
      const lines = commands.map((command) => command.fault?.rule ?? JSON.stringify(command));
      const waits = commands.some((command) => command.fault?.rule !== undefined);
      armed.say({ words: [waits ? 'armedFor' : 'doneFor', { name, user: who }], then: () => text(then, who), lines, backs: await backsOf(commands) });
      world.refresh();
    } catch (error) {
      armed.say(undefined);
      world.refused(error);
    }
  };

  /** An entry of the catalog: what it is, what becomes of it, and the button. `lines` are a profile's rules. */
  const entryItem = ({ name, code, title, says, about, then, shows = {}, clause, from, command, rules: lines = [] }) => {
    const heading = h('span', { class: 'title' });
    const [aboutText, thenText] = [h('p', {}), h('p', {})];
    const shown = Object.entries(shows).map(([client, what]) => h('tr', {}, h('th', { scope: 'row', translate: 'no' }, client), h('td', { translate: 'no' }, typeof what === 'string' ? what : JSON.stringify(what))));
    const copied = command && h('code', { translate: 'no' });
    const codes = lines.map((line) => ({ line, element: h('code', { class: 'block', translate: 'no' }) }));
    const go = h('button', { type: 'button', class: 'strong small', w: 'arm', onclick: () => arm(name) });
    const item = h('li', { class: 'entry', 'data-name': name },
      h('details', {},
        h('summary', {}, h('b', { class: 'code', translate: 'no' }, code ?? ''), heading),
        h('div', { class: 'inner' }, aboutText, thenText, codes.map(({ element }) => element),
          shown.length > 0 && h('table', { class: 'shows' }, h('caption', { w: 'whatShows' }), h('tbody', {}, shown)),
          (clause || from) && h('p', { class: 'soft' }, clause && h('code', { class: 'clause', translate: 'no' }, clause), from && h('span', { translate: 'no' }, ` ${from}`)),
          copied && h('div', { class: 'command' }, copied, copyButton(copied)))),
      go);
    item.words = () => {
      const who = user.value.trim();
      put(heading, text(title ?? says, who) || name);
      put(aboutText, text(about, who));
      aboutText.hidden = aboutText.textContent === '';
      put(thenText, text(then) && `→ ${text(then, who)}`);
      thenText.hidden = thenText.textContent === '';
      if (copied) put(copied, commandFor(command, who || 'alice', world.key));
      for (const { line, element } of codes) put(element, text(line, who));
      go.setAttribute('aria-label', say('armNamed', { name: code ? `${code} ${heading.textContent}` : heading.textContent }));
    };
    item.words();
    item.found = [name, code, clause, ...[says, title, about, then].flatMap((both) => (typeof both === 'object' ? Object.values(both) : both ?? [])), ...Object.values(shows).map(String), ...lines].join('\n').toLowerCase();
    return item;
  };

  const group = (key, items, { open = false, about } = {}) => h('details', { class: 'group', open },
    h('summary', {}, h('span', { w: key }), h('span', { class: 'count', translate: 'no' }, ` ${items.length}`)),
    about && h('p', { class: 'soft', w: about }),
    h('ul', { class: 'list' }, items));
  const build = () => {
    const { errors = [], situations = [], profiles = [] } = world.catalog ?? {};
    const now = JSON.stringify([errors.length, situations.length, profiles.length]);
    if (now === known) return;
    known = now;
    const others = [...new Set(errors.map(({ group: name }) => name))].filter((name) => !GROUPS.includes(name));
    const made = (all) => all.map(entryItem);
    const parts = [
      ['situations', made(situations), { open: true }],
      ...[...GROUPS, ...others].map((name) => [GROUP_WORDS[name] ?? name, made(errors.filter((entry) => entry.group === name)), { open: name === 'message' }]),
      ['profiles', made(profiles), { about: 'profilesAbout' }],
    ].filter(([, items]) => items.length > 0);
    entries = [...parts.flatMap(([, items]) => items), ...doors.items];
    const groups = parts.map((part) => group(...part));
    // Where a login is looked for, the door is looked for, too.
    groups.splice(1, 0, doors.element);
    catalog.replaceChildren(...groups);
    own.offer(profiles.flatMap(({ rules: lines }) => lines ?? []).map((line) => text(line, user.value.trim() || 'alice')));
    filter();
  };

  /** Shows what has all the words; groups with something found are open. */
  const filter = () => {
    const words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of entries) item.hidden = !words.every((one) => item.found.includes(one));
    for (const element of catalog.querySelectorAll('.group')) {
      const items = [...element.querySelectorAll('.entry')];
      const shown = items.filter((item) => !item.hidden).length;
      element.hidden = shown === 0;
      put(element.querySelector('summary .count'), words.length > 0 ? ` ${shown}/${items.length}` : ` ${items.length}`);
      if (words.length > 0) element.open = true;
    }
    none.hidden = entries.length === 0 || entries.some((item) => !item.hidden);
  };

  const show = () => {
    const names = (world.overview?.users ?? []).map(({ name }) => name);
    keep(users, names, { key: (name) => name, make: (value) => h('option', { value }) });
    // Another world has other users.
    const another = shownFor !== world.appKey;
    if (another) user.value = '';
    shownFor = world.appKey;
    const empty = user.value === '' && names.length > 0 && document.activeElement !== user;
    if (empty) user.value = world.overview.users.find(({ online }) => online.length > 0)?.name ?? names[0];
    if (another || empty) for (const item of entries) item.words?.();
    build();
    doors.show();
    armed.show();
  };
  const reworded = () => {
    for (const item of entries) item.words?.();
    show();
  };
  user.addEventListener('input', reworded);
  const element = h('div', { class: 'sheet' },
    h('h2', { w: 'stageTitle' }), field('forUser', user), users, armed.told,
    h('h3', { w: 'armedRules' }), armed.list, armed.older, armed.none, h('div', { class: 'row' }, armed.clear),
    own.element,
    h('h3', { w: 'catalog' }), find, none, catalog);
  return {
    element,
    show,
    badge: () => armedIn(world).filter((one) => one.armed !== false).length,
    reworded,
    /** `{ user }` to stage for, `{ rule }` to go on with. */
    begin: (values = {}) => {
      if (values.user) {
        shownFor = world.appKey;
        user.value = values.user;
        reworded();
      }
      if (values.rule !== undefined) own.begin(values.rule);
      else (values.user ? find : user).focus();
    },
  };
};
