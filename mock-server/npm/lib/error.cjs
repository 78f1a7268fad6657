//! What goes wrong, in the server's own words.

'use strict';

/** Why a call was refused, or why there is no server. */
class MockServerError extends Error {
  /**
   * @param {string} code a word for programs, such as `refused`, `not_in_time`, `no_binary`
   * @param {string} message for the person who reads a failed test
   * @param {{status?: number, body?: unknown, cause?: unknown}} [more]
   */
  constructor(code, message, { status, body, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MockServerError';
    this.code = code;
    /** The HTTP status, where a server has answered. */
    this.status = status;
    /** The whole answer: of `not_in_time`, for one, `rows` and `near`. */
    this.body = body;
  }
}

module.exports = { MockServerError };
