//! The lines of `conformance/DRIVER.md`: reads requests, writes hello, answers and events. It knows their
//! envelope and never what a command means.

/** The harness's limit for one line, either way, in bytes without the newline. */
export const LINE_MAX_BYTES = 1024 * 1024;

/**
 * @typedef {object} Request
 * @property {number} id
 * @property {string | undefined} user the device, absent for commands of the process
 * @property {string} name the command
 * @property {object} body its arguments
 */

/** A line that cannot be answered because it names no request: the conversation is over. */
export class LineError extends Error {}

/**
 * The requests of a stream, until it ends.
 * @param {AsyncIterable<Buffer>} stream
 * @returns {AsyncGenerator<Request>}
 * @throws {LineError}
 */
export async function* readRequests(stream) {
  let held = [];
  let heldBytes = 0;
  for await (const chunk of stream) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...held, chunk.subarray(from, at)]);
      held = [];
      heldBytes = 0;
      from = at + 1;
      checkLength(line.length);
      const text = line.toString('utf8').trim();
      if (text !== '') yield parseRequest(text);
    }
    held.push(chunk.subarray(from));
    heldBytes += chunk.length - from;
    checkLength(heldBytes);
  }
  if (heldBytes > 0) throw new LineError(`input ended within a line of ${heldBytes} bytes`);
}

/** Writes one line to stdout. On POSIX a pipe is written before this returns, elsewhere in order. */
export function writeLine(message) {
  const text = JSON.stringify(message);
  const bytes = Buffer.byteLength(text);
  if (bytes <= LINE_MAX_BYTES) {
    process.stdout.write(`${text}\n`);
    return;
  }
  const what = message.event ? `the event ${Object.keys(message.event).join()}` : `the answer to ${message.id}`;
  const note = `${what} would take ${bytes} bytes, over the line limit of ${LINE_MAX_BYTES}`;
  writeLine(
    message.event
      ? { user: message.user, event: { error: { type: null, message: note } } }
      : { id: message.id, error: note },
  );
}

function checkLength(bytes) {
  if (bytes > LINE_MAX_BYTES) throw new LineError(`a line is longer than ${LINE_MAX_BYTES} bytes`);
}

/** @returns {Request} */
function parseRequest(text) {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  let line;
  try {
    line = JSON.parse(text);
  } catch (error) {
    throw new LineError(`not JSON (${error.message}): ${shown}`);
  }
  const { id, user, command } = line ?? {};
  if (!Number.isSafeInteger(id)) throw new LineError(`a request needs an "id", a whole number: ${shown}`);
  if (user !== undefined && typeof user !== 'string') throw new LineError(`"user" must be a string: ${shown}`);
  const names = isObject(command) ? Object.keys(command) : [];
  if (names.length !== 1) throw new LineError(`"command" must be an object with one key, the command's name: ${shown}`);
  const [name] = names;
  if (!isObject(command[name])) throw new LineError(`the arguments of ${name} must be an object: ${shown}`);
  return { id, user, name, body: command[name] };
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
