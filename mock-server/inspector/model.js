//! What the page knows of a world's traffic: rows, the lanes they belong to, and which of them a filter shows. Pure: it
//! draws nothing and asks nobody. However many rows there are, one more costs as much as that one.

import { lineOf } from './line.js';

/** As many rows as the server keeps by default. */
export const ROWS_MAX = 20_000;
/** Rows hold what was decoded: some KiB each. More characters than these, and the oldest rows go. */
export const CHARACTERS_MAX = 48 * 1024 * 1024;
/** So much of a row's values is searched. */
const SEARCHED_CHARACTERS_MAX = 2_000;

/** What kinds belong together, for one choice in the filter. */
export const GROUPS = {
  messages: ['text', 'image', 'file', 'audio', 'video', 'location', 'cmd', 'custom', 'combine', 'message', 'recall', 'edit'],
  receipts: ['read_ack', 'delivered_ack', 'channel_ack'],
  syncs: ['pull', 'ack', 'answer', 'page', 'notice', 'sync', 'unread', 'statistics', 'unknown'],
  circles: ['roster', 'muc'],
  connections: ['opened', 'logged_in', 'muted', 'closed', 'provision', 'logout'],
  requests: ['http', 'upload'],
  faults: ['fault'],
};
const GROUP_OF = new Map(Object.entries(GROUPS).flatMap(([group, kinds]) => kinds.map((kind) => [kind, group])));

/** First in, first out; taking the first costs as little as adding the last. */
export class Shelf {
  #items = [];
  #head = 0;
  get length() { return this.#items.length - this.#head; }
  at(index) { return this.#items[this.#head + index]; }
  push(item) { this.#items.push(item); }
  shift() {
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    // Half of it is gone: as many moves as there were takings before.
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
  clear() {
    this.#items = [];
    this.#head = 0;
  }
  /** Where `seq` is, or would be: rows are in its order. */
  find(seq) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle).seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Whether what the server sent says no: a status other than OK. */
const isRefused = (decoded) => {
  const code = decoded?.payload?.status?.errorCode;
  return code !== undefined && code !== null && code !== 'OK' && code !== 0;
};

/** The values in a tree of JSON, up to a bound. */
const valuesOf = (tree) => {
  const found = [];
  let left = SEARCHED_CHARACTERS_MAX;
  const walk = (value) => {
    if (left <= 0 || value === null || value === undefined) return;
    if (typeof value === 'object') {
      for (const inner of Array.isArray(value) ? value : Object.values(value)) walk(inner);
      return;
    }
    const text = String(value).slice(0, left);
    found.push(text);
    left -= text.length + 1;
  };
  walk(tree);
  return found;
};

/** `hello -ack` as what must be there and what must not. */
const termsOf = (text) => {
  const terms = text.toLowerCase().split(/\s+/).filter((term) => term !== '' && term !== '-');
  return { wanted: terms.filter((term) => !term.startsWith('-')), unwanted: terms.filter((term) => term.startsWith('-')).map((term) => term.slice(1)) };
};

export const EVERYTHING = { user: '', kind: '', text: '' };

/** @returns {(row) => boolean} whether a row is shown by the filter */
const matcher = ({ user, kind, text }) => {
  const { wanted, unwanted } = termsOf(text);
  const kinds = kind.startsWith('group:') ? GROUPS[kind.slice('group:'.length)] ?? [] : kind ? [kind] : undefined;
  return (row) => (user === '' || row.user === user || row.lane.user === user)
    && (kinds === undefined || kinds.includes(row.kind))
    && wanted.every((term) => row.words.includes(term))
    && !unwanted.some((term) => row.words.includes(term));
};

export class Traffic {
  /** All rows, and those that the filter shows. */
  rows = new Shelf();
  shown = new Shelf();
  /** The number of the last row that the server told. */
  last = -1;
  /** How many rows went from the beginning of `shown` since somebody asked. */
  dropped = 0;
  /** How often a row was held against the filter: what is done for a row must not grow with the rows that are there. */
  looks = 0;
  /** How many rows of each kind there are, and the users that had any. */
  kinds = new Map();
  users = new Map();
  #seq = 0;
  #characters = 0;
  #lanes = [];
  #columns;
  #ofConn = new Map();
  #ofDevice = new Map();
  #filter = EVERYTHING;
  #matches = matcher(EVERYTHING);

  constructor({ rowsMax = ROWS_MAX, charactersMax = CHARACTERS_MAX } = {}) {
    this.rowsMax = rowsMax;
    this.charactersMax = charactersMax;
  }

  get filter() { return this.#filter; }

  /** The lanes that have shown rows, in the order in which they began. A lane's `column` is its place here. */
  get columns() {
    if (!this.#columns) {
      this.#columns = this.#lanes.filter((lane) => lane.shown > 0);
      this.#columns.forEach((lane, at) => { lane.column = at; });
    }
    return this.#columns;
  }

  /**
   * Takes a row as the server told it. One that is known is left out: a stream that begins anew may tell it again.
   * @returns {object | undefined} the row as it is kept
   */
  append(told) {
    if (told.n <= this.last) return undefined;
    this.last = told.n;
    const { n, at_ms: at, kind, conn, device, direction, bytes, method, path, status } = told;
    const line = lineOf(told);
    // A login by password carries no token yet, but says whose it is.
    const user = told.user ?? (method && typeof told.request?.username === 'string' ? told.request.username.toLowerCase() : undefined);
    const raw = JSON.stringify(told);
    const row = {
      seq: this.#seq, n, at, kind, conn, user: user ?? '', device: device ?? '', direction, line, bytes, method, path, status, raw,
      damaged: typeof told.decoded?.damaged === 'string',
      refused: status >= 400 || isRefused(told.decoded),
      words: [kind, user, device, line, method, path, status, `#${n}`, ...(told.clauses ?? []), ...valuesOf(told.decoded ?? [told.request, told.response])].filter((part) => part !== undefined && part !== null).join('\n').toLowerCase(),
    };
    this.#seq += 1;
    row.lane = this.#laneFor(row);
    row.lane.rows += 1;
    if (kind === 'closed') row.lane.open = false;
    this.#count(row, 1);
    this.rows.push(row);
    this.#characters += raw.length + row.words.length;
    this.#show(row);
    while (this.rows.length > this.rowsMax || this.#characters > this.charactersMax) this.#drop();
    return row;
  }

  /** The world began anew: its numbers begin at 0 again. What was seen stays. */
  restarted() {
    this.last = -1;
    this.#ofConn.clear();
    this.#ofDevice.clear();
    for (const lane of this.#lanes) lane.open = false;
  }

  clear() {
    this.restarted();
    this.rows.clear();
    this.shown.clear();
    this.kinds.clear();
    this.users.clear();
    this.#lanes = [];
    this.#columns = undefined;
    this.#characters = 0;
    this.dropped = 0;
  }

  /** Shows what the filter says, of all rows and of those to come. */
  show(filter) {
    this.#filter = { ...EVERYTHING, ...filter };
    this.#matches = matcher(this.#filter);
    this.shown.clear();
    this.dropped = 0;
    for (const lane of this.#lanes) lane.shown = 0;
    this.#columns = undefined;
    for (let at = 0; at < this.rows.length; at += 1) this.#show(this.rows.at(at));
  }

  #show(row) {
    this.looks += 1;
    if (!this.#matches(row)) return;
    this.shown.push(row);
    row.lane.shown += 1;
    if (row.lane.shown === 1) this.#columns = undefined;
  }

  #drop() {
    const row = this.rows.shift();
    this.#characters -= row.raw.length + row.words.length;
    this.#count(row, -1);
    row.lane.rows -= 1;
    if (this.shown.length > 0 && this.shown.at(0) === row) {
      this.shown.shift();
      this.dropped += 1;
      row.lane.shown -= 1;
      if (row.lane.shown === 0) this.#columns = undefined;
    }
    if (row.kind === 'closed') this.#ofConn.delete(row.conn);
    if (row.lane.rows === 0 && !row.lane.open) this.#end(row.lane);
  }

  #end(lane) {
    this.#lanes = this.#lanes.filter((other) => other !== lane);
    if (this.#ofDevice.get(lane.key) === lane) this.#ofDevice.delete(lane.key);
    for (const conn of lane.conns) if (this.#ofConn.get(conn) === lane) this.#ofConn.delete(conn);
  }

  #count(row, by) {
    for (const [counts, name] of [[this.kinds, row.kind], [this.users, row.user]]) {
      if (name === '') continue;
      const count = (counts.get(name) ?? 0) + by;
      if (count > 0) counts.set(name, count);
      else counts.delete(name);
    }
  }

  /**
   * A connection has a lane; the next connection of the same device, once the one before is closed, has the same. A
   * request stands in the lane of its user.
   */
  #laneFor(row) {
    if (row.conn === undefined || row.conn === null) return this.#laneOfUser(row);
    let lane = this.#ofConn.get(row.conn);
    if (!lane) {
      lane = (row.user !== '' && this.#free(row)) || this.#begin();
      this.#join(lane, row.conn);
    }
    if (row.user !== '' && (lane.user === '' || lane.requests)) {
      const before = this.#free(row);
      // Nothing of it was drawn under another name yet but its first frames: they go along.
      if (before && before !== lane) lane = this.#merge(lane, before, row.conn);
      this.#name(lane, row);
    }
    return lane;
  }

  #laneOfUser(row) {
    const known = row.user === ''
      ? this.#lanes.find((lane) => lane.requests && lane.user === '')
      : this.#lanes.findLast((lane) => lane.user === row.user && lane.open) ?? this.#lanes.findLast((lane) => lane.user === row.user);
    if (known) return known;
    const lane = this.#begin();
    lane.user = row.user;
    lane.requests = true;
    return lane;
  }

  /** The lane of this user's device, or of the user's requests, whose connection is over. */
  #free({ user, device }) {
    const own = this.#ofDevice.get(`${user}/${device}`);
    if (own && !own.open) return own;
    return this.#lanes.find((lane) => lane.user === user && lane.requests);
  }

  #begin() {
    const lane = { user: '', device: '', key: '', conns: new Set(), rows: 0, shown: 0, open: false, requests: false, column: 0 };
    this.#lanes.push(lane);
    this.#columns = undefined;
    return lane;
  }

  #join(lane, conn) {
    lane.conns.add(conn);
    lane.open = true;
    this.#ofConn.set(conn, lane);
  }

  #name(lane, { user, device }) {
    lane.user = user;
    lane.device = device;
    lane.requests = false;
    lane.key = `${user}/${device}`;
    this.#ofDevice.set(lane.key, lane);
  }

  /** The few rows that a connection had before its login move to the lane of its device. */
  #merge(from, to, conn) {
    for (let at = this.rows.length - 1, left = from.rows; at >= 0 && left > 0; at -= 1) {
      const row = this.rows.at(at);
      if (row.lane !== from) continue;
      row.lane = to;
      left -= 1;
    }
    to.rows += from.rows;
    to.shown += from.shown;
    this.#end(from);
    this.#join(to, conn);
    this.#columns = undefined;
    return to;
  }
}

/** The group that a kind belongs to; one that the page does not know is a message's. */
export const groupOf = (kind) => GROUP_OF.get(kind) ?? 'messages';
