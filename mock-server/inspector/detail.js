//! One row as a whole: what was decoded, as a tree, with the bytes beside it; of a request, what was asked and answered.

import { button, copyButton, h, sign, unseen } from './element.js';
import { say } from './words.js';
import { timeOf, wordsOf } from './lanes.js';

/** Deeper than this, or in longer lists, a branch begins closed. */
const OPEN_DEPTH_MAX = 6;
const OPEN_CHILDREN_MAX = 24;
/** A branch shows so many children at first, and as many more each time it is asked. */
const CHILDREN_MAX = 200;
/** More bytes than these are not put on the page: the bundle has them. */
const HEX_BYTES_MAX = 64 * 1024;
const BYTES_A_LINE = 16;
const BYTES_A_LINE_NARROW = 8;
/** Sixteen bytes take so much room, in px. */
const HEX_PX_MIN = 580;

const kindOf = (value) => (typeof value === 'string' ? 's' : 'n');
const shownValue = (value) => (typeof value === 'string' ? JSON.stringify(value) : String(value));

/** A tree of JSON: one stop of the tab key, within which arrows move. Children are made when they are looked at. */
export const tree = (label, value) => {
  const root = h('ul', { class: 'tree', role: 'tree', wLabel: label });
  const items = () => [...root.querySelectorAll('[role="treeitem"]')].filter((item) => !item.closest('ul[hidden]'));
  const go = (item) => {
    if (!item) return;
    for (const other of root.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    item.focus();
  };
  const open = (item, opening) => {
    if (item.getAttribute('aria-expanded') === null || item.getAttribute('aria-expanded') === String(opening)) return;
    item.setAttribute('aria-expanded', String(opening));
    if (opening && !item.list) {
      item.list = h('ul', { role: 'group' });
      item.append(item.list);
      item.fill(item.list);
    }
    if (item.list) item.list.hidden = !opening;
  };
  const fill = (list, entries, depth, from = 0) => {
    list.append(...entries.slice(from, from + CHILDREN_MAX).map(([child, inner]) => branch(child, inner, depth)));
    const left = entries.length - from - CHILDREN_MAX;
    if (left <= 0) return;
    const more = h('li', { role: 'none' }, button(['showMore', { n: left }], () => {
      more.remove();
      fill(list, entries, depth, from + CHILDREN_MAX);
    }));
    list.append(more);
  };
  const branch = (name, inner, depth) => {
    const key = name === undefined ? [] : [h('span', { class: 'k' }, name), ': '];
    if (inner === null || typeof inner !== 'object' || Object.keys(inner).length === 0) {
      const empty = inner !== null && typeof inner === 'object' ? (Array.isArray(inner) ? '[]' : '{}') : undefined;
      return h('li', { role: 'treeitem', tabindex: -1 }, h('span', { class: 'leaf' }, sign('', 'caret'), key, h('span', { class: kindOf(inner) }, empty ?? shownValue(inner))));
    }
    const entries = Object.entries(inner);
    const item = h('li', { role: 'treeitem', tabindex: -1, 'aria-expanded': 'false' }, h('span', { class: 'leaf branch' }, sign('', 'caret'), key, h('span', { class: 'count' }, Array.isArray(inner) ? `[${entries.length}]` : `{${entries.length}}`)));
    item.fill = (list) => fill(list, entries, depth + 1);
    if (depth < OPEN_DEPTH_MAX && entries.length <= OPEN_CHILDREN_MAX) open(item, true);
    return item;
  };
  if (value !== null && typeof value === 'object') fill(root, Object.entries(value), 1);
  else root.append(branch(undefined, value, 1));
  if (root.firstChild) root.querySelector('[role="treeitem"]').tabIndex = 0;
  root.addEventListener('click', (event) => {
    const item = event.target.closest('[role="treeitem"]');
    if (!item || event.target.closest('button')) return;
    if (event.target.closest('.leaf')) open(item, item.getAttribute('aria-expanded') === 'false');
    go(item);
  });
  root.addEventListener('keydown', (event) => {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const item = event.target.closest('[role="treeitem"]');
    if (!item || event.target !== item) return;
    const all = items();
    const at = all.indexOf(item);
    if (event.key === 'ArrowDown') go(all[at + 1]);
    else if (event.key === 'ArrowUp') go(all[at - 1]);
    else if (event.key === 'Home') go(all[0]);
    else if (event.key === 'End') go(all.at(-1));
    else if (event.key === 'ArrowRight') {
      if (item.getAttribute('aria-expanded') === 'true') go(all[at + 1]);
      else open(item, true);
    } else if (event.key === 'ArrowLeft') {
      if (item.getAttribute('aria-expanded') === 'true') open(item, false);
      else go(item.parentElement.closest('[role="treeitem"]'));
    } else if (event.key === 'Enter' || event.key === ' ') open(item, item.getAttribute('aria-expanded') === 'false');
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return root;
};

/** Offset, bytes and what of them is ASCII, a line for each sixteen. */
export const hexLines = (hex, line = BYTES_A_LINE) => {
  const lines = [];
  for (let at = 0; at < hex.length; at += line * 2) {
    const bytes = hex.slice(at, at + line * 2).match(/../g) ?? [];
    const text = bytes.map((byte) => {
      const code = Number.parseInt(byte, 16);
      return code >= 32 && code < 127 ? String.fromCharCode(code) : '·';
    }).join('');
    lines.push(`${(at / 2).toString(16).padStart(4, '0')}  ${bytes.join(' ').padEnd(line * 3 - 1)}  ${text}`);
  }
  return lines.join('\n');
};

/** A body of HTTP: JSON as a tree, anything else as text. */
const body = (label, value) => {
  if (value === undefined || value === null || value === '') return h('p', { class: 'soft', w: 'nothingSent' });
  if (typeof value === 'object') return tree(label, value);
  try {
    const parsed = JSON.parse(value);
    if (parsed !== null && typeof parsed === 'object') return tree(label, parsed);
  } catch {
    // It is text.
  }
  return h('pre', { class: 'body', tabindex: 0, translate: 'no', wLabel: label }, String(value));
};

const section = (key, ...children) => h('section', {}, h('h3', { w: key }), children);

export class Detail {
  #element;
  #on;
  row;

  /** `on` is told: `closed()`, `step(by)`, `stage(row)`, `only(user)`. */
  constructor(element, on) {
    this.#element = element;
    this.#on = on;
    element.addEventListener('keydown', (event) => {
      if (event.target.closest('input, textarea, select') || event.altKey || event.metaKey || event.ctrlKey) return;
      if (event.key === 'j' || event.key === 'k') {
        event.preventDefault();
        on.step(event.key === 'j' ? 1 : -1);
      }
    });
  }

  close() {
    if (!this.row) return false;
    this.row = undefined;
    this.#element.hidden = true;
    this.#element.replaceChildren();
    this.#on.closed();
    return true;
  }

  show(row) {
    this.row = row;
    const told = JSON.parse(row.raw);
    const facts = [
      ['who', [row.user, row.device].filter(Boolean).join(' / ')],
      ['wayName', row.direction && say(row.direction)],
      ['connection', row.conn === undefined || row.conn === null ? '' : `#${row.conn}`],
      ['time', timeOf(row.at)],
      ['number', `${row.n}`],
      ['bytesName', row.bytes === undefined || row.bytes === null ? '' : row.bytes.toLocaleString()],
      ['status', row.status === undefined || row.status === null ? '' : `${row.status}`],
    ].filter(([, value]) => value);
    const hex = told.hex ?? '';
    this.#element.hidden = false;
    const narrow = this.#element.clientWidth < HEX_PX_MIN;
    const bytes = h('pre', { class: 'hex', tabindex: 0, translate: 'no', wLabel: 'bytes' }, hexLines(hex.slice(0, HEX_BYTES_MAX * 2), narrow ? BYTES_A_LINE_NARROW : BYTES_A_LINE));
    const json = JSON.stringify(told.decoded ?? { request: told.request, response: told.response, ...(!row.method && told) }, null, 2);
    const copied = h('span', { class: 'sr', translate: 'no' }, '');
    const head = h('header', {},
      h('div', { class: 'over' },
        h('h2', { tabindex: -1, translate: 'no' }, h('span', { class: 'v' }, row.kind), ' ', wordsOf(row)),
        h('button', { type: 'button', class: 'quiet', wLabel: 'previous', wTitle: 'previous', onclick: () => this.#on.step(-1) }, sign('↑')),
        h('button', { type: 'button', class: 'quiet', wLabel: 'next', wTitle: 'next', onclick: () => this.#on.step(1) }, sign('↓')),
        h('button', { type: 'button', class: 'quiet', wLabel: 'close', wTitle: 'close', onclick: () => this.close() }, sign('✕'))),
      h('dl', { class: 'facts' }, facts.map(([key, value]) => h('div', {}, h('dt', { w: key }), h('dd', { translate: 'no' }, value)))),
      told.clauses?.length > 0 && h('p', { class: 'clauses' }, unseen('clauses'), told.clauses.map((clause) => h('code', { class: 'clause', translate: 'no' }, clause))),
      h('div', { class: 'row' },
        copyButton(copied, () => json),
        row.user && button(['onlyUser', { user: row.user }], () => this.#on.only(row.user), { class: 'copy' }),
        (row.direction || row.method) && row.user && button('stageSuch', () => this.#on.stage(row), { class: 'copy' })));
    const parts = [head, copied];
    if (row.damaged) parts.push(h('p', { class: 'note bad' }, h('span', { w: 'damaged' }), ' ', h('span', { translate: 'no' }, told.decoded.damaged)));
    if (row.method) {
      parts.push(section('request', body('request', told.request)), section('response', body('response', told.response)));
    } else if (told.decoded !== undefined && told.decoded !== null) {
      parts.push(h('div', { class: 'beside' },
        section('decoded', tree('decoded', told.decoded)),
        hex !== '' && section('bytes', bytes, hex.length > HEX_BYTES_MAX * 2 && h('p', { class: 'soft', w: ['bytesLeftOut', { n: hex.length / 2 - HEX_BYTES_MAX }] }))));
    } else {
      parts.push(section('whole', tree('whole', Object.fromEntries(Object.entries(told).filter(([name]) => !['hex', 'decoded'].includes(name))))));
      if (hex !== '') parts.push(section('bytes', bytes));
    }
    this.#element.replaceChildren(...parts);
    this.#element.scrollTop = 0;
  }

  /** To the heading, for a reader who came by keyboard. */
  focus() {
    this.#element.querySelector('h2')?.focus();
  }
}
