//! A scenario and what became of it: why, verdict, what was not as expected, its text, and what was seen.

/** A mismatch's message: a sentence, then lines, of which some compare a field. */
const readMessage = (message) => {
  const [sentence, ...lines] = message.split('\n');
  const fields = [];
  const rest = [];
  for (const line of lines) {
    const found = /^\s+(\S.*?): expected (.*)$/.exec(line);
    const parts = found && splitGot(found[2]);
    if (parts) fields.push({ field: found[1], expected: parts[0], got: parts[1] });
    else rest.push(line);
  }
  return { sentence, fields, rest: rest.map((line) => line.replace(/^ {2}/, '')).join('\n') };
};
/** `"a", got "b"` in two; where the words are in a value, too, the first place that leaves JSON on its left. */
const splitGot = (text) => {
  const words = ', got ';
  const places = [];
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + 1)) places.push(at);
  if (places.length === 0) return undefined;
  const isJson = (at) => {
    try {
      JSON.parse(text.slice(0, at));
      return true;
    } catch {
      return false;
    }
  };
  const at = places.find(isJson) ?? places[0];
  return [text.slice(0, at), text.slice(at + words.length)];
};

/** The part in which two texts differ is marked; what they have in common at either end is not. */
const differing = (text, other) => {
  let start = 0;
  while (start < text.length && start < other.length && text[start] === other[start]) start += 1;
  let end = 0;
  while (end < text.length - start && end < other.length - start && text.at(-1 - end) === other.at(-1 - end)) end += 1;
  const middle = text.slice(start, text.length - end);
  return [text.slice(0, start), middle && h('mark', {}, middle), text.slice(text.length - end)];
};

const PLACES = { around: 'before the first step or after the last', wire: 'in a frame of the client', record: 'in its record', client_file: "in the client's file" };

const mismatchCard = (mismatch, scenario, toLine) => {
  const { sentence, fields, rest } = readMessage(mismatch.message);
  const place = mismatch.line
    ? h('button', { type: 'button', class: 'link', onclick: () => toLine(mismatch.line) }, `${scenario.path}:${mismatch.line}`, mismatch.step && ` (step ${mismatch.step})`)
    : h('span', {}, mismatch.step ? `step ${mismatch.step}` : PLACES[mismatch.place] ?? mismatch.place);
  return h('li', { class: 'mismatch' },
    h('p', { class: 'place' }, place),
    h('p', { class: 'sentence' }, sentence),
    fields.length > 0 && h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Fields' }, h('table', { class: 'fields' },
      h('thead', {}, h('tr', {}, ['field', 'expected', 'received'].map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, fields.map(({ field, expected, got }) => h('tr', {}, h('th', { scope: 'row' }, field), h('td', { class: 'want' }, differing(expected, got)), h('td', { class: 'came' }, differing(got, expected))))))),
    rest && h('pre', { class: 'rest' }, rest));
};

/** The verdict on one client, and what follows from it. */
const verdictPanel = (at, client, run, toLine) => {
  const letter = verdictOf(client, at);
  const { name, calls_itself: called, version, not_started: notStarted } = clients[client];
  if (!run) return h('section', { class: 'panel' }, h('p', {}, `This scenario was not to be run on ${name}.`));
  const facts = [called && `${called} ${version}`.trim(), letter !== 'n' && lasted(run.ms), run.tries > 1 && `tried ${plural(run.tries, 'time')}`].filter(Boolean);
  const reasons = { k: 'Known: ', u: 'It lacks something: ', s: 'Its file says that it fails: ' };
  return h('section', { class: 'panel', 'aria-label': `Verdict on ${name}` },
    h('p', { class: 'verdict' }, chip(letter, true), h('span', { class: 'facts-line' }, facts.join(' · '))),
    notStarted && h('p', { class: 'note bad lines' }, notStarted),
    run.reason && h('p', { class: 'reason' }, h('b', {}, reasons[letter] ?? ''), run.reason),
    run.mismatches.length > 0 && h('ol', { class: 'mismatches', 'aria-label': 'Not as expected' }, run.mismatches.map((mismatch) => mismatchCard(mismatch, scenarios[at], toLine))),
    run.findings.length > 0 && h('details', { class: 'findings' }, h('summary', {}, `${plural(run.findings.length, 'finding')} on the wire`), h('ul', {}, run.findings.map((finding) => h('li', {}, clauseLink(finding.clause), ` ${finding.user}${finding.times > 1 ? `, ${finding.times} times` : ''}: `, h('code', {}, finding.text))))),
    h('div', { class: 'commands' },
      run.next.map(([what, how]) => command(what, how))));
};
const clauseLink = (id) => (clauseIndex.has(id) ? h('a', { class: 'clause-link', href: clauseRoute(id), title: clauses[clauseIndex.get(id)].statement }, id) : h('span', { class: 'clause-link' }, id));

/** The scenario's text by lines; those of a step are lit together. */
const sourcePane = (source, steps, mismatches, light, toStep) => {
  const stepOf = new Map();
  steps.forEach(([first, last], step) => {
    for (let line = first; line <= last; line += 1) if (!stepOf.has(line)) stepOf.set(line, step + 1);
  });
  const at = new Map();
  for (const { line, message } of mismatches) if (line) at.set(line, [...(at.get(line) ?? []), readMessage(message)]);
  const lines = source.replace(/\n$/, '').split('\n').map((text, index) => {
    const number = index + 1;
    const step = stepOf.get(number);
    const begins = step !== undefined && steps[step - 1][0] === number;
    return h('li', { 'data-step': step, 'data-line': number, class: at.has(number) ? 'wrong' : undefined },
      begins ? h('button', { type: 'button', class: 'number', 'aria-label': `Line ${number}, step ${step}: show its moments`, onclick: () => toStep(step) }, number) : h('span', { class: 'number' }, number),
      hanging(text, h('code', {})),
      (at.get(number) ?? []).map(({ sentence, fields }) => h('span', { class: 'pointer' }, `^ ${sentence}${fields.length ? `: ${fields.map(({ field }) => field).join(', ')}` : ''}`)));
  });
  const list = h('ol', { class: 'source' }, lines);
  const stepAt = (event) => Number(event.target.closest('[data-step]')?.dataset.step) || undefined;
  list.addEventListener('pointerover', (event) => light(stepAt(event)));
  list.addEventListener('pointerleave', () => light(undefined));
  list.addEventListener('focusin', (event) => light(stepAt(event)));
  list.addEventListener('click', (event) => {
    // A text that is being marked is not a click on its line.
    const step = stepAt(event);
    if (step !== undefined && !event.target.closest('button') && getSelection().isCollapsed) toStep(step);
  });
  return {
    element: h('div', { class: 'pane source-pane', tabindex: 0, role: 'region', 'aria-label': 'Scenario' }, list),
    light: (step, scroll) => {
      let first;
      for (const line of lines) {
        const lit = step !== undefined && line.dataset.step === String(step);
        line.classList.toggle('lit', lit);
        if (lit) first ??= line;
      }
      if (scroll && first) within(first);
    },
    toLine: (number) => {
      const line = lines[number - 1];
      if (!line) return;
      line.scrollIntoView({ block: 'nearest' });
      (line.querySelector('button') ?? line).focus?.({ preventScroll: true });
      light(Number(line.dataset.step) || undefined);
    },
  };
};
/** Scrolls only the pane of an element, not the page. */
const within = (element) => {
  const pane = element.closest('.pane');
  const { top, bottom } = element.getBoundingClientRect();
  const box = pane.getBoundingClientRect();
  if (top < box.top) pane.scrollTop -= box.top - top + 8;
  else if (bottom > box.bottom) pane.scrollTop += bottom - box.bottom + 8;
};

/** The client whose run says most: the one that did worst. */
const worstClient = (at) => {
  const letters = clients.map((_, client) => verdictOf(client, at));
  for (const letter of ['f', 's', 'y', 'p', 'k', 'u', 'n']) {
    const client = letters.indexOf(letter);
    if (client >= 0) return client;
  }
  return 0;
};

const scenarioView = (at, client, scenario, begin, moved) => {
  const { name, why, clauses: ids, area, path } = scenarios[at];
  const run = scenario.runs[client];
  let steps = [];
  try {
    steps = JSON.parse(scenario.source).steps ?? [];
  } catch {
    // Lines without steps: the text is shown as it is.
  }
  let pane;
  let diagram;
  let lit;
  const light = (step, scroll) => {
    if (step === lit && !scroll) return;
    lit = step;
    pane.light(step, scroll);
    diagram?.light(step);
  };
  const toStep = (step) => {
    if (!diagram?.toStep(step)) announce(`Nothing was seen at step ${step}`);
  };
  pane = sourcePane(scenario.source, scenario.steps, run?.mismatches ?? [], light, toStep);
  const toLine = (line) => pane.toLine(line);

  const failed = new Map();
  for (const { step, message } of run?.mismatches ?? []) if (step) failed.set(step, [...(failed.get(step) ?? []), readMessage(message).sentence]);
  if (run?.evidence) {
    const { moments } = run.evidence;
    const last = Math.max(...failed.keys());
    const wrong = moments.findLastIndex?.((moment) => moment.step === last) ?? -1;
    diagram = laneDiagram({
      evidence: run.evidence, steps, failed, light, picked: moved,
      toLine: (step) => scenario.steps[step - 1] && pane.toLine(scenario.steps[step - 1][0]),
      begin: begin ?? Math.max(wrong >= 0 ? wrong : moments.findIndex((moment) => moment.step !== null), 0),
    });
  }
  const walkedAt = walked.indexOf(at);
  const neighbour = (by) => (walkedAt < 0 ? undefined : walked[walkedAt + by]);
  const beside = (by, words, key) => {
    const other = neighbour(by);
    return other === undefined ? h('span', { class: 'quiet', 'aria-disabled': 'true' }, words) : h('a', { class: 'quiet', href: scenarioRoute(other, client), title: `${scenarios[other].name} (${key})` }, words);
  };
  const switcher = h('nav', { class: 'switcher', 'aria-label': 'Clients' }, clients.map((one, index) => {
    const letter = verdictOf(index, at);
    return h('a', { href: scenarioRoute(at, index), 'aria-current': index === client ? 'true' : undefined, class: letter === ' ' ? 'absent' : undefined }, letter === ' ' ? sign(' ', 'v') : chip(letter), h('span', {}, one.name));
  }));
  const missing = () => {
    if (!run) return 'There is no run to look at.';
    if (run.left_out) return 'What was seen is left out of this page, so that it stays quick to open. report.json has it.';
    return verdictOf(client, at) === 'n' ? 'It was never begun: the run was ended before.' : 'Nobody asked for what was seen.';
  };
  const stderr = run?.evidence?.stderr;
  const element = h('article', { class: 'scenario' },
    h('header', {},
      h('p', { class: 'trail' }, h('a', { href: filterAddress(), id: 'back' }, 'Scenarios'), ' / ', h('a', { href: `#/?q=${encodeURIComponent(`${area}/`)}` }, area), h('span', { class: 'walk' }, beside(-1, '← previous', 'p'), beside(1, 'next →', 'n'))),
      h('h1', { tabindex: -1 }, restOf(name)),
      h('p', { class: 'lead' }, why),
      h('p', { class: 'ids' }, ids.map((id) => [clauseLink(id), ' ']).flat())),
    switcher,
    verdictPanel(at, client, run, toLine),
    h('div', { class: 'panes' },
      h('section', {}, h('div', { class: 'over' }, h('h2', {}, 'Scenario ', h('code', {}, path))), pane.element),
      h('section', { class: 'seen' }, h('div', { class: 'over' }, h('h2', {}, 'What was seen', diagram && run.evidence.moments.length > 0 && h('span', { class: 'count' }, plural(run.evidence.moments.length + run.evidence.left_out, 'moment'))), diagram?.chips), diagram ? diagram.element : h('p', { class: 'nothing' }, missing()))),
    stderr && h('section', { class: 'stderr' }, h('h2', {}, "The client's stderr"), h('pre', { tabindex: 0 }, stderr)));
  return { element, diagram, neighbour };
};
