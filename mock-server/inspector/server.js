//! The server that this page came from, and no other: requests in the words of its control plane, and the live stream of
//! one world, which comes back by itself.

/** The server refused, or nobody answered. */
export class Refusal extends Error {
  /** @param {number} status 0: nobody answered */
  constructor(status, told) {
    super(told?.error_description ?? '');
    this.status = status;
    this.error = told?.error;
    /** One sentence for each command that was refused. */
    this.sentences = (told?.results ?? []).map((result) => result?.error).filter(Boolean);
  }
  /** What to show: the most exact that the server said. */
  get details() {
    const all = this.sentences.length > 0 ? this.sentences : [this.message];
    return all.filter(Boolean);
  }
}

const answered = async (path, options) => {
  let response;
  try {
    response = await fetch(`/_mock${path}`, { ...options, headers: { Accept: 'application/json', ...options?.headers } });
  } catch {
    throw new Refusal(0);
  }
  const text = await response.text().catch(() => '');
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    // What is not JSON is no answer of the control plane, but what it says may help.
    told = { error_description: text.slice(0, 500) };
  }
  if (!response.ok) throw new Refusal(response.status, told);
  return told;
};

export const get = (path) => answered(path);
export const post = (path, body) => answered(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
export const remove = (path) => answered(path, { method: 'DELETE' });

/** The path of a world, from its app key. */
export const placeOf = (appKey) => `/${appKey.split('#').map(encodeURIComponent).join('/')}`;

/** Behind it are the same doors as without it, for this world alone: `/w/{org}~{app}`. */
export const ownPath = (appKey) => `/w/${appKey.split('#').map((half) => encodeURIComponent(half).replaceAll('~', '%7E')).join('~')}`;
/** Where door faults are armed: the whole server's, or those of a world's own path. */
export const doorsOf = (scope, appKey) => (scope === 'server' ? '/doors' : `${placeOf(appKey)}/doors`);

/** What the server says where there are no rows to read. */
const STATES = { no_such_world: 'gone', no_tape: 'untaped', no_token: 'locked', wrong_token: 'locked' };
/** How many rows one question asks for: some MiB at most. */
const PAGE_ROWS = 200;
/** How long to wait before asking again for a stream that ended, in ms, and at most. */
const AGAIN_MS = 500;
const AGAIN_MS_MAX = 5000;

/**
 * The rows of a world, from the first that is kept, and on as they come. A stream that ends begins again behind the last
 * row that came, so no row is lost that the server still has. `on` is told:
 * `row(row)`, `changed()`, `lost(count)` of rows that the server no longer has, `restarted()` when numbers began anew,
 * and `line(state)`: `loading`, `live`, `lost` (nobody answers), `gone` (no such world), `untaped` (no rows of it are
 * kept) or `locked` (the server wants a token that this browser has not).
 */
export class Live {
  #place;
  #on;
  #source;
  #timer;
  #ended = false;
  #wait = AGAIN_MS;
  #last = -1;
  /** When the last row was, by the world's clock. */
  #lastAt;
  #wasGone = false;

  constructor(appKey, on) {
    this.#place = placeOf(appKey);
    this.#on = on;
    this.#on.line('loading');
    this.#begin();
  }

  /** Nothing is told any more. */
  end() {
    this.#ended = true;
    this.#source?.close();
    clearTimeout(this.#timer);
  }

  #row(row) {
    if (row.n <= this.#last) return;
    if (this.#last >= 0 && row.n > this.#last + 1) this.#on.lost(row.n - this.#last - 1);
    this.#last = row.n;
    this.#lastAt = row.at_ms;
    this.#on.row(row);
  }

  #anew() {
    this.#last = -1;
    this.#wasGone = false;
    this.#on.restarted();
  }

  async #catchUp() {
    for (;;) {
      // The last row that came is asked for once more: another in its place is one of another world of that name.
      const after = this.#last >= 1 ? `after=${this.#last - 1}&` : '';
      const page = await get(`${this.#place}/traffic?${after}limit=${PAGE_ROWS}`);
      if (this.#ended) return;
      const again = page.rows.find(({ n }) => n === this.#last);
      if (this.#last >= 0 && (this.#wasGone || page.rows_ever <= this.#last || (again && again.at_ms !== this.#lastAt))) {
        this.#anew();
        continue;
      }
      this.#wasGone = false;
      const before = this.#last;
      for (const row of page.rows) this.#row(row);
      if (this.#last === before || this.#last + 1 >= page.rows_ever) return;
      // The page stays usable between one answer and the next.
      await new Promise((resolve) => { setTimeout(resolve); });
    }
  }

  async #begin() {
    try {
      await this.#catchUp();
    } catch (error) {
      if (this.#ended) return;
      this.#wasGone ||= error.error === 'no_such_world';
      this.#again(STATES[error.error] ?? 'lost');
      return;
    }
    if (this.#ended) return;
    const after = this.#last >= 0 ? `?after=${this.#last}` : '';
    const source = new EventSource(`/_mock${this.#place}/events${after}`);
    this.#source = source;
    source.addEventListener('open', () => {
      this.#wait = AGAIN_MS;
      this.#on.line('live');
    });
    source.addEventListener('row', ({ data }) => this.#row(JSON.parse(data)));
    source.addEventListener('changed', () => this.#on.changed());
    // A stream that ended may have ended with its world: that is asked, and then begun anew.
    source.addEventListener('error', () => this.#restart(source));
  }

  #restart(source) {
    source.close();
    if (this.#ended || source !== this.#source) return;
    this.#again('lost');
  }

  #again(line) {
    this.#source = undefined;
    this.#on.line(line);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, AGAIN_MS_MAX);
  }
}
