//! What a row says in its lane, from what the server told of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lineOf } from '../line.js';

const up = (kind, payload, rest) => ({ kind, direction: 'up', line: 'the server’s', decoded: { command: 'SYNC', payload, ...rest } });
const down = (kind, payload, rest) => ({ ...up(kind, payload, rest), direction: 'down' });
const meta = (type, content, rest) => ({ ns: 'CHAT', to: { name: 'bob' }, payload: { type, contents: [content], ...rest } });

for (const [told, words] of [
  [up('text', { meta: meta('CHAT', { type: 'TEXT', text: 'hi' }) }), 'text “hi” → bob'],
  [up('text', { meta: meta('CHAT', { type: 'TEXT', text: 'x'.repeat(100) }) }), `text “${'x'.repeat(80)}…” → bob`],
  // What stands behind a text that is read from right to left stays behind it.
  [up('text', { meta: meta('CHAT', { type: 'TEXT', text: 'שלום' }) }), 'text “שלום”\u200e → bob'],
  [up('cmd', { meta: meta('CHAT', { type: 'COMMAND', action: 'wave' }) }), 'cmd “wave” → bob'],
  [up('image', { meta: meta('CHAT', { type: 'IMAGE', displayName: 'a.png' }) }), 'image a.png → bob'],
  [up('recall', { meta: meta('RECALL', {}, { ackMessageId: '1160000000000000003' }) }), 'recall 1160000000000000003 → bob'],
  [up('muc', { meta: { ns: 'MUC', to: { name: 'g1' }, payload: { operation: 'CREATE' } } }), 'muc CREATE → g1'],
  [up('pull', { queue: { name: 'alice' }, isRoam: false }), 'pull alice'],
  [up('ack', { queue: { name: 'alice' }, key: '7' }), 'ack alice key 7'],
  [up('provision', {}, { command: 'PROVISION', guid: { name: 'alice' } }), 'provision alice'],
  [down('provision', { status: { errorCode: 'UNAUTHORIZED', reason: 'no' } }, { command: 'PROVISION' }), 'provision UNAUTHORIZED “no”'],
  [down('notice', { queue: { name: 'bob' } }, { command: 'NOTICE' }), 'notice bob'],
  [down('answer', { status: { errorCode: 'OK' }, metaId: '5', serverId: '9' }), 'answer OK 9'],
  [down('answer', { status: { errorCode: 'PERMISSION_DENIED', reason: 'blocked' }, metaId: '5' }), 'answer PERMISSION_DENIED “blocked”'],
  [down('page', { status: {}, queue: { name: 'bob' }, metas: [meta('CHAT', { type: 'TEXT', text: 'a' }), {}], nextKey: '4' }), 'page bob: text “a” +1'],
  [down('page', { status: {}, queue: { name: 'bob' }, metas: [meta('READ_ACK', {})], isLast: false }), 'page bob: read_ack'],
  [down('page', { status: {}, queue: { name: 'bob' }, isLast: true }), 'page bob: ∅ isLast'],
  [down('unread', { status: { errorCode: 'OK' }, unread: [{ queue: { name: 'bob' }, n: 2 }, { queue: { name: 'g1' } }] }, { command: 'UNREAD' }), 'unread bob 2, g1 0'],
  [down('unread', { status: { errorCode: 'OK' } }, { command: 'UNREAD' }), 'unread OK'],
  [{ kind: 'http', method: 'GET', path: '/x', line: 'GET /x → 200' }, 'GET /x → 200'],
  [{ kind: 'http', method: 'GET', path: '/x', line: '' }, 'GET /x'],
  [{ kind: 'closed', line: '' }, 'closed'],
  // Damaged: what there is may be anything.
  [up('unknown', '0a0b'), 'unknown'],
  [{ kind: 'sync', direction: 'up', line: 'the server’s', decoded: { damaged: 'cut off' } }, 'the server’s'],
  [up('message', { meta: { payload: null } }), 'message'],
  [up('sync', null), 'sync'],
  [down('page', { metas: 'x', queue: 7 }), 'page ∅'],
  [down('unread', { unread: { queue: null } }, { command: 'UNREAD' }), 'unread'],
]) {
  test(words, () => assert.equal(lineOf(told), words));
}
