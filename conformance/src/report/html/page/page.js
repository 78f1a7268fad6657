//! Addresses, keys and colours: which view is shown, and what follows from a key wherever the reader is.

const main = document.getElementById('main');

/** What is on the page: its element, and what keys do there. */
let now = {};
/** Counts the views, so that a scenario that was unpacked too late is not shown. */
let turn = 0;
/** Where the reader was in the table. */
const left = { scrolls: new Map() };

const put = (view, element, title) => {
  left.scrolls.set(now.address, [main.scrollTop, main.scrollLeft]);
  now = view;
  main.replaceChildren(element);
  main.dataset.view = view.name;
  // An address changes before what it names is shown: this one is of what is shown.
  main.dataset.address = location.hash;
  document.title = title ? `${title} · Conformance report` : 'Conformance report';
  for (const [id, names] of [['to-matrix', ['matrix', 'scenario']], ['to-clauses', ['clauses', 'clause']]]) {
    const link = document.getElementById(id);
    if (names.includes(view.name)) link.setAttribute('aria-current', view.name === names[0] ? 'page' : 'true');
    else link.removeAttribute('aria-current');
  }
  [main.scrollTop, main.scrollLeft] = (view.returns && left.scrolls.get(view.address)) || [0, 0];
};

const parts = () => {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const decoded = path.split('/').filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { path: decoded, query: new URLSearchParams(query) };
};

const showMatrix = (query) => {
  filterFrom(query);
  const view = matrixView();
  const from = now;
  put({ name: 'matrix', address: 'matrix', search: view.search, returns: true, back: () => {
    if (filterAddress() !== '#/') location.hash = '#/';
  } }, view.element);
  view.refresh();
  measure(view.element);
  if (from.name === 'scenario') {
    const row = view.table.row(from.scenario);
    if (row && !row.hidden) view.table.go(view.table.along(row, from.client + 1, -1));
  } else if (from.name) {
    main.focus({ preventScroll: true });
  }
};

const showClauses = (query) => {
  clauseFilterFrom(query);
  const view = clausesView();
  const from = now;
  put({ name: 'clauses', address: 'clauses', search: view.search, returns: true, back: () => {
    location.hash = clauseAddress() === '#/c' ? filterAddress() : '#/c';
  } }, view.element, 'Clauses');
  view.refresh();
  measure(view.element);
  if (from.name === 'clause') {
    const row = view.table.row(from.clause);
    if (row && !row.hidden) view.table.go(view.table.along(row, 0, 1));
  } else if (from.name) {
    main.focus({ preventScroll: true });
  }
};

const showClause = (id) => {
  const at = clauseIndex.get(id);
  if (at === undefined) return missing(`No clause of this report is called ${id}.`, '#/c', 'All clauses');
  const view = clauseView(at);
  put({ name: 'clause', clause: at, back: () => { location.hash = clauseAddress(); } }, view.element, id);
  measure(view.element);
  main.focus({ preventScroll: true });
};

const showScenario = async (path, query) => {
  const name = path.slice(0, 2).join('/');
  const at = scenarioIndex.get(name);
  if (at === undefined) return missing(`No scenario of this report is called ${name}.`, '#/', 'All scenarios');
  const client = path[2] === undefined ? worstClient(at) : clientIndex.get(path[2]);
  if (client === undefined) return missing(`No client of this report is called ${path[2]}.`, scenarioRoute(at), name);
  const mine = ++turn;
  let scenario;
  try {
    scenario = await opened(at);
  } catch (error) {
    if (mine === turn) missing(error.message, '#/', 'All scenarios');
    return undefined;
  }
  if (mine !== turn) return undefined;
  const moment = query.has('m') ? Number(query.get('m')) - 1 : undefined;
  const same = now.name === 'scenario' && now.scenario === at;
  const top = main.scrollTop;
  const moved = (picked) => history.replaceState(null, '', `${scenarioRoute(at, client)}?m=${picked + 1}`);
  const view = scenarioView(at, client, scenario, moment, moved);
  put({
    name: 'scenario', scenario: at, client, diagram: view.diagram,
    back: () => {
      if (view.diagram?.closeAll()) history.replaceState(null, '', scenarioRoute(at, client));
      else location.hash = filterAddress();
    },
    walk: (by) => {
      const other = view.neighbour(by);
      if (other !== undefined) location.hash = scenarioRoute(other, client);
    },
    turn: (by) => {
      const other = client + by;
      if (clients[other]) location.hash = scenarioRoute(at, other);
    },
  }, view.element, name);
  if (same) main.scrollTop = top;
  view.element.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  if (same) view.element.querySelector('.switcher [aria-current]').focus({ preventScroll: true });
  else view.element.querySelector('h1').focus({ preventScroll: true });
  view.diagram?.reveal();
  if (moment !== undefined) view.diagram?.show(moment);
  announce(`${name} on ${clients[client].name}: ${VERDICTS[verdictOf(client, at)]?.word ?? 'not to be run'}`);
  return undefined;
};

const missing = (words, href, name) => {
  put({ name: 'missing', back: () => { location.hash = href; } }, h('div', { class: 'sheet' }, h('p', { class: 'note bad' }, words), h('p', {}, h('a', { href }, name))));
  main.focus({ preventScroll: true });
};

const show = () => {
  turn += 1;
  const { path, query } = parts();
  if (path.length === 0) return showMatrix(query);
  if (path[0] === 'c') return path.length === 1 ? showClauses(query) : showClause(path.slice(1).join('/'));
  if (path[0] === 's' && path.length >= 3) return showScenario(path.slice(1), query);
  return missing('There is no such place in this report.', '#/', 'All scenarios');
};

/** What sticks below the tools and the head of a table has to know how high they are. */
const heights = new ResizeObserver((entries) => {
  for (const { target } of entries) target.closest('.sheet')?.style.setProperty(target.matches('thead') ? '--head' : '--tools', `${target.offsetHeight}px`);
});
const measure = (sheet) => {
  heights.disconnect();
  for (const part of sheet.querySelectorAll('.tools, thead')) heights.observe(part);
  if (!sheet.querySelector('.tools')) sheet.style.setProperty('--tools', '0px');
};

// Light, dark, or as the machine has it: kept where the browser lets a page keep anything.
const THEMES = { auto: '◐', light: '☀', dark: '☾' };
const themeButton = document.getElementById('theme');
const remembered = () => {
  try {
    const theme = localStorage.getItem('conformance-report-theme');
    return theme && Object.hasOwn(THEMES, theme) ? theme : 'auto';
  } catch {
    return 'auto';
  }
};
const setTheme = (theme) => {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  themeButton.replaceChildren(sign(THEMES[theme]), unseen(`Colours: ${theme}`));
  themeButton.title = `Colours: ${theme}`;
  themeButton.theme = theme;
};
themeButton.addEventListener('click', () => {
  const names = Object.keys(THEMES);
  const theme = names[(names.indexOf(themeButton.theme) + 1) % names.length];
  setTheme(theme);
  announce(`Colours: ${theme}`);
  try {
    localStorage.setItem('conformance-report-theme', theme);
  } catch {
    // It holds until the page is closed.
  }
});
setTheme(remembered());

const keys = document.getElementById('keys');
document.getElementById('help').addEventListener('click', () => keys.showModal());

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.altKey || event.metaKey || event.ctrlKey || keys.open) return;
  const typing = event.target.closest('input');
  if (event.key === 'Escape') {
    event.preventDefault();
    if (typing && !typing.value) typing.blur();
    now.back?.();
    return;
  }
  if (typing) return;
  if (event.key === '/') {
    event.preventDefault();
    if (now.search) now.search.focus();
    else {
      location.hash = now.name === 'clause' ? clauseAddress() : filterAddress();
      addEventListener('hashchange', () => now.search?.focus(), { once: true });
    }
  } else if (event.key === '?') keys.showModal();
  else if (event.key === 'n') now.walk?.(1);
  else if (event.key === 'p') now.walk?.(-1);
  else if (event.key === ']') now.turn?.(1);
  else if (event.key === '[') now.turn?.(-1);
  else if (event.key === 'j' || event.key === 'k') {
    if (now.diagram) now.diagram.enter();
    else main.querySelector('table [tabindex="0"]')?.focus();
  }
});

addEventListener('hashchange', show);
show();
})();
