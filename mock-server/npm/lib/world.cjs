//! One world, for a test: each call is one request to the control plane, and what it answers. Times are milliseconds.

'use strict';

const { MockServerError } = require('./error.cjs');

class World {
  #control;
  #path;

  constructor(control, org, app) {
    this.#control = control;
    this.#path = `/_mock/${encodeURIComponent(org)}/${encodeURIComponent(app)}`;
    /** `org#app`. */
    this.appKey = `${org}#${app}`;
    /** What time it is in the world. */
    this.clock = new Clock((method, body) => this.#send(method, '/clock', body));
  }

  /** One command, or several that are done whole or not at all; what has no call of its own is done by this one. */
  async control(commands) {
    return (await this.#send('POST', '/control', commands)).results;
  }

  async user(name, password) {
    await this.control({ user: { name, password } });
  }

  async users(...names) {
    await this.control({ known: { users: names.flat() } });
  }

  async group(id, owner, members = []) {
    await this.control({ group: { id, owner, members } });
  }

  async room(id, owner, members = []) {
    await this.control({ room: { id, owner, members } });
  }

  async token(user, token, { ttlMs }) {
    await this.control({ token: { user, token, ttl_ms: ttlMs } });
  }

  async expireTokens(user, { token, atMs } = {}) {
    await this.control({ expire_tokens: { user, token, at_ms: atMs } });
  }

  async send(message) {
    await this.control({ send: message });
  }

  async kick(user, { device, reason = 'operator' } = {}) {
    await this.control({ kick: { user, device, reason } });
  }

  settings() {
    return this.#send('GET', '/settings');
  }

  async set(settings) {
    await this.control({ settings });
  }

  async rule(text) {
    const [{ rule: id }] = await this.control({ fault: { rule: text } });
    return new Rule(this, id, () => this.#send('DELETE', `/rules/${id}`));
  }

  async rules() {
    return (await this.#send('GET', '/rules')).rules;
  }

  async clearFaults() {
    await this.control({ clear_faults: {} });
  }

  stage(name, user) {
    return this.#send('POST', '/stage', { name: String(name), user });
  }

  wait(wanted) {
    const { withinMs: within_ms, ...rows } = wanted;
    return this.#send('POST', '/wait', within_ms === undefined ? rows : { ...rows, within_ms });
  }

  /** Every row that is kept and asked for, the oldest first. */
  async traffic(rows = {}) {
    const found = [];
    let { after } = rows;
    for (;;) {
      const part = await this.#send('GET', `/traffic${query({ ...rows, after })}`);
      found.push(...part.rows);
      if (part.last === null || part.last + 1 >= part.rows_ever) return found;
      after = part.last;
    }
  }

  async findings() {
    return (await this.#send('GET', '/findings')).findings;
  }

  quiet({ withinMs } = {}) {
    return this.#send('GET', `/quiet${query({ within_ms: withinMs })}`);
  }

  rest({ withinMs } = {}) {
    return this.#send('GET', `/rest${query({ within_ms: withinMs })}`);
  }

  overview() {
    return this.#send('GET', '/overview');
  }

  state() {
    return this.#send('GET', '/state');
  }

  load(state) {
    return this.#send('PUT', '/state', state);
  }

  /** An empty world in the place of this one. */
  begin(world = {}) {
    return this.#send('POST', '/world', world);
  }

  reset() {
    return this.#send('POST', '/reset', {});
  }

  async forget() {
    await this.#send('DELETE', '/world');
  }

  #send(method, path, body) {
    return this.#control.send(method, this.#path + path, body);
  }
}

class Clock {
  #send;

  constructor(send) {
    this.#send = send;
  }

  now() {
    return this.#send('GET');
  }

  /** It stands still where it is. */
  stop() {
    return this.#send('POST', { stop: {} });
  }

  set(ms) {
    return this.#send('POST', { set_ms: typeof ms === 'number' ? ms : ms.getTime() });
  }

  advance(ms) {
    return this.#send('POST', { advance_ms: ms });
  }

  run() {
    return this.#send('POST', { run: {} });
  }
}

class Rule {
  #world;
  #clear;

  constructor(world, id, clear) {
    this.#world = world;
    this.#clear = clear;
    this.id = id;
  }

  async state() {
    const state = (await this.#world.rules()).find(({ id }) => id === this.id);
    if (state) return state;
    throw new MockServerError('rule_gone', `rule ${this.id} is not armed in this world any more: it was cleared, or the world reset`);
  }

  async hits() {
    return (await this.state()).hits;
  }

  async clear() {
    await this.#clear();
  }
}

function query(fields) {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined);
  return there.length === 0 ? '' : `?${there.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
}

module.exports = { World };
