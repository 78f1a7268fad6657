//! Which entries of a console are errors.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ofConsole, ofException, ofLog } from '../remarks.mjs';

const text = (value) => ({ type: 'string', value });
const log = (level, words, source = 'network') => ({ source, level, text: words, url: 'http://127.0.0.1:1/x' });

for (const [kind, news] of [
  ['remark', ofLog(log('error', 'Failed to load resource: the server responded with a status of 404 (Not Found)'))],
  ['remark', ofLog(log('error', 'Failed to load resource: the server responded with a status of 503 (Service Unavailable)'))],
  ['remark', ofLog(log('error', 'Failed to load resource: net::ERR_CONNECTION_RESET'))],
  ['remark', ofLog(log('error', 'Failed to load resource: net::ERR_INTERNET_DISCONNECTED'))],
  ['remark', ofLog(log('error', "WebSocket connection to 'ws://127.0.0.1:1/' failed: Error in connection establishment: net::ERR_INTERNET_DISCONNECTED"))],
  ['remark', ofLog(log('error', "WebSocket connection to 'ws://127.0.0.1:1/' failed: Error during WebSocket handshake: Unexpected response code: 403"))],
  ['remark', ofLog(log('warning', 'a feature is about to go', 'deprecation'))],
  ['error', ofLog(log('error', 'Failed to load resource: net::ERR_FAILED'))],
  ['error', ofLog(log('error', 'Failed to load resource: net::ERR_NAME_NOT_RESOLVED'))],
  ['error', ofLog(log('error', "WebSocket connection to 'ws://127.0.0.1:1/' failed: A server must not mask any frames that it sends to the client."))],
  ['error', ofLog(log('error', 'Refused to load the script', 'security'))],
  // The same words from the page itself are not the browser's.
  ['error', ofLog(log('error', 'Failed to load resource: net::ERR_CONNECTION_RESET', 'other'))],
  ['error', ofConsole({ type: 'error', args: [text('something'), { type: 'number', value: 4, description: '4' }] })],
  ['error', ofConsole({ type: 'assert', args: [text('not so')] })],
  ['remark', ofConsole({ type: 'warning', args: [text('mind this')] })],
  ['claim', ofConsole({ type: 'error', args: [text('7:3:2:14 IM SDK [error]: '), text('login failed')] })],
  ['error', ofConsole({ type: 'error', args: [text('IM SDK [error]: without a time')] })],
  ['error', ofException({ text: 'Uncaught', exception: { type: 'object', description: 'TypeError: no\n    at x' } })],
]) {
  test(`${kind}: ${Object.values(news)[0].slice(0, 100)}`, () => assert.deepEqual(Object.keys(news), [kind]));
}

test('an error is told as it is shown', () => {
  assert.deepEqual(ofConsole({ type: 'error', args: [text('a'), { type: 'object', description: 'Object', preview: { description: 'Object', properties: [{ name: 'b', value: '1' }], overflow: true } }] }), {
    error: 'console.error: a Object {b: 1, …}',
  });
  assert.deepEqual(ofException({ text: 'Uncaught (in promise)', exception: { type: 'string', value: 'nobody listens' } }), {
    error: 'uncaught: nobody listens',
  });
  assert.deepEqual(ofException({ text: 'Uncaught', exception: { type: 'object', description: 'TypeError: no\n    at x' } }), {
    error: 'uncaught: TypeError: no',
  });
});
