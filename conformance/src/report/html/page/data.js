//! What the page knows: the index at once, the rest of a scenario when it is asked for.

const report = JSON.parse(document.getElementById('index').textContent);
const { scenarios, clients, clauses } = report;

/** Verdicts by their letters in the index, in the order of interest. */
const VERDICTS = {
  f: { word: 'failed', name: 'failed', sign: '✕' },
  s: { word: 'stale known failure', name: 'stale', sign: '!' },
  y: { word: 'flaky', name: 'flaky', sign: '↻' },
  k: { word: 'known failure', name: 'known', sign: '≠' },
  u: { word: 'unsupported', name: 'unsupported', sign: '–' },
  n: { word: 'not run', name: 'not-run', sign: '·' },
  p: { word: 'passed', name: 'passed', sign: '✓' },
};
const LETTERS = Object.keys(VERDICTS);
const letterNamed = (name) => LETTERS.find((letter) => VERDICTS[letter].name === name);

const areaOf = (name) => name.slice(0, name.indexOf('/'));
const restOf = (name) => name.slice(name.indexOf('/') + 1);
const clauseIndex = new Map(clauses.map((clause, at) => [clause.id, at]));
const scenarioIndex = new Map(scenarios.map((scenario, at) => [scenario.name, at]));
const clientIndex = new Map(clients.map((client, at) => [client.name, at]));

for (const scenario of scenarios) {
  scenario.area = areaOf(scenario.name);
  scenario.words = [scenario.name, scenario.why, ...scenario.clauses].join('\n').toLowerCase();
}
const scenariosOf = clauses.map(() => []);
scenarios.forEach((scenario, at) => {
  for (const id of scenario.clauses) scenariosOf[clauseIndex.get(id)]?.push(at);
});

/** The verdict's letter, or a blank where the scenario was not meant for the client. */
const verdictOf = (client, scenario) => clients[client].verdicts[scenario];

/** How often each letter comes among `letters`. */
const counted = (letters) => {
  const counts = {};
  for (const letter of letters) if (letter !== ' ') counts[letter] = (counts[letter] ?? 0) + 1;
  return counts;
};
/** `3 passed, 1 known failure` */
const inWords = (counts) => LETTERS.filter((letter) => counts[letter]).map((letter) => `${counts[letter]} ${VERDICTS[letter].word}`).join(', ');

/** The blocks stand behind this script: the page shows its table before they are read. */
const whole = document.readyState === 'loading' ? new Promise((read) => document.addEventListener('DOMContentLoaded', read, { once: true })) : Promise.resolve();

/** The scenarios opened last: going to and fro is at once, and memory is not for all of them. */
const KEPT_SCENARIOS_MAX = 12;
const kept = new Map();

/**
 * The text of a scenario, the lines of its steps, and what each client did.
 * @throws {Error} with words for the reader
 */
const opened = async (at) => {
  const known = kept.get(at);
  if (known) return known;
  await whole;
  const text = document.getElementById(`p${at}`)?.textContent;
  if (text === undefined) throw new Error('The page is not complete: the file was cut off on its way. Take it anew from where it was written.');
  let stream;
  try {
    stream = new DecompressionStream('deflate-raw');
  } catch {
    throw new Error('This browser cannot unpack what was seen. Chromium 103, Firefox 113, Safari 16.4 and all later ones can; report.json has the same.');
  }
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const scenario = await new Response(new Blob([bytes]).stream().pipeThrough(stream)).json();
  kept.set(at, scenario);
  if (kept.size > KEPT_SCENARIOS_MAX) kept.delete(kept.keys().next().value);
  return scenario;
};

/** An address within the page. */
const route = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`;
const scenarioRoute = (scenario, client) => route('s', ...scenarios[scenario].name.split('/'), ...(client === undefined ? [] : [clients[client].name]));
const clauseRoute = (id) => route('c', id);
