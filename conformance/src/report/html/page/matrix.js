//! Scenarios against clients: what a run has come to, on one page.

/** What is shown of the table; the address has it, so that it can be sent to somebody. */
const filter = { words: '', verdicts: new Set(), clients: new Set(), differing: false };

/** The order of the filtered scenarios, for those who walk through them. */
let walked = scenarios.map((_, at) => at);

const shownClients = () => clients.map((_, at) => at).filter((at) => filter.clients.size === 0 || filter.clients.has(at));

const matches = (scenario) => {
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.every((word) => scenarios[scenario].words.includes(word))) return false;
  const letters = shownClients().map((client) => verdictOf(client, scenario));
  if (filter.verdicts.size > 0 && !letters.some((letter) => filter.verdicts.has(letter))) return false;
  return !filter.differing || new Set(letters.filter((letter) => letter !== ' ')).size > 1;
};

const filterAddress = () => {
  const query = new URLSearchParams();
  if (filter.words) query.set('q', filter.words);
  if (filter.verdicts.size > 0) query.set('v', [...filter.verdicts].map((letter) => VERDICTS[letter].name).join(','));
  if (filter.clients.size > 0) query.set('c', [...filter.clients].map((at) => clients[at].name).join(','));
  if (filter.differing) query.set('differing', '1');
  return `#/${query.size ?? [...query].length ? `?${query}` : ''}`;
};
const filterFrom = (query) => {
  filter.words = query.get('q') ?? '';
  filter.verdicts = new Set((query.get('v') ?? '').split(',').map(letterNamed).filter(Boolean));
  filter.clients = new Set((query.get('c') ?? '').split(',').map((name) => clientIndex.get(name)).filter((at) => at !== undefined));
  filter.differing = query.get('differing') === '1';
};

/** Shares of a whole as a bar; its words stand beside it. */
const bar = (counts) => {
  const track = h('span', { class: 'track', 'aria-hidden': 'true' });
  for (const letter of [...LETTERS].reverse()) {
    if (!counts[letter]) continue;
    const part = h('span', { class: VERDICTS[letter].name });
    part.style.flexGrow = counts[letter];
    track.append(part);
  }
  return track;
};

/** What was run, when, and what went wrong with the run itself. */
const headline = () => {
  const began = new Date(report.started_ms);
  const facts = [
    ['began', h('time', { datetime: began.toISOString() }, began.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }))],
    ['took', lasted(report.ms)],
    ['harness', report.harness],
    ['seed', report.seed === '0' ? '0, by name' : report.seed],
    report.nasty !== null && ['nasty seed', report.nasty],
    report.shard && ['shard', report.shard],
  ].filter(Boolean);
  const bad = clients.filter((client) => client.not_started);
  const totals = counted(clients.map((client) => client.verdicts).join(''));
  const runs = Object.values(totals).reduce((sum, count) => sum + count, 0);
  const worst = ['f', 's', 'y'].filter((letter) => totals[letter]);
  return h('div', { class: 'headline' },
    h('h1', {}, `${plural(scenarios.length, 'scenario')} × ${plural(clients.length, 'client')}`),
    h('p', { class: 'verdict' }, bad.length > 0 && h('span', { class: 'v failed' }, sign('✕'), h('span', {}, `${bad.length} not started`)), worst.length > 0 ? worst.map((letter) => chip(letter, true, totals[letter])) : totals.p && bad.length === 0 && h('span', { class: 'v passed' }, sign('✓'), h('span', {}, 'as expected')), h('span', { class: 'facts-line' }, `${(totals.p ?? 0).toLocaleString('en')} of ${plural(runs, 'run')} passed`)),
    h('dl', { class: 'facts' }, facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    report.interrupted && h('p', { class: 'note bad' }, 'The run was ended before everything had run.'),
    bad.map((client) => h('p', { class: 'note bad' }, h('strong', {}, `${client.name} could not be started. `), h('span', { class: 'lines' }, client.not_started))),
    report.left_out > 0 && h('p', { class: 'note' }, `What was seen of ${plural(report.left_out, 'run')} is left out, so that this page stays quick to open. report.json has it.`));
};

/** A client with its count; a switch for its column. */
const clientCard = (client, at, changed) => {
  const counts = counted(client.verdicts);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const button = h('button', {
    type: 'button', class: 'card', 'aria-pressed': 'false', onclick: () => {
      if (!filter.clients.delete(at)) filter.clients.add(at);
      changed();
    },
  },
    h('span', { class: 'name' }, client.name),
    h('span', { class: 'calls' }, client.not_started ? 'not started' : `${client.calls_itself} ${client.version}`),
    bar(counts),
    h('span', { class: 'tally' }, h('b', {}, `${counts.p ?? 0}`), ` of ${all} passed`, ['f', 's', 'y'].filter((letter) => counts[letter]).map((letter) => [' ', h('span', { class: 'part' }, sign(VERDICTS[letter].sign, VERDICTS[letter].name), ` ${counts[letter]} ${VERDICTS[letter].name}`)])));
  button.client = at;
  return button;
};

/** What is wrong with a client's own lists. */
const lists = () => clients.filter((client) => client.stale.length + client.unexplained.length > 0).map((client) =>
  h('details', { class: 'note', open: client.stale.length > 0 },
    h('summary', {}, h('strong', {}, client.name), client.stale.length > 0 ? `: ${plural(client.stale.length, 'stale entry', 'stale entries')}` : `: ${plural(client.unexplained.length, 'entry', 'entries')} without an explanation`, client.file && [' in ', h('code', {}, client.file)]),
    client.stale.length > 0 && h('ul', {}, client.stale.map((line) => h('li', { class: 'lines' }, line))),
    client.mend && command('mend it', client.mend),
    client.stale.length > 0 && client.unexplained.length > 0 && h('p', {}, 'Without an explanation:'),
    h('ul', {}, client.unexplained.map((line) => h('li', { class: 'lines' }, line)))));

/** A command line, to be copied. */
const command = (what, line) => {
  const shown = h('code', { class: 'line' }, line);
  return h('div', { class: 'command' }, h('span', { class: 'what' }, what), shown, copyButton(what, line, shown));
};

let matrix;
const matrixView = () => {
  if (matrix) return matrix;
  const byArea = new Map();
  scenarios.forEach((scenario, at) => {
    if (!byArea.has(scenario.area)) byArea.set(scenario.area, []);
    byArea.get(scenario.area).push(at);
  });
  const groups = [...byArea].map(([name, members]) => ({
    name,
    members,
    rows: members.map((at) => ({
      key: at,
      head: () => [h('a', { href: scenarioRoute(at), tabindex: -1, title: scenarios[at].why }, restOf(scenarios[at].name)), h('span', { class: 'why' }, scenarios[at].why)],
      cell: (client) => {
        const letter = verdictOf(client, at);
        return letter === ' ' ? undefined : signCell(letter, scenarioRoute(at, client), VERDICTS[letter].word);
      },
    })),
  }));
  const table = gridTable({
    label: 'Scenarios and what each client did',
    corner: 'Scenario',
    groups,
    groupCell: (group, client) => {
      const counts = counted(group.members.map((at) => verdictOf(client, at)));
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      if (all === 0) return undefined;
      const bad = (counts.f ?? 0) + (counts.s ?? 0) + (counts.y ?? 0);
      return h('span', { class: bad ? 'sum bad' : 'sum', title: inWords(counts) }, `${counts.p ?? 0}/${all}`, unseen(` passed${bad ? `, ${bad} failed` : ''}`));
    },
  });

  const changed = () => {
    history.replaceState(null, '', filterAddress());
    refresh();
  };
  const search = h('input', {
    type: 'search', id: 'filter', placeholder: 'Filter by name, clause or words', 'aria-label': 'Filter scenarios by name, clause or words', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'count', oninput: () => {
      filter.words = search.value;
      changed();
    },
  });
  search.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
    event.preventDefault();
    table.go(table.first());
  });
  const toggle = (words, pressed, flip, name) => {
    const button = h('button', { type: 'button', class: `chip ${name ?? ''}`, onclick: () => { flip(); changed(); } }, words);
    button.pressed = pressed;
    return button;
  };
  const totals = counted(clients.map((client) => client.verdicts).join(''));
  const chips = LETTERS.filter((letter) => totals[letter]).map((letter) => toggle(
    [h('span', { class: `v ${VERDICTS[letter].name}` }, sign(VERDICTS[letter].sign)), VERDICTS[letter].name.replace('-', ' '), h('span', { class: 'count' }, totals[letter].toLocaleString('en'))],
    () => filter.verdicts.has(letter),
    () => { if (!filter.verdicts.delete(letter)) filter.verdicts.add(letter); }));
  if (clients.length > 1) chips.push(toggle(['clients differ'], () => filter.differing, () => { filter.differing = !filter.differing; }));
  const count = h('span', { id: 'count', class: 'found', role: 'status' });
  const clear = h('button', { type: 'button', class: 'quiet clear', onclick: () => { filterFrom(new URLSearchParams()); changed(); search.focus(); } }, 'Show all');
  const cards = clients.map((client, at) => clientCard(client, at, changed));
  const nothing = h('p', { class: 'nothing' }, 'No scenario is like that.');
  const element = h('div', { class: 'sheet' },
    h('div', { class: 'fixed' }, headline(), h('div', { class: 'cards', role: 'group', 'aria-label': 'Clients: show their columns' }, cards), lists()),
    h('div', { class: 'tools fixed' }, search, h('div', { class: 'chips', role: 'group', 'aria-label': 'Show verdicts' }, chips), h('div', { class: 'result' }, count, clear)),
    table.element, nothing);

  const refresh = () => {
    const columns = shownClients();
    const shown = new Set(scenarios.map((_, at) => at).filter(matches));
    walked = [...shown];
    table.show((row) => shown.has(row.key), columns);
    table.element.hidden = shown.size === 0;
    nothing.hidden = shown.size > 0;
    const all = shown.size === scenarios.length && columns.length === clients.length;
    const words = all ? plural(scenarios.length, 'scenario') : `${shown.size.toLocaleString('en')} of ${plural(scenarios.length, 'scenario')}`;
    if (count.textContent !== words) count.textContent = words;
    clear.hidden = filterAddress() === '#/';
    if (search.value !== filter.words) search.value = filter.words;
    for (const button of chips) button.setAttribute('aria-pressed', String(button.pressed()));
    for (const card of cards) card.setAttribute('aria-pressed', String(filter.clients.has(card.client)));
    table.element.classList.toggle('dimmed', filter.verdicts.size > 0);
    for (const letter of LETTERS) table.element.classList.toggle(`only-${VERDICTS[letter].name}`, filter.verdicts.has(letter));
  };
  matrix = { element, refresh, search, table };
  return matrix;
};
