//! A table of rows in groups against clients: one stop of the tab key, within which arrows move.

/** With more rows than this, groups begin closed: building 20,000 cells takes a second. */
const ROWS_OPEN_MAX = 2500;

/** A verdict as a chip: sign, colour, and words beside it or for screen readers alone. */
const chip = (letter, shown, count) => {
  const { name, sign: mark, word } = VERDICTS[letter];
  return h('span', { class: `v ${name}` }, sign(mark), shown ? h('span', {}, count === undefined ? word : `${count.toLocaleString('en')} ${word}`) : unseen(word));
};

/** A cell that leads somewhere; `words` are what its sign and colour say. */
const signCell = (letter, href, words, count) =>
  h('a', { class: `v ${VERDICTS[letter].name}`, href, tabindex: -1, 'aria-label': words, title: words }, VERDICTS[letter].sign, count);

/** `chromium-4.21.1` in two lines. */
const brokenName = (name) => {
  const at = name.search(/-\d/);
  return at < 0 ? [name] : [name.slice(0, at), h('wbr'), h('span', { class: 'version' }, name.slice(at))];
};

/**
 * `groups` are `{ name, count, rows }`; a row is `{ head, cell }`: `head()` gives the nodes of its first cell with one
 * link or button, `cell(client)` an element or nothing. `groupCell(group, client)` sums up.
 * @returns {{element: HTMLTableElement, show: (wanted: (row) => boolean, columns: number[]) => number, focus: (row) => boolean}}
 */
const gridTable = ({ label, corner, groups, groupCell, opened: begun }) => {
  const head = h('tr', {}, h('th', { scope: 'col', class: 'corner' }, corner), clients.map((client) => h('th', { scope: 'col', title: client.name }, brokenName(client.name))));
  const table = h('table', { role: 'grid', 'aria-label': label }, h('thead', {}, head));
  const rows = groups.reduce((sum, group) => sum + group.rows.length, 0);
  const all = clients.map((_, at) => at);
  let current;
  let wanted = () => true;
  let columns = all;

  for (const group of groups) {
    const name = h('span', {}, group.name);
    group.number = h('span', { class: 'count' });
    const toggle = h('button', { type: 'button', class: 'toggle', tabindex: -1, 'aria-expanded': 'true', onclick: () => open(group, group.closed) }, sign('', 'caret'), name, group.number);
    group.toggle = toggle;
    group.head = h('tr', { class: 'group' }, h('th', { scope: 'rowgroup' }, toggle), all.map((client) => h('td', {}, groupCell(group, client))));
    group.body = h('tbody', {}, group.head);
    group.closed = begun ? !begun(group) : rows > ROWS_OPEN_MAX;
    table.append(group.body);
  }

  /** Builds the rows of a group when they are shown first. */
  const build = (group) => {
    if (group.built) return;
    group.built = true;
    for (const row of group.rows) {
      row.element = h('tr', {}, h('th', { scope: 'row' }, row.head()), all.map((client) => h('td', {}, row.cell(client))));
      row.element.row = row;
      group.body.append(row.element);
    }
  };
  const open = (group, opening) => {
    group.closed = !opening;
    refresh();
    announce(`${group.name} is ${opening ? 'open' : 'closed'}`);
  };
  const refresh = () => {
    let shown = 0;
    for (const group of groups) {
      const meant = group.rows.filter((row) => wanted(row));
      shown += meant.length;
      if (!group.closed && meant.length > 0) build(group);
      group.number.textContent = meant.length === group.rows.length ? `${meant.length}` : `${meant.length} of ${group.rows.length}`;
      group.toggle.setAttribute('aria-expanded', String(!group.closed));
      group.body.hidden = meant.length === 0;
      if (!group.built) continue;
      const among = new Set(meant);
      for (const row of group.rows) row.element.hidden = group.closed || !among.has(row);
    }
    for (const line of table.rows) {
      const showing = line.columns ?? all;
      if (showing === columns || (showing.length === columns.length && showing.every((one, at) => one === columns[at]))) continue;
      line.columns = columns;
      all.forEach((client) => { line.cells[client + 1].hidden = !columns.includes(client); });
    }
    table.style.setProperty('--shown', columns.length);
    if (!current?.isConnected || current.closest('[hidden]')) mark(first());
    return shown;
  };

  // One element of the table is reached by the tab key: where one was last.
  const target = (cell) => cell?.querySelector('a, button');
  const lines = () => [...table.tBodies].filter((body) => !body.hidden).flatMap((body) => [...body.rows].filter((line) => !line.hidden));
  const first = () => target(lines()[0]?.cells[0]);
  const mark = (element) => {
    if (current) current.tabIndex = -1;
    current = element;
    if (current) current.tabIndex = 0;
  };
  const go = (element) => {
    if (!element) return;
    mark(element);
    element.focus({ preventScroll: true });
    element.closest('td, th').scrollIntoView({ block: 'nearest', inline: 'nearest' });
  };
  /** The nearest cell with something in it, from `cell` on in direction `by`. */
  const along = (line, cell, by) => {
    for (let at = cell; at >= 0 && at < line.cells.length; at += by) {
      const found = !line.cells[at].hidden && target(line.cells[at]);
      if (found) return found;
    }
  };
  /** That of the same column `by` lines on; where it has nothing, the line's first. */
  const across = (line, cell, by) => {
    const all = lines();
    const at = Math.min(Math.max(all.indexOf(line) + by, 0), all.length - 1);
    return target(all[at].cells[cell]) ?? target(all[at].cells[0]);
  };
  const PAGE_LINES = 12;
  const moves = {
    ArrowRight: (line, cell) => along(line, cell + 1, 1),
    ArrowLeft: (line, cell) => along(line, cell - 1, -1),
    ArrowDown: (line, cell) => across(line, cell, 1),
    ArrowUp: (line, cell) => across(line, cell, -1),
    j: (line, cell) => across(line, cell, 1),
    k: (line, cell) => across(line, cell, -1),
    PageDown: (line, cell) => across(line, cell, PAGE_LINES),
    PageUp: (line, cell) => across(line, cell, -PAGE_LINES),
    Home: (line) => along(line, 0, 1),
    End: (line) => along(line, line.cells.length - 1, -1),
  };
  table.addEventListener('keydown', (event) => {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const cell = event.target.closest('td, th');
    const move = moves[event.key];
    if (!cell || !move) return;
    event.preventDefault();
    go(move(cell.parentElement, cell.cellIndex));
  });
  table.addEventListener('focusin', (event) => {
    if (event.target !== current && event.target.matches('a, button')) mark(event.target);
  });

  return {
    element: table,
    show: (meant, showing) => {
      wanted = meant;
      columns = showing;
      return refresh();
    },
    /** The links of a row from left to right; opens its group. */
    row: (key) => {
      const group = groups.find(({ rows: own }) => own.some((row) => row.key === key));
      if (!group) return undefined;
      if (group.closed) open(group, true);
      return group.rows.find((row) => row.key === key).element;
    },
    go,
    along,
    first,
  };
};
