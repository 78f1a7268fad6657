//! A device that is no SDK: a login and a heartbeat, in as much of the protocol as these take, so that a test has hundreds.

import { loadPackage } from '../../../conformance/shims/node/sdk.mjs';

// As much of protobuf as a login and a heartbeat take.
const varint = (number) => (number < 128 ? [number] : [(number & 127) | 128, ...varint(number >> 7)]);
const field = (number, bytes) => [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes];
const text = (number, value) => field(number, [...Buffer.from(value)]);
const number = (at, value) => [...varint(at << 3), ...varint(value)];
const HEARTBEAT = Buffer.from([...number(1, 0), ...number(8, 1), ...field(9, [])]);
const login = (appKey, user, token) => Buffer.from([...number(1, 0), ...field(2, [...text(1, appKey), ...text(2, user), ...text(3, 'easemob.com'), ...text(4, 'device')]), ...text(3, `$t$${token}`), ...number(8, 3), ...field(9, [...number(1, 16), ...text(2, '4.21.1')])]);

/**
 * A device that is logged in, and beats its heart when it is asked: two rows each time. `path`: a world's own.
 * @param {string} rest the server's address
 */
export const device = async (rest, appKey, user, path = '') => {
  const response = await fetch(`${rest}${path}/${appKey.split('#').map(encodeURIComponent).join('/')}/token`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ grant_type: 'password', username: user, password: 'pw' }) });
  const { access_token: token } = await response.json();
  const { WebSocket } = loadPackage('ws');
  const socket = new WebSocket(`${rest.replace('http', 'ws')}${path}/websocket`);
  let answers = 0;
  let wanted;
  socket.on('message', () => {
    answers += 1;
    if (wanted && answers >= wanted.count) wanted.resolve();
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const heard = (count) => new Promise((resolve) => {
    wanted = { count, resolve };
    if (answers >= count) resolve();
  });
  socket.send(login(appKey, user, token));
  await heard(1);
  return {
    beat: async (times) => {
      const before = answers;
      // As many at a time as a client may have open.
      for (let at = 0; at < times; at += 100) {
        for (let one = at; one < Math.min(at + 100, times); one += 1) socket.send(HEARTBEAT);
        await heard(before + Math.min(at + 100, times));
      }
    },
    close: () => socket.terminate(),
  };
};
