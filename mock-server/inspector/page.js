//! The page as a whole: which world it shows, what is known of it, tabs, keys, language and colours.

import { announce, h, keep, note, put, remember, remembered, reword, sign, word } from './element.js';
import { LANGUAGES, dateOf, languageName, say, setLanguage } from './words.js';
import { Live, Refusal, doorsOf, get, placeOf, post } from './server.js';
import { ROWS_MAX, Traffic } from './model.js';
import { TrafficView } from './traffic.js';
import { Detail } from './detail.js';
import { peoplePanel } from './people.js';
import { sendPanel } from './send.js';
import { stagePanel } from './stage.js';
import { APP_KEY, nowOf, worldPanel } from './world.js';
import { clientsAre, connectPanel, findingsPanel } from './connect.js';

/** What is not told by the stream is asked for so often while the page is looked at, in ms. */
const WORLDS_MS = 3000;
/** After a change the rest of the world is read once in so many ms, however much comes. */
const REFRESH_MS = 250;
const TICK_MS = 250;

const at = (id) => document.getElementById(id);
const narrow = matchMedia('(max-width: 50rem)');

/** The world that is made where none is named yet: as in the options that the page shows. */
const FIRST = 'org#app';
/** What helps where the server's own words are about programs. */
const ADVICE = { no_token: 'doToken', wrong_token: 'doToken', no_such_world: 'doWorld', world_gone: 'doWorld' };

/** The world that is shown, what is known of it, and what panels may do to it. */
const world = {
  appKey: undefined,
  overview: undefined,
  seenAt: 0,
  rules: [],
  /** Faults at the server's door and at this world's own. */
  doors: [],
  findings: [],
  catalog: undefined,
  line: 'none',

  /** The world that calls go to; where there is none yet, that which a first command makes. */
  get key() { return world.appKey ?? FIRST; },
  get place() { return placeOf(world.key); },

  /** Tells the reader of a refusal: that nothing was done, why, and what helps. */
  refused(error) {
    if (!(error instanceof Refusal)) throw error;
    const key = error.status === 0 ? 'nobodyAnswers' : error.error === 'no_such_path' ? 'notThere' : 'notDone';
    note('bad', key, undefined, error.details, ADVICE[error.error]);
  },
  /** One control command, or an array of them. @returns {Promise<boolean>} whether it was done */
  async control(command, done, appKey = world.key) {
    try {
      await post(`${placeOf(appKey)}/control`, command);
    } catch (error) {
      world.refused(error);
      return false;
    }
    if (done) note('good', ...done);
    if (!world.appKey || appKey === world.appKey) world.refresh();
    return true;
  },
  /** From now on the server keeps the world's rows, as many as it does by default. */
  async keepRows() {
    try {
      await post(`${world.place}/tape`, { rows_max: ROWS_MAX });
    } catch (error) {
      world.refused(error);
    }
  },
  /** A world is there by being named in a command, even in none. */
  async make(appKey) {
    if (!(await world.control([], ['madeWorld', { world: appKey }], appKey))) return false;
    await readWorlds();
    show(appKey);
    return true;
  },
  /** alice, bob and a group, and whatever the server was told to begin worlds with. */
  async sample() {
    const [appKey, names] = [FIRST, ['alice', 'bob']];
    if (!(await world.control([], undefined, appKey))) return;
    try {
      const { groups, settings } = await get(`${placeOf(appKey)}/overview`);
      // Under --strict they are registered, with the password that the options beside this have.
      const users = settings.strict ? names.map((name) => ({ user: { name, password: 'any' } })) : [{ known: { users: names } }];
      const group = groups.length === 0 ? [{ group: { id: 'g1', owner: 'alice', members: ['bob'] } }] : [];
      if (!(await world.control([...users, ...group], undefined, appKey))) return;
    } catch (error) {
      world.refused(error);
      return;
    }
    await readWorlds();
    show(appKey);
    world.open('send', { from: 'alice', to: 'bob' });
  },
  only: (user) => {
    view.only({ user });
    if (narrow.matches) openTab('traffic');
  },
  open: (tab, values) => openTab(tab, values ?? {}),
  refresh: () => {
    refreshing ||= setTimeout(read, REFRESH_MS);
  },
};

// What is known of the world
const NOTHING = { overview: undefined, rules: [], doors: [], findings: [] };
let refreshing = 0;
let turn = 0;
const read = async () => {
  refreshing = 0;
  if (!world.appKey) await readWorlds();
  if (!world.appKey || document.hidden || world.line === 'gone') return;
  const mine = turn;
  const place = placeOf(world.appKey);
  const [overview, rules, findings, atServer, atWorld] = await Promise.allSettled([`${place}/overview`, `${place}/rules`, `${place}/findings`, doorsOf('server'), doorsOf('world', world.appKey)].map(get));
  if (mine !== turn) return;
  troubles([overview, rules, findings, atServer, atWorld]);
  if (overview.status === 'fulfilled') {
    world.overview = overview.value;
    world.seenAt = performance.now();
  }
  if (rules.status === 'fulfilled') world.rules = rules.value.rules;
  if (findings.status === 'fulfilled') world.findings = findings.value.findings;
  const scoped = (scope, told) => (told.status === 'fulfilled' ? told.value.doors.map((door) => ({ ...door, scope })) : world.doors.filter((door) => door.scope === scope));
  world.doors = [...scoped('server', atServer), ...scoped('world', atWorld)];
  showPanels();
};

/** What the server will not tell is told to the reader, once: it is asked for again and again. A stream tells of the rest. */
let troubled = '';
const troubles = (answers) => {
  const refusals = answers.map(({ reason }) => reason).filter((reason) => reason && reason.status !== 0 && reason.error !== 'no_such_world');
  const now = refusals.map(({ message }) => message).join();
  if (now !== '' && now !== troubled) world.refused(refusals[0]);
  troubled = now;
};

let worlds = [];
const readWorlds = async () => {
  try {
    ({ worlds } = await get('/worlds'));
  } catch {
    // The stream tells when nobody answers; without a world there is nothing else to tell.
    if (!world.appKey) line('lost');
    return;
  }
  showWorlds();
  if (!world.appKey) {
    if (worlds.length > 0) show(wanted() ?? worlds[0].app_key);
    else line('none');
  }
};
const showWorlds = () => {
  const keys = worlds.map(({ app_key: appKey }) => appKey);
  if (world.appKey && !keys.includes(world.appKey)) keys.push(world.appKey);
  const select = at('world');
  keep(select, keys.length > 0 ? keys : [''], { key: (appKey) => appKey, make: (value) => h('option', { value, ...(value === '' ? { w: 'noWorld' } : { translate: 'no' }) }, value === '' ? undefined : value) });
  select.disabled = keys.length === 0;
  select.value = world.appKey ?? '';
  select.title = world.appKey ?? '';
};
/** The world that the address names. */
const wanted = () => {
  let name;
  try {
    name = decodeURIComponent(location.hash.slice(1));
  } catch {
    return undefined;
  }
  return new RegExp(`^${APP_KEY}$`, 'v').test(name) ? name : undefined;
};

/** The same as long as the server runs; asked again until it is there. */
const readCatalog = async () => {
  if (world.catalog) return;
  try {
    const [index, catalog] = await Promise.all([get('/'), get('/catalog')]);
    clientsAre(index.clients);
    world.catalog = catalog;
    view.show();
    showPanels();
  } catch (error) {
    troubles([{ reason: error }]);
  }
};

// The stream
let live;
let before = 'none';
const line = (state) => {
  const element = at('line');
  const shown = `line${state[0].toUpperCase()}${state.slice(1)}`;
  if (element.dataset.state !== state) word(element, shown);
  element.dataset.state = state;
  world.line = state;
  // Its rows stay; whoever was in it is there no more.
  if (state === 'gone') {
    Object.assign(world, NOTHING);
    showPanels();
  }
  if (state === 'live') readCatalog();
  view.show();
  if (state === 'live' && before === 'lost') note('good', 'lineBack');
  if (state === 'live') world.refresh();
  if (state !== 'loading') before = state;
};
const traffic = new Traffic();
let drawing = 0;
/** However many rows came, what stands around them is brought up to date once a frame of the screen. */
const came = () => {
  view.lanes.draw();
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    view.show();
  });
};
const show = (appKey) => {
  if (appKey === world.appKey) return;
  turn += 1;
  live?.end();
  traffic.clear();
  detail.close();
  Object.assign(world, { appKey, ...NOTHING });
  const hash = `#${encodeURIComponent(appKey)}`;
  if (location.hash !== hash) history.replaceState(null, '', hash);
  before = 'none';
  view.pause(false);
  view.only({});
  view.lanes.follow(true);
  showWorlds();
  showPanels();
  live = new Live(appKey, {
    row: (row) => {
      traffic.append(row);
      came();
      world.refresh();
    },
    changed: world.refresh,
    lost: (n) => note('bad', 'rowsLost', { n }),
    restarted: () => {
      traffic.restarted();
      note('good', 'worldRestarted');
    },
    line,
  });
  clearTimeout(refreshing);
  read();
};

// Tabs
const PANELS = [['users', 'users', peoplePanel], ['send', 'send', sendPanel], ['stage', 'stage', stagePanel], ['world', 'worldTab', worldPanel], ['findings', 'findings', findingsPanel], ['connect', 'connect', connectPanel]];
const panels = new Map(PANELS.map(([name, , build]) => [name, build(world)]));
const tabs = new Map([['traffic', 'traffic'], ...PANELS].map(([name, key]) => {
  const badge = h('span', { class: 'badge', hidden: true });
  const tab = h('button', { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': name === 'traffic' ? 'traffic' : 'panel', tabindex: -1, onclick: () => openTab(name) }, h('span', { w: key }), badge);
  tab.badge = badge;
  return [name, tab];
}));
let current = narrow.matches ? 'traffic' : 'users';
const openTab = (name, values) => {
  current = name;
  for (const [other, tab] of tabs) {
    tab.setAttribute('aria-selected', String(other === name));
    tab.tabIndex = other === name ? 0 : -1;
  }
  document.body.dataset.tab = name;
  const panel = panels.get(name);
  if (panel) {
    at('panel').setAttribute('aria-labelledby', `tab-${name}`);
    if (at('panel').firstChild !== panel.element) {
      at('panel').replaceChildren(panel.element);
      at('panel').scrollTop = 0;
    }
    panel.show();
    if (values) panel.begin(values);
  }
  tabs.get(name).scrollIntoView({ block: 'nearest', inline: 'nearest' });
};
const showPanels = () => {
  panels.get(current)?.show();
  for (const [name, panel] of panels) {
    const { badge } = tabs.get(name);
    const count = panel.badge?.() ?? 0;
    badge.hidden = count === 0;
    put(badge, String(count));
  }
  tick();
};
at('tabs').append(...tabs.values());
at('tabs').addEventListener('keydown', (event) => {
  const shown = [...tabs.keys()].filter((name) => tabs.get(name).offsetParent !== null);
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const to = by ? (shown.indexOf(current) + by + shown.length) % shown.length : { Home: 0, End: shown.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  openTab(shown[to]);
  tabs.get(shown[to]).focus();
});
narrow.addEventListener('change', () => { if (!narrow.matches && current === 'traffic') openTab('users'); });

// Traffic and one row of it
/** A rule that begins as the row is: what is to become of the next such is for the reader to say. */
const ruleFor = (row) => (row.method ? `on next ${row.method} ${row.path.split('?')[0]} from ${row.user}: ` : `on next ${row.kind} ${row.direction === 'down' ? 'to' : 'from'} ${row.user}: `);
const detail = new Detail(at('detail'), {
  closed: () => {
    delete document.body.dataset.detail;
    view.lanes.closed();
  },
  step: (by) => view.lanes.step(by),
  stage: (row) => {
    if (narrow.matches) detail.close();
    openTab('stage', { user: row.user, rule: ruleFor(row) });
  },
  only: (user) => world.only(user),
});
const view = new TrafficView(at('traffic'), traffic, world, (row) => {
  document.body.dataset.detail = '';
  detail.show(row);
  if (narrow.matches) detail.focus();
});

// The clock in the bar
const tick = () => {
  const clock = at('clock');
  const now = nowOf(world);
  clock.hidden = now === undefined;
  if (now === undefined) return;
  put(clock, `${dateOf(now)}${world.overview.clock.runs ? '' : ` · ${say('clockStands')}`}`);
  clock.title = say('clockTitle');
  if (current === 'world') panels.get('world').tick();
};
at('clock').addEventListener('click', () => openTab('world', {}));

// Language and colours: kept where the browser lets a page keep anything
const speak = (name) => {
  setLanguage(name);
  reword(document);
  document.title = say('title');
  const button = at('language');
  put(button, say('language'));
  button.title = say('languageTold');
  button.setAttribute('aria-label', say('languageTold'));
  at('tabs').setAttribute('aria-label', say('tabs'));
  setTheme(theme);
  view.reworded();
  for (const panel of panels.values()) {
    reword(panel.element);
    panel.reworded();
  }
  if (detail.row) detail.show(detail.row);
  tick();
};
const THEMES = { auto: ['◐', 'themeAuto'], light: ['☀', 'themeLight'], dark: ['☾', 'themeDark'] };
let theme = remembered('theme', Object.keys(THEMES), 'auto');
const setTheme = (name) => {
  theme = name;
  if (name === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  const [mark, key] = THEMES[name];
  at('theme').replaceChildren(sign(mark), h('span', { class: 'sr' }, say(key)));
  at('theme').title = say(key);
};
at('theme').addEventListener('click', () => {
  const names = Object.keys(THEMES);
  setTheme(names[(names.indexOf(theme) + 1) % names.length]);
  remember('theme', theme);
  announce(THEMES[theme][1]);
});
at('language').addEventListener('click', () => {
  const name = LANGUAGES.find((other) => other !== languageName());
  remember('language', name);
  speak(name);
});

// Keys
const KEYS = [[['/'], 'keySearch'], [['↑', '↓'], 'keyRows'], [['←', '→'], 'keyLane'], [['Home', 'End', 'PgUp', 'PgDn'], 'keyEnds'], [['Enter'], 'keyOpen'], [['p'], 'keyPause'], [['1', '…', '6'], 'keyTabs'], [['t'], 'keyTraffic'], [['Esc'], 'keyEscape'], [['?'], 'keyHelp']];
const keyboard = at('keyboard');
keyboard.append(h('h2', { id: 'keys-title', w: 'keys' }), h('dl', {}, KEYS.map(([keys, key]) => h('div', {}, h('dt', { translate: 'no' }, keys.map((one) => h('kbd', {}, one))), h('dd', { w: key })))), h('form', { method: 'dialog' }, h('button', { class: 'plain', w: 'close' })));
at('help').addEventListener('click', () => keyboard.showModal());
const toTraffic = () => {
  if (narrow.matches) openTab('traffic');
};
document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.altKey || event.metaKey || event.ctrlKey || keyboard.open) return;
  const typing = event.target.closest('input, textarea, select');
  if (event.key === 'Escape') {
    event.preventDefault();
    if (typing && typing !== view.search) typing.blur();
    else if (!detail.close() && !view.emptied()) document.activeElement.blur();
    return;
  }
  if (typing) return;
  const panel = PANELS[Number(event.key) - 1];
  if (event.key === '/') {
    event.preventDefault();
    toTraffic();
    view.search.focus();
  } else if (event.key === '?') keyboard.showModal();
  else if (event.key === 'p') view.pause();
  else if (event.key === 't') {
    toTraffic();
    view.lanes.element.focus();
  } else if (panel) {
    openTab(panel[0]);
    tabs.get(panel[0]).focus();
  }
});

at('world').addEventListener('change', () => show(at('world').value));
addEventListener('hashchange', () => {
  const name = wanted();
  if (name) show(name);
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) world.refresh();
});
setInterval(() => {
  if (document.hidden) return;
  readWorlds();
  // Without a stream nothing tells that something changed.
  if (world.line !== 'live') world.refresh();
  // No row of a world tells of a fault at the server's door.
  else if (current === 'stage') world.refresh();
}, WORLDS_MS);
setInterval(() => { if (!document.hidden) tick(); }, TICK_MS);

openTab(current);
speak(remembered('language', LANGUAGES, navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'));
showWorlds();
const first = wanted();
if (first) show(first);
readWorlds();
readCatalog();
