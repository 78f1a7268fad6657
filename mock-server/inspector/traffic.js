//! The traffic and what stands over it: filters, pause and follow; and what to do first where there is none.

import { button, choose, h, keep, reword, word } from './element.js';
import { EVERYTHING, GROUPS } from './model.js';
import { Lanes } from './lanes.js';
import { connectBlocks } from './connect.js';

/** What is said where there are no rows, by the state of the line. */
const EMPTY = { untaped: 'untaped', gone: 'goneWorld', loading: 'lineLoading', lost: 'nobodyAnswers', locked: 'lineLocked' };

export class TrafficView {
  lanes;
  search;
  #traffic;
  #world;
  #user = choose([['', 'allUsers']], { wLabel: 'byUser' });
  #kind;
  #tools;
  #kinds = h('optgroup', { 'data-group': 'kinds' });
  #count = h('span', { class: 'found' });
  #clear = button('clearFilter', () => this.only({}), { class: 'quiet clear' });
  #pause = button('pause', () => this.pause(), { class: 'chip', 'aria-pressed': 'false' });
  #follow = button('follow', () => this.lanes.follow(!this.lanes.follows), { class: 'chip', 'aria-pressed': 'true', wTitle: 'followTold' });
  #empty = h('div', { class: 'empty' });
  #welcome;
  #blocks = connectBlocks();
  #paused = false;
  #options = '';

  constructor(element, traffic, world, picked) {
    this.#traffic = traffic;
    this.#world = world;
    const groups = h('optgroup', {}, Object.keys(GROUPS).map((group) => h('option', { value: `group:${group}`, w: group })));
    word(groups, 'kindGroups', undefined, 'label');
    word(this.#kinds, 'kindsSeen', undefined, 'label');
    this.#kind = h('select', { wLabel: 'byKind' }, h('option', { value: '', w: 'allKinds' }), groups, this.#kinds);
    this.search = h('input', { type: 'search', wPlaceholder: 'search', wLabel: 'search', autocomplete: 'off', spellcheck: 'false', oninput: () => this.#filter() });
    for (const select of [this.#user, this.#kind]) select.addEventListener('change', () => this.#filter());
    this.lanes = new Lanes(traffic, { picked, onFollow: (follows) => this.#follow.setAttribute('aria-pressed', String(follows)) });
    this.#welcome = h('div', { class: 'welcome' },
      h('h2', { w: 'welcome' }), h('p', { w: 'welcomeAbout' }), this.#blocks.elements,
      h('p', { w: 'welcomeSample' }), h('div', { class: 'row' }, h('button', { type: 'button', class: 'strong', w: 'makeSample', onclick: () => world.sample() })));
    this.#tools = h('div', { class: 'tools' }, this.search, this.#user, this.#kind, this.#pause, this.#follow, h('span', { class: 'result' }, this.#count, this.#clear));
    element.append(this.#tools, this.lanes.element, this.#empty);
    this.show();
  }

  /** Shows the rows of one user, or of `{ user, kind, text }`. */
  only(filter) {
    const { user, kind, text } = { ...EVERYTHING, ...filter };
    if (user !== '' && !this.#traffic.users.has(user)) this.#user.append(h('option', { value: user }, user));
    [this.#user.value, this.#kind.value, this.search.value] = [user, kind, text];
    this.#filter();
  }

  /** Whether there was anything to empty. */
  emptied() {
    const { user, kind, text } = this.#traffic.filter;
    if (user === '' && kind === '' && text === '') return false;
    this.only({});
    return true;
  }

  pause(paused = !this.#paused) {
    this.#paused = paused;
    this.#pause.setAttribute('aria-pressed', String(paused));
    this.lanes.pause(paused);
    this.show();
  }

  reworded() {
    // What is not on the page just now has words, too.
    for (const element of [this.#welcome, ...this.#blocks.elements]) reword(element);
    this.lanes.reworded();
    this.show();
  }

  /** After rows came or went: what stands around them. */
  show() {
    const { rows, shown } = this.#traffic;
    const filtered = shown.length !== rows.length || Object.values(this.#traffic.filter).some((part) => part !== '');
    word(this.#count, filtered ? 'rowsOf' : 'rows', { n: shown.length, all: rows.length });
    this.#clear.hidden = !filtered;
    if (this.#paused) word(this.#pause, 'resume', { n: this.lanes.held });
    else if (this.#pause.worded.text[0] !== 'pause') word(this.#pause, 'pause');
    this.#fillChoices();
    const state = !this.#world.appKey ? 'welcome' : rows.length === 0 ? EMPTY[this.#world.line] ?? 'noRows' : shown.length === 0 ? 'noMatch' : '';
    this.#tools.hidden = state === 'welcome';
    this.lanes.element.hidden = state !== '';
    this.#empty.hidden = state === '';
    if (state === 'welcome') this.#blocks.show();
    else if (state === 'noRows') this.#blocks.show(this.#world.appKey);
    if (this.#empty.dataset.state !== state) {
      this.#empty.dataset.state = state;
      if (state === 'welcome') this.#empty.replaceChildren(this.#welcome);
      else if (state === 'noRows') this.#empty.replaceChildren(h('h2', { w: 'noRows' }), h('p', { w: 'noRowsThen' }), h('div', { class: 'row' }, button('sendTitle', () => this.#world.open('send'), { class: 'strong' })), ...this.#blocks.elements);
      else if (state === 'untaped') this.#empty.replaceChildren(h('h2', { w: 'untaped' }), h('p', { w: 'untapedThen' }), button('keepRows', () => this.#world.keepRows(), { class: 'strong' }));
      else if (state === 'goneWorld') this.#empty.replaceChildren(h('h2', { w: 'goneWorld' }), h('p', { w: 'goneWorldThen' }), button('makeIt', () => this.#world.make(this.#world.appKey), { class: 'strong' }));
      else if (state === 'nobodyAnswers' || state === 'lineLoading') this.#empty.replaceChildren(h('p', { w: state }));
      else if (state === 'lineLocked') this.#empty.replaceChildren(h('h2', { w: state }), h('p', { w: 'doToken' }));
      else this.#empty.replaceChildren(...(state === '' ? [] : [h('p', { w: state }), button('clearFilter', () => this.only({}))]));
      if (state === 'welcome') this.#welcome.children[1].after(...this.#blocks.elements);
    }
  }

  #filter() {
    this.#traffic.show({ user: this.#user.value, kind: this.#kind.value, text: this.search.value });
    this.show();
    this.lanes.refiltered();
  }

  /** Users and kinds that rows have, as choices; the one chosen stays even where its rows have gone. */
  #fillChoices() {
    const users = [...this.#traffic.users.keys()].sort();
    const kinds = [...this.#traffic.kinds.keys()].sort();
    const now = JSON.stringify([users, kinds]);
    if (now === this.#options) return;
    this.#options = now;
    const chosen = this.#user.value;
    if (chosen !== '' && !users.includes(chosen)) users.push(chosen);
    keep(this.#user, ['', ...users], { key: (user) => user, make: (user) => (user === '' ? this.#user.firstChild : h('option', { value: user }, user)) });
    this.#user.value = chosen;
    const kind = this.#kind.value;
    keep(this.#kinds, kinds, { key: (one) => one, make: (one) => h('option', { value: one, translate: 'no' }, one) });
    this.#kind.value = kind;
  }
}
