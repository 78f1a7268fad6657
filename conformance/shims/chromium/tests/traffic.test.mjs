//! What of a page's traffic is still under way, told in whatever order Chromium's processes are heard; without a browser.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';

import { Traffic } from '../traffic.mjs';

const ASKED = { requestId: '1', request: { url: 'http://127.0.0.1:1/open' } };
const ANSWERED = { requestId: '1' };

/** A tab's traffic, its events as Chromium tells them, and its clock. */
function traffic() {
  const cdp = new EventEmitter();
  const clock = { ms: 0 };
  const blocked = (text) => assert.fail(text);
  const tab = new Traffic(cdp, 'http://127.0.0.1:2', blocked, () => clock.ms);
  return { tab, clock, hear: (name, event) => cdp.emit(`Network.${name}`, event) };
}

function asked() {
  const all = traffic();
  all.hear('requestWillBeSent', ASKED);
  assert.ok(all.tab.underWay, 'it has not left');
  all.hear('requestWillBeSentExtraInfo', ANSWERED);
  assert.ok(!all.tab.underWay, 'what the server has yet to say is not waited for');
  return all;
}

test('a response whose head has come is waited for until the page has its end', () => {
  const { tab, hear } = asked();
  hear('responseReceivedExtraInfo', ANSWERED);
  assert.ok(tab.underWay);
  hear('responseReceived', ANSWERED);
  assert.ok(tab.underWay);
  hear('loadingFinished', ANSWERED);
  assert.ok(!tab.underWay);
});

test('a head that is heard behind the end is not waited for', () => {
  const { tab, hear } = asked();
  hear('loadingFinished', ANSWERED);
  hear('responseReceivedExtraInfo', ANSWERED);
  assert.ok(!tab.underWay);
});

test('a response that fails has ended', () => {
  const { tab, hear } = asked();
  hear('responseReceivedExtraInfo', ANSWERED);
  hear('loadingFailed', { ...ANSWERED, errorText: 'net::ERR_CONNECTION_RESET' });
  assert.ok(!tab.underWay);
});

test('one that its server leaves open is waited for no longer than a second', () => {
  const { tab, clock, hear } = asked();
  hear('responseReceivedExtraInfo', ANSWERED);
  clock.ms = 999;
  assert.ok(tab.underWay);
  clock.ms = 1_000;
  assert.ok(!tab.underWay);
});
