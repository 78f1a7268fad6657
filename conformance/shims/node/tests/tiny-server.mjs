//! A loopback server for the tests of the shim, over SockJS and a plain WebSocket: lets anyone log in by a token
//! `token-<user>`, answers sends and pushes frames on demand. It knows what these tests need and nothing of what a real service would refuse.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { sdkRoot } from '../sdk.mjs';
import { Fields, encode } from './protobuf.mjs';

const { WebSocketServer } = createRequire(join(sdkRoot(), 'package.json'))('ws');

const SYNC = 0;
const UNREAD = 1;
const PROVISION = 3;
const NS_CHAT = 1;
const NS_ROSTER = 3;
/** Above 2^53: a client that loses precision shows it. */
const FIRST_SERVER_ID = 1_160_000_000_000_000_001n;
const SOCKJS_INFO = JSON.stringify({ websocket: true, origins: ['*:*'], cookie_needed: false, entropy: 1 });

export class TinyServer {
  #http;
  #port = 0;
  #nextId = FIRST_SERVER_ID;
  #sockets = new Set();
  /** user → WebSocket */
  #online = new Map();
  #waiting = [];

  /** What the next send is answered with: `{code, reason}`. */
  status = { code: 0, reason: '' };
  /** The body of GET …/blocks/users. */
  blocks = JSON.stringify({ data: [] });
  /** Each as `{from, operation, to}`. */
  rosterOperations = [];
  /** Method and path of each HTTP request. */
  requests = [];
  /** Each HTTP request but SockJS': `{line, headers, body}`, the line with its query, the body as it came. */
  seen = [];
  /** Method and path → `{status, type, body}`: answers of a test's own. */
  #answers = new Map();
  /** What each login said of its device. @type {Fields[]} */
  provisions = [];
  /** Each meta that a client sent. @type {Fields[]} */
  metas = [];
  /** Whose heartbeat, or UNREAD after a login, came, in order. */
  heartbeats = [];
  #taken = [];

  static async start() {
    const server = new TinyServer();
    await server.#listen();
    return server;
  }

  /** The arguments of `create` for a user. */
  settings(username, more = {}) {
    const rest = `http://127.0.0.1:${this.#port}`;
    return {
      app_key: 'org#app',
      username,
      device: 'web',
      rest,
      sockjs: `${rest}/ws`,
      websocket: `ws://127.0.0.1:${this.#port}/websocket`,
      reconnects: 0,
      delivery: false,
      ...more,
    };
  }

  /**
   * Answers requests of that method and path; a body that is no string or bytes goes out as JSON. A function is given
   * the query and gives the body.
   */
  answer(line, body, { status = 200, type = 'application/json' } = {}) {
    const raw = (value) => (typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value));
    this.#answers.set(line, { status, type, body: (query) => raw(typeof body === 'function' ? body(query) : body) });
  }

  /** Resolves when a request of that method and path was made. */
  asked(line) {
    const whole = line.replace(' /', ' /org/app/');
    return this.took(() => this.requests.includes(whole));
  }

  /** Resolves when something that a client sent has made it so. */
  async took(isSo) {
    while (!isSo()) await new Promise((resolve) => this.#taken.push(resolve));
  }

  /** A page of history, as the service answers it. @param {{id: bigint, from: string, body: object[]}[]} messages */
  page(messages) {
    return messages.map(({ id, from, body }) => ({
      msg: encode([[1, id], [2, [[2, from], [3, 'easemob.com']]], [4, 1_640_908_800_000], [5, NS_CHAT], [6, body]]).toString('base64'),
    }));
  }

  /** Where a path of the app lies. */
  url(path) {
    return `http://127.0.0.1:${this.#port}/org/app${path}`;
  }

  /** Delivers a body, given by its fields, as a meta of its own. @returns {string} its id */
  pushBody(user, from, body, namespace = NS_CHAT) {
    return this.#deliver(user, from, encode(body), namespace);
  }

  /** Delivers a text to a user who is online, as a page of its own. */
  pushText(user, { from, text, ext = [] }) {
    const contents = [[1, 0], [2, text]];
    const body = [[1, 1], [2, [[2, from]]], [3, [[2, user]]], [4, contents], ...ext.map((pair) => [5, pair])];
    return this.#deliver(user, from, encode(body));
  }

  /** Sends a roster operation to a user, as the service does after a change. */
  pushRoster(user, operation) {
    const body = encode([[1, operation], [3, [[2, user]]], [4, [[2, user]]]]);
    return this.#deliver(user, user, body, NS_ROSTER);
  }

  /** Cuts a user's socket without a close frame. */
  cut(user) {
    this.#online.get(user).terminate();
  }

  /** TCP connections that are open. */
  get open() {
    return this.#sockets.size;
  }

  /** Resolves when no connection is open any more. */
  async empty() {
    while (this.#sockets.size > 0) await new Promise((resolve) => this.#waiting.push(resolve));
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #listen() {
    this.#http = createServer((request, response) => this.#answer(request, response));
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        for (const resolve of this.#waiting.splice(0)) resolve();
      });
    });
    const webSockets = new WebSocketServer({ server: this.#http, perMessageDeflate: false });
    webSockets.on('connection', (ws, { url }) => {
      ws.isPlain = url === '/websocket';
      ws.on('error', () => {});
      if (!ws.isPlain) ws.send('o');
      ws.on('message', (data) => {
        if (ws.isPlain) return this.#handle(ws, new Fields(data));
        for (const text of JSON.parse(data.toString())) this.#handle(ws, new Fields(Buffer.from(text, 'base64')));
      });
    });
    await new Promise((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    this.#port = this.#http.address().port;
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const path = request.url.split('?')[0];
    this.requests.push(`${request.method} ${path}`);
    if (!path.startsWith('/ws/')) this.seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    for (const resolve of this.#taken.splice(0)) resolve();
    const staged = this.#answers.get(`${request.method} ${path.replace('/org/app', '')}`);
    if (staged) {
      response.writeHead(staged.status, { 'content-type': staged.type });
      response.end(staged.body(new URLSearchParams(request.url.split('?')[1])));
      return;
    }
    const json = (status, text) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(text);
    };
    if (path === '/ws/info') json(200, SOCKJS_INFO);
    else if (path.endsWith('/blocks/users')) json(200, this.blocks);
    else if (path.endsWith('/token')) {
      const { username, password } = JSON.parse(body);
      if (password === `pw-${username}`) json(200, JSON.stringify({ access_token: `token-${username}` }));
      else json(400, '{"error":"invalid_grant","error_description":"invalid password"}');
    } else if (path.endsWith('/chatgroups')) json(200, '{"data":{"groupid":"7001"}}');
    else if (path.endsWith('/chatrooms')) json(200, '{"data":{"id":"8001"}}');
    else json(404, '{"error":"service_resource_not_found","error_description":"Service resource not found"}');
  }

  #handle(ws, msync) {
    const command = msync.number(8);
    const payload = msync.message(9);
    if (command === PROVISION) {
      const user = msync.message(2).text(2);
      this.#online.set(user, ws);
      ws.user = user;
      this.provisions.push(payload);
      for (const resolve of this.#taken.splice(0)) resolve();
      send(ws, PROVISION, [[8, [[1, 0]]], [13, payload.text(13)]]);
    } else if (command === UNREAD) {
      this.heartbeats.push(ws.user);
      for (const resolve of this.#taken.splice(0)) resolve();
      send(ws, UNREAD, [[1, [[1, 0]]]]);
    } else if (command === SYNC && payload.has(1)) {
      this.#take(ws, payload.message(1));
    }
  }

  #take(ws, meta) {
    const namespace = meta.number(5);
    const body = meta.message(6);
    this.metas.push(meta);
    for (const resolve of this.#taken.splice(0)) resolve();
    if (namespace === NS_ROSTER) {
      const to = body.all(4).map((jid) => new Fields(jid).text(2));
      this.rosterOperations.push({ from: ws.user, operation: body.number(1), to });
    }
    if (namespace !== NS_CHAT) return;
    const { code, reason } = this.status;
    const serverId = this.#nextId++;
    send(ws, SYNC, [[1, [[1, code], [2, reason]]], [2, meta.all(1)[0]], [3, serverId]]);
    if (code === 0) this.#deliver(meta.message(3).text(2), ws.user, meta.bytes(6), NS_CHAT, serverId);
  }

  /** @returns {string} the server's id */
  #deliver(user, from, payload, namespace = NS_CHAT, id = this.#nextId++) {
    const meta = [[1, id], [2, [[2, from], [3, 'easemob.com']]], [4, 1_640_908_800_000], [5, namespace], [6, payload]];
    const ws = this.#online.get(user);
    if (ws) send(ws, SYNC, [[1, [[1, 0]]], [4, meta], [6, [[2, from]]], [7, 1]]);
    return String(id);
  }
}

function send(ws, command, payload) {
  const frame = encode([[1, 0], [8, command], [9, payload]]);
  ws.send(ws.isPlain ? frame : `a${JSON.stringify([frame.toString('base64')])}`);
}
