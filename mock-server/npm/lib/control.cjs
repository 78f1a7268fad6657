//! The control plane over HTTP. By node's own client: a test's environment may replace `fetch`, or have none.

'use strict';

const { Agent, request } = require('node:http');
const { URL } = require('node:url');

const { MockServerError } = require('./error.cjs');

class Control {
  #url;
  #agent = new Agent({ keepAlive: true });

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  get(path) {
    return this.send('GET', path);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body] as JSON
   * @throws {MockServerError} with the server's words
   */
  async send(method, path, body) {
    const { status, text } = await this.#ask(method, path, body === undefined ? undefined : JSON.stringify(body));
    const answer = parsed(text);
    if (status === 200 && answer !== undefined) return answer;
    const { error, error_description: words } = answer ?? {};
    if (typeof error !== 'string' || typeof words !== 'string') {
      throw new MockServerError('not_ours', `${method} ${path}: HTTP ${status}, and not in the words of a mock-server`, { status });
    }
    throw new MockServerError(error, words + nearMisses(answer), { status, body: answer });
  }

  close() {
    this.#agent.destroy();
  }

  #ask(method, path, body) {
    return new Promise((tell, refuse) => {
      const broken = (cause) => {
        refuse(new MockServerError('unreachable', `${method} ${this.#url}${path}: ${cause.message}; has the server been stopped?`, { cause }));
      };
      const headers = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
      const asked = request(new URL(path, this.#url), { method, headers, agent: this.#agent }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part) => (text += part));
        answer.on('end', () => tell({ status: answer.statusCode, text }));
        answer.on('error', broken);
      });
      asked.on('error', broken);
      asked.end(body);
    });
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What came nearest to what was waited for. */
function nearMisses({ near }) {
  if (!Array.isArray(near)) return '';
  return near.map(({ row, why }) => `\n  near: row ${row.n}, ${row.line}\n        but ${why}`).join('');
}

module.exports = { Control };
