//! What a page's console holds: which entries are errors that no page of a working client has, and the few that are the
//! browser's own remarks about what a server did. Every other entry goes to stderr. It decides by the text alone.

/**
 * The browser remarks each answer of 400 and above, and each connection that a server cut, on its own account, whoever
 * handles it; an app cannot prevent that. That is what scenarios stage: refusals by status, resets, closed sockets, a host
 * without network. A request that Chromium itself keeps back (CORS, mixed content, a blocked port) is not among them.
 */
const OF_THE_SERVER = [
  /^Failed to load resource: the server responded with a status of [45]\d\d\b/,
  /^Failed to load resource: net::ERR_(CONNECTION_RESET|CONNECTION_CLOSED|EMPTY_RESPONSE|INTERNET_DISCONNECTED)$/,
  /^WebSocket connection to '[^']*' failed: Error during WebSocket handshake: Unexpected response code: [45]\d\d$/,
  /^WebSocket connection to '[^']*' failed: (Error in connection establishment: )?net::ERR_(CONNECTION_RESET|CONNECTION_CLOSED|INTERNET_DISCONNECTED)$/,
  /^WebSocket connection to '[^']*' failed: Connection closed before receiving a handshake response$/,
  /^WebSocket connection to '[^']*' failed: (Invalid frame header|Close received after close)$/,
];

/**
 * An entry of the browser's own log.
 * @param {{source: string, level: string, text: string, url?: string}} entry as CDP's `Log.entryAdded` has it
 * @returns {{error: string} | {remark: string}}
 */
export function ofLog({ source, level, text, url }) {
  const whole = url ? `${text} (${url})` : text;
  const expected = source === 'network' && OF_THE_SERVER.some((pattern) => pattern.test(text));
  return level === 'error' && !expected ? { error: `the browser's log: ${whole}` } : { remark: `${level}: ${whole}` };
}

/** How 4.21.1 begins the lines of its own log. */
const SDK_LOG = /^\d+:\d+:\d+:\d+ IM SDK \[error\]/;

/**
 * A call of `console`. 4.21.1 logs as an error each refusal that it also tells the app in its own way, at once or after
 * the last of its tries; such a line is one only where the app is never told of a failure, which is the device's to know:
 * it is a claim.
 * @param {{type: string, args: object[]}} call as CDP's `Runtime.consoleAPICalled` has it
 * @returns {{error: string} | {claim: string} | {remark: string}}
 */
export function ofConsole({ type, args }) {
  const text = `console.${type}: ${args.map(shown).join(' ')}`;
  if (type !== 'error' && type !== 'assert') return { remark: text };
  return SDK_LOG.test(args[0]?.value) ? { claim: text } : { error: text };
}

/**
 * What nothing caught, a promise's rejection among it.
 * @param {{text: string, exception?: object}} details as CDP's `Runtime.exceptionThrown` has it
 * @returns {{error: string}}
 */
export function ofException({ text, exception }) {
  return { error: `uncaught: ${exception ? shown(exception).split('\n')[0] : text}` };
}

/** A value as CDP describes it. */
function shown({ type, value, description, preview, unserializableValue }) {
  if (type === 'string') return value;
  if (preview && !description?.includes('\n')) return properties(preview);
  return String(description ?? unserializableValue ?? JSON.stringify(value) ?? type);
}

function properties({ description, properties: list, overflow }) {
  const parts = list.map(({ name, value }) => `${name}: ${value}`);
  return `${description} {${[...parts, ...(overflow ? ['…'] : [])].join(', ')}}`;
}
