//! The traffic, a lane a connection: rows of one height, of which only those in sight are drawn, once a frame of the
//! screen at most. What is drawn is looked at from above the fold only: the work does not grow with the rows there are.

import { h, put, sign } from './element.js';
import { say } from './words.js';
import { groupOf } from './model.js';

/** The height of a row, as `traffic.css` has it, in px. */
export const ROW_PX = 28;
/** Rows drawn above and below what is in sight, so that scrolling does not show holes. */
const AROUND = 8;
/** A lane is at least so wide, in px; with more room they share it. */
const LANE_PX_MIN = 150;
const LANE_PX_MIN_PHONE = 128;
/** A box narrower than this is a phone's. */
const PHONE_PX = 480;

const TO = { up: 'right', down: 'left' };
const ARROWS = { up: '↑', down: '↓' };

const two = (number, digits = 2) => String(number).padStart(digits, '0');
/** `10:02:33.041`, where the reader is. */
export const timeOf = (ms) => {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
};

/** The colour of a row: what it went over. */
const classOf = (row) => {
  const group = groupOf(row.kind);
  if (group === 'faults') return 'fault';
  if (group === 'requests') return 'http';
  return row.direction ? 'socket' : 'control';
};

/** What the line says beside the kind, which is told by itself. */
export const wordsOf = ({ kind, line }) => (line === kind ? '' : line.startsWith(`${kind} `) ? line.slice(kind.length + 1) : line);

const nameOf = (lane) => lane.user || say(lane.requests ? 'nobody' : 'beforeLogin');

export class Lanes {
  element;
  #traffic;
  #picked;
  #board = h('div', { class: 'board' });
  #heads = h('div', { class: 'lane-heads', 'aria-hidden': 'true' });
  #rails = h('div', { class: 'rails', 'aria-hidden': 'true' });
  #when = h('span', { class: 'when', w: 'time' });
  #drawn = new Map();
  #spare = [];
  #headsDrawn = new Map();
  #asked = 0;
  #box = { top: 0, left: 0, width: 0, height: 0 };
  #follows = true;
  #current;
  #onFollow;
  #frozen;
  #dimensions;

  /** `picked(row)` is called when the reader opens a row, `onFollow(follows)` when scrolling begins or ends following. */
  constructor(traffic, { picked, onFollow }) {
    this.#traffic = traffic;
    this.#picked = picked;
    this.#onFollow = onFollow;
    this.#board.append(this.#heads, this.#rails);
    this.#heads.append(this.#when);
    this.element = h('div', { class: 'lanes', tabindex: 0, role: 'listbox', wLabel: 'trafficRows' }, this.#board);
    this.element.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.#board.addEventListener('click', (event) => {
      const row = event.target.closest('.moment')?.row;
      if (row) this.#open(row);
    });
    new ResizeObserver(() => {
      this.#measure();
      // One row was opened beside the others: it stays in sight.
      if (this.#current && !this.#follows) this.#reveal(this.#current);
      this.draw();
    }).observe(this.element);
  }

  get follows() { return this.#follows; }
  get current() { return this.#current; }
  /** Rows that came while the view stood still. */
  get held() { return this.#frozen === undefined ? 0 : Math.max(this.#traffic.shown.length - this.#count(), 0); }

  /** Scrolls with what comes, from the end on; or no longer. */
  follow(follows) {
    if (this.#follows === follows) return;
    this.#follows = follows;
    this.#onFollow(follows);
    if (follows) this.draw();
  }

  /** What comes is kept, and shown when the view goes on. */
  pause(paused) {
    this.#frozen = paused ? (this.#traffic.shown.at(this.#traffic.shown.length - 1)?.seq ?? -1) : undefined;
    this.draw();
  }

  /** Draws at the next frame of the screen; however often it is asked, once. */
  draw() {
    this.#asked ||= requestAnimationFrame(() => {
      this.#asked = 0;
      this.#draw();
    });
  }

  /** The filter is another: the rows' places are. */
  refiltered() {
    if (this.#frozen !== undefined) this.pause(true);
    if (this.#follows) return this.draw();
    const at = this.#current ? this.#traffic.shown.find(this.#current.seq) : 0;
    this.#size();
    this.element.scrollTop = Math.max(at * ROW_PX - this.#box.height / 3, 0);
    return this.draw();
  }

  /** Words changed: everything is drawn anew. */
  reworded() {
    for (const element of this.#drawn.values()) element.row = undefined;
    for (const head of this.#headsDrawn.values()) head.remove();
    this.#headsDrawn.clear();
    this.draw();
  }

  /** Moves to the row before or behind the current one, and opens it. */
  step(by) {
    const at = this.#at();
    const row = this.#traffic.shown.at(Math.min(Math.max((at ?? -1) + by, 0), this.#count() - 1));
    if (row) this.#open(row);
  }

  closed() {
    this.element.focus({ preventScroll: true });
  }

  #count() {
    return this.#frozen === undefined ? this.#traffic.shown.length : this.#traffic.shown.find(this.#frozen + 1);
  }

  #at() {
    if (!this.#current) return undefined;
    const at = this.#traffic.shown.find(this.#current.seq);
    return this.#traffic.shown.at(at) === this.#current ? at : undefined;
  }

  #measure() {
    const { clientWidth: width, clientHeight: height, scrollTop: top, scrollLeft: left } = this.element;
    this.#box = { top, left, width, height };
  }

  #scrolled() {
    // A box that was hidden begins at its top again, which nobody scrolled to.
    if (this.#box.height === 0) return;
    const { scrollTop: top, scrollLeft: left } = this.element;
    const [up, down] = [top < this.#box.top, top > this.#box.top];
    this.#box = { ...this.#box, top, left };
    const end = this.#boardPx() - this.#box.height;
    if (up && this.#follows && top < end - ROW_PX) this.follow(false);
    else if (down && !this.#follows && top >= end - 2) this.follow(true);
    this.draw();
  }

  #headPx() { return 46; }
  #boardPx() { return this.#headPx() + this.#count() * ROW_PX + 12; }

  #size() {
    const px = `${this.#boardPx()}px`;
    if (this.#board.style.height !== px) this.#board.style.height = px;
  }

  #draw() {
    const { shown, columns } = this.#traffic;
    const phone = this.#box.width < PHONE_PX;
    const when = phone ? 64 : 92;
    const lane = Math.max(columns.length > 0 ? (this.#box.width - when) / columns.length : 0, phone ? LANE_PX_MIN_PHONE : LANE_PX_MIN);
    if (this.#dimensions !== `${when} ${lane} ${columns.length}`) {
      this.#dimensions = `${when} ${lane} ${columns.length}`;
      this.#board.style.setProperty('--when', `${when}px`);
      this.#board.style.setProperty('--lane', `${lane}px`);
      this.#board.style.width = `${Math.max(when + lane * columns.length, 0)}px`;
      this.#board.classList.toggle('short', phone);
    }
    this.#size();
    // Rows went at the beginning: what is looked at stays where it is.
    if (this.#traffic.dropped > 0) {
      if (!this.#follows) this.element.scrollTop = Math.max(this.#box.top - this.#traffic.dropped * ROW_PX, 0);
      this.#traffic.dropped = 0;
      this.#box.top = this.element.scrollTop;
    }
    if (this.#follows && this.#frozen === undefined) {
      const end = Math.max(this.#boardPx() - this.#box.height, 0);
      if (this.#box.top !== end) {
        this.element.scrollTop = end;
        this.#box.top = end;
      }
    }
    const count = this.#count();
    const first = Math.max(Math.floor((this.#box.top - this.#headPx()) / ROW_PX) - AROUND, 0);
    const past = Math.min(Math.ceil((this.#box.top + this.#box.height) / ROW_PX) + AROUND, count);
    const wanted = new Map();
    for (let at = first; at < past; at += 1) wanted.set(shown.at(at), at);
    for (const [row, element] of this.#drawn) {
      if (wanted.has(row)) continue;
      this.#drawn.delete(row);
      this.#spare.push(element);
    }
    for (const [row, at] of wanted) {
      let element = this.#drawn.get(row);
      if (!element) {
        element = this.#spare.pop() ?? this.#make();
        this.#drawn.set(row, element);
      }
      this.#fill(element, row, at, count, phone);
    }
    for (const element of this.#spare) element.remove();
    this.#spare = [];
    this.#drawHeads(columns, when, lane);
    this.#mark();
  }

  #make() {
    const when = h('span', { class: 'when' });
    const [way, label] = [sign('', 'way'), h('span', { translate: 'no' })];
    const arrow = h('span', { class: 'arrow' }, h('span', { class: 'label' }, way, label));
    const element = h('div', { class: 'moment', role: 'option' }, when, arrow);
    element.parts = { when, label, arrow, way };
    return element;
  }

  #fill(element, row, at, count, phone) {
    const { when, label, arrow, way } = element.parts;
    if (element.row !== row) {
      element.row = row;
      element.id = `row-${row.seq}`;
      arrow.className = `arrow ${classOf(row)} ${TO[row.direction] ?? 'none'}${row.damaged ? ' damaged' : ''}${row.refused ? ' refused' : ''}`;
      put(way, ARROWS[row.direction] ?? '');
      put(label, row.line);
      element.setAttribute('aria-label', say('rowTold', { time: timeOf(row.at), who: nameOf(row.lane), way: row.direction ? say(row.direction) : '', kind: row.kind, line: wordsOf(row) }));
      element.at = undefined;
    }
    const time = timeOf(row.at);
    put(when, phone ? time.slice(0, 8) : time);
    if (element.at !== at || element.column !== row.lane.column) {
      element.at = at;
      element.column = row.lane.column;
      element.style.transform = `translateY(${this.#headPx() + at * ROW_PX}px)`;
      arrow.style.marginInlineStart = `calc(var(--lane) * ${row.lane.column} + .4rem)`;
      element.setAttribute('aria-posinset', at + 1);
    }
    element.setAttribute('aria-setsize', count);
    element.setAttribute('aria-selected', String(row === this.#current));
    element.classList.toggle('lit', row === this.#current);
    if (!element.isConnected) this.#board.append(element);
  }

  #drawHeads(columns, when, lane) {
    const first = Math.max(Math.floor((this.#box.left - when) / lane) - 1, 0);
    const past = Math.min(Math.ceil((this.#box.left + this.#box.width) / lane) + 1, columns.length);
    const seen = new Set(columns.slice(first, past));
    for (const [own, head] of this.#headsDrawn) {
      if (seen.has(own)) continue;
      head.remove();
      head.rail.remove();
      this.#headsDrawn.delete(own);
    }
    for (const own of seen) {
      let head = this.#headsDrawn.get(own);
      if (!head) {
        head = h('div', { class: 'lane-head' }, h('b', { translate: 'no' }), h('span', { class: 'device', translate: 'no' }), h('span', { class: 'ends' }, h('i', { w: 'client' }), h('i', { w: 'server' })));
        head.rail = h('i', {});
        this.#headsDrawn.set(own, head);
        this.#heads.append(head);
        this.#rails.append(head.rail);
      }
      put(head.children[0], nameOf(own));
      const what = own.requests ? say(own.user ? 'requestsOnly' : 'requestsAndDoor') : own.device;
      put(head.children[1], what);
      head.classList.toggle('open', own.open);
      head.title = own.requests ? `${nameOf(own)} · ${what}` : `${nameOf(own)} ${own.device} · ${say(own.open ? 'open' : 'closed')}`;
      for (const part of [head, head.rail]) part.style.insetInlineStart = `calc(var(--when) + var(--lane) * ${own.column})`;
    }
  }

  #mark() {
    const element = this.#current && this.#drawn.get(this.#current);
    if (element) this.element.setAttribute('aria-activedescendant', element.id);
    else this.element.removeAttribute('aria-activedescendant');
  }

  #open(row) {
    this.#goTo(row);
    this.#picked(row);
  }

  #goTo(row) {
    this.#current = row;
    this.#reveal(row);
    if (this.#traffic.shown.find(row.seq) < this.#count() - 1) this.follow(false);
    this.draw();
  }

  /** Scrolls as little as it takes for the row to be in sight. */
  #reveal(row) {
    const at = this.#traffic.shown.find(row.seq);
    const top = at * ROW_PX;
    if (top < this.#box.top) this.element.scrollTop = top;
    else if (top + this.#headPx() + ROW_PX > this.#box.top + this.#box.height) this.element.scrollTop = top + this.#headPx() + ROW_PX - this.#box.height;
    const left = row.lane.column * this.#laneNow();
    if (left < this.element.scrollLeft || left + this.#laneNow() > this.element.scrollLeft + this.#box.width - 92) this.element.scrollLeft = Math.max(left - this.#box.width / 3, 0);
    const { scrollTop, scrollLeft } = this.element;
    this.#box = { ...this.#box, top: scrollTop, left: scrollLeft };
  }

  #laneNow() { return Number.parseFloat(this.#board.style.getPropertyValue('--lane')) || LANE_PX_MIN; }

  #key(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const count = this.#count();
    if (count === 0) return;
    const at = this.#at();
    const page = Math.max(Math.floor(this.#box.height / ROW_PX) - 2, 1);
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page }[event.key];
    let to;
    if (by) to = at === undefined ? count - 1 : Math.min(Math.max(at + by, 0), count - 1);
    else if (event.key === 'Home') to = 0;
    else if (event.key === 'End') to = count - 1;
    else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') to = this.#inLane(at, event.key === 'ArrowRight' ? 1 : -1);
    else if ((event.key === 'Enter' || event.key === ' ') && this.#current) {
      event.preventDefault();
      this.#picked(this.#current);
      return;
    } else return;
    event.preventDefault();
    const row = to !== undefined && this.#traffic.shown.at(to);
    if (row) this.#goTo(row);
  }

  /** The next row of the same lane. */
  #inLane(at, by) {
    if (at === undefined) return this.#count() - 1;
    const { shown } = this.#traffic;
    for (let other = at + by; other >= 0 && other < this.#count(); other += by) if (shown.at(other).lane === this.#current.lane) return other;
    return at;
  }
}
