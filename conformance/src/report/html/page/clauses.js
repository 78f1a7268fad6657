//! Clauses against clients: what scenarios have shown of each statement.

const LEVELS = { must: 'the vendor promises it', should: 'nobody promises it, and users meet it at once' };

/** What a client did on all scenarios of a clause: the letter that stands for it, how many passed, of how many. */
const standing = (clause, client) => {
  const counts = counted(scenariosOf[clause].map((scenario) => verdictOf(client, scenario)));
  const letter = ['f', 's', 'y', 'k', 'p', 'u', 'n'].find((one) => counts[one]);
  const evaluated = Object.entries(counts).reduce((sum, [one, count]) => (one === 'u' || one === 'n' ? sum : sum + count), 0);
  return { letter, counts, passed: counts.p ?? 0, evaluated };
};
const standings = clauses.map((_, clause) => clients.map((_, client) => standing(clause, client)));
/** Whether some client passes a scenario of it. */
const shown = (clause) => standings[clause].some(({ passed }) => passed > 0);

const groupOfClause = (id) => id.slice(0, Math.max(id.indexOf('.'), 0)) || id;
const levelBadge = (level) => h('span', { class: `level ${level}`, title: LEVELS[level] }, level);

const clauseFilter = { words: '', only: new Set() };
const CLAUSE_CHIPS = {
  must: { words: 'must', means: (clause) => clauses[clause].level === 'must', alternative: 'level' },
  should: { words: 'should', means: (clause) => clauses[clause].level === 'should', alternative: 'level' },
  failing: { words: 'a client fails', means: (clause) => standings[clause].some(({ letter }) => ['f', 's', 'y'].includes(letter)) },
  unshown: { words: 'no client passes', means: (clause) => !shown(clause) },
  bare: { words: 'no scenario', means: (clause) => scenariosOf[clause].length === 0 },
};

const clauseMatches = (clause) => {
  const { id, statement } = clauses[clause];
  const text = `${id}\n${statement}`.toLowerCase();
  if (!clauseFilter.words.toLowerCase().split(/\s+/).every((word) => text.includes(word))) return false;
  const levels = [...clauseFilter.only].filter((name) => CLAUSE_CHIPS[name].alternative);
  if (levels.length > 0 && !levels.some((name) => CLAUSE_CHIPS[name].means(clause))) return false;
  return [...clauseFilter.only].every((name) => CLAUSE_CHIPS[name].alternative || CLAUSE_CHIPS[name].means(clause));
};
const clauseAddress = () => {
  const query = new URLSearchParams();
  if (clauseFilter.words) query.set('q', clauseFilter.words);
  if (clauseFilter.only.size > 0) query.set('only', [...clauseFilter.only].join(','));
  return `#/c${[...query].length ? `?${query}` : ''}`;
};
const clauseFilterFrom = (query) => {
  clauseFilter.words = query.get('q') ?? '';
  clauseFilter.only = new Set((query.get('only') ?? '').split(',').filter((name) => Object.hasOwn(CLAUSE_CHIPS, name)));
};

const clauseCell = (clause, client) => {
  const { letter, counts, passed, evaluated } = standings[clause][client];
  if (letter === undefined) return undefined;
  return signCell(letter, clauseRoute(clauses[clause].id), inWords(counts), evaluated > 0 && h('span', { class: 'count' }, `${passed}/${evaluated}`));
};

let coverage;
const clausesView = () => {
  if (coverage) return coverage;
  const byGroup = new Map();
  clauses.forEach(({ id }, at) => {
    const name = groupOfClause(id);
    if (!byGroup.has(name)) byGroup.set(name, []);
    byGroup.get(name).push(at);
  });
  const groups = [...byGroup].map(([name, members]) => ({
    name,
    members,
    rows: members.map((at) => ({
      key: at,
      head: () => [
        h('span', { class: 'clause' }, h('a', { href: clauseRoute(clauses[at].id), tabindex: -1 }, clauses[at].id), levelBadge(clauses[at].level), h('span', { class: 'count' }, plural(scenariosOf[at].length, 'scenario'))),
        h('span', { class: 'statement' }, prose(clauses[at].statement))],
      cell: (client) => clauseCell(at, client),
    })),
  }));
  const table = gridTable({
    label: 'Clauses and what each client does',
    corner: 'Clause',
    groups,
    groupCell: (group, client) => {
      const evaluated = group.members.filter((clause) => standings[clause][client].evaluated > 0);
      if (evaluated.length === 0) return undefined;
      const whole = evaluated.filter((clause) => standings[clause][client].letter === 'p').length;
      return h('span', { class: 'sum', title: `${whole} of ${evaluated.length} clauses: each scenario passed` }, `${whole}/${evaluated.length}`, unseen(' clauses hold'));
    },
  });
  const changed = () => {
    history.replaceState(null, '', clauseAddress());
    refresh();
  };
  const search = h('input', {
    type: 'search', placeholder: 'Filter by clause or words', 'aria-label': 'Filter clauses by id or words', autocomplete: 'off', spellcheck: 'false', oninput: () => {
      clauseFilter.words = search.value;
      changed();
    },
  });
  search.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
    event.preventDefault();
    table.go(table.first());
  });
  const chips = Object.entries(CLAUSE_CHIPS).map(([name, { words, means }]) => {
    const count = clauses.filter((_, clause) => means(clause)).length;
    if (count === 0) return undefined;
    const button = h('button', {
      type: 'button', class: 'chip', onclick: () => {
        if (!clauseFilter.only.delete(name)) clauseFilter.only.add(name);
        changed();
      },
    }, words, h('span', { class: 'count' }, count));
    button.name = name;
    return button;
  }).filter(Boolean);
  const count = h('span', { class: 'found', role: 'status' });
  const clear = h('button', { type: 'button', class: 'quiet clear', onclick: () => { clauseFilterFrom(new URLSearchParams()); changed(); search.focus(); } }, 'Show all');
  const nothing = h('p', { class: 'nothing' }, 'No clause is like that.');
  const tiles = [['clauses', () => true], ...Object.keys(LEVELS).map((level) => [level, (clause) => clauses[clause].level === level])].map(([words, means]) => {
    const meant = clauses.map((_, at) => at).filter(means);
    const held = meant.filter(shown).length;
    const track = h('span', { class: 'track', 'aria-hidden': 'true' });
    for (const [name, part] of [['passed', held], ['not-run', meant.length - held]]) {
      if (part === 0) continue;
      const share = h('span', { class: name });
      share.style.flexGrow = part;
      track.append(share);
    }
    return h('div', { class: 'card' }, h('span', { class: 'name' }, `${held} of ${meant.length} ${words}`), track);
  });
  const element = h('div', { class: 'sheet clauses' },
    h('div', { class: 'fixed' }, h('div', { class: 'headline' }, h('h1', {}, plural(clauses.length, 'clause')), h('p', {}, 'Those with a scenario that some client passes:')), h('div', { class: 'cards' }, tiles)),
    h('div', { class: 'tools fixed' }, search, h('div', { class: 'chips', role: 'group', 'aria-label': 'Show clauses' }, chips), h('div', { class: 'result' }, count, clear)),
    table.element, nothing);
  const everyone = clients.map((_, at) => at);
  const refresh = () => {
    const meant = new Set(clauses.map((_, at) => at).filter(clauseMatches));
    table.show((row) => meant.has(row.key), everyone);
    table.element.hidden = meant.size === 0;
    nothing.hidden = meant.size > 0;
    const words = meant.size === clauses.length ? plural(clauses.length, 'clause') : `${meant.size} of ${plural(clauses.length, 'clause')}`;
    if (count.textContent !== words) count.textContent = words;
    clear.hidden = clauseAddress() === '#/c';
    if (search.value !== clauseFilter.words) search.value = clauseFilter.words;
    for (const button of chips) button.setAttribute('aria-pressed', String(clauseFilter.only.has(button.name)));
  };
  coverage = { element, refresh, search, table };
  return coverage;
};

/** One clause: its statement, and its scenarios against clients. */
const clauseView = (at) => {
  const { id, level, statement } = clauses[at];
  const members = scenariosOf[at];
  const table = members.length > 0 && gridTable({
    label: `Scenarios of ${id}`,
    corner: 'Scenario',
    groups: [{
      name: 'scenarios',
      rows: members.map((scenario) => ({
        key: scenario,
        head: () => [h('a', { href: scenarioRoute(scenario), tabindex: -1 }, scenarios[scenario].name), h('span', { class: 'why' }, scenarios[scenario].why)],
        cell: (client) => {
          const letter = verdictOf(client, scenario);
          return letter === ' ' ? undefined : signCell(letter, scenarioRoute(scenario, client), VERDICTS[letter].word);
        },
      })),
    }],
    groupCell: (_, client) => {
      const { letter, passed, evaluated } = standings[at][client];
      return letter && evaluated > 0 ? h('span', { class: 'sum' }, `${passed}/${evaluated}`, unseen(' passed')) : undefined;
    },
  });
  if (table) table.show(() => true, clients.map((_, client) => client));
  const element = h('div', { class: 'sheet clauses' },
    h('div', { class: 'fixed' }, h('div', { class: 'headline' },
      h('p', { class: 'trail' }, h('a', { href: clauseAddress() }, 'Clauses'), ' / ', groupOfClause(id)),
      h('h1', {}, id, ' ', levelBadge(level)),
      h('p', { class: 'lead' }, prose(statement)),
      members.length === 0 && h('p', { class: 'note' }, 'No scenario of this run evaluates it.'))),
    table && table.element);
  return { element, table };
};
