//! One device's realm, with a few lines of script in the place of an SDK: what it shares with others (nothing),
//! what becomes of what it throws, and where its requests may go.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { device } from './page.mjs';

test('each device has a realm of its own, in which the bundle ran once', () => {
  const look = `() => {
    Array.prototype.mark = (Array.prototype.mark ?? 0) + 1;
    globalThis.seen = (globalThis.seen ?? 0) + 1;
    return { loaded, seen, mark: [].mark, isGlobal: window === globalThis, outside: typeof process + typeof require };
  }`;
  const expected = { ok: { loaded: 1, seen: 1, mark: 1, isGlobal: true, outside: 'undefinedundefined' } };
  assert.deepEqual(device(look).made.run('page', {}), expected);
  assert.deepEqual(device(look).made.run('page', {}), expected);
  assert.equal([].mark, undefined);
});

test('arguments reach the page as objects of its own realm', () => {
  const { made } = device('(body) => ({ array: body.list instanceof Array, object: body instanceof Object })');
  assert.deepEqual(made.run('page', { list: [1] }), { ok: { array: true, object: true } });
});

for (const [name, page, message] of [
  ['a timer', '() => void setTimeout(() => { throw new TypeError("late") }, 0)', 'uncaught: TypeError: late'],
  ['a timer, something that is no error', '() => void setTimeout(() => { throw { type: 3 } }, 0)', 'uncaught: {"type":3}'],
  ['a timer without a function', '() => void setTimeout("alert()", 0)', 'uncaught: TypeError: callback is not a function'],
  [
    'a handler of a request',
    '() => { const xhr = new XMLHttpRequest(); xhr.onreadystatechange = () => { throw new Error("in open") }; xhr.open("GET", "http://127.0.0.1:9/") }',
    'uncaught: Error: in open',
  ],
]) {
  test(`what a page throws from ${name} is told as its error`, async () => {
    const { made, activity, events } = device(page);
    made.run('page', {});
    await activity.settled();
    assert.deepEqual(events, [{ error: { type: null, message } }]);
    await made.drop();
  });
}

for (const [name, page, where] of [
  [
    'a request',
    `(body, tell) => {
      const xhr = new XMLHttpRequest();
      xhr.onerror = () => tell('failed', { status: xhr.status, state: xhr.readyState });
      xhr.open('GET', 'https://example.test/list');
      xhr.send();
    }`,
    'https://example.test/list',
  ],
  [
    'a WebSocket',
    `(body, tell) => {
      const ws = new WebSocket('ws://example.test/ws');
      ws.onclose = (event) => tell('failed', { status: event.code, state: ws.readyState });
    }`,
    'ws://example.test/ws',
  ],
]) {
  test(`${name} to another host is not made, and is told as an error of the client`, async () => {
    const { made, activity, events } = device(page);
    made.run('page', {});
    await activity.settled();
    assert.equal(events.length, 2);
    assert.deepEqual(events[0], {
      error: { type: null, message: `uncaught: Error: the client asked for ${where}, which is not on 127.0.0.1` },
    });
    assert.ok('failed' in events[1]);
    await made.drop();
  });
}

test('a request sends what a page would, and gives the answer as text', async () => {
  let seen;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen = { method: request.method, url: request.url, headers: request.headers, body };
    response.writeHead(403, { 'content-type': 'application/json', 'x-more': '1' });
    // A character in two pieces: decoding each by itself would break it.
    response.write(Buffer.from([0xe5, 0xa4]));
    setImmediate(() => response.end(Buffer.from([0xa9])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const told = deferred();
  const { made } = device(
    `({ url }, tell) => {
      const states = [];
      const xhr = new XMLHttpRequest();
      xhr.withCredentials = true;
      xhr.onreadystatechange = () => states.push(xhr.readyState);
      xhr.addEventListener('load', () => tell('load', { states, status: xhr.status, text: xhr.responseText, more: xhr.getResponseHeader('X-More'), from: xhr.responseURL }));
      xhr.open('POST', url, true);
      xhr.setRequestHeader('Authorization', 'Bearer t');
      xhr.send('{"a":"ü"}');
    }`,
    { events: { push: told.resolve } },
  );
  const url = `http://127.0.0.1:${server.address().port}/a?b=c`;
  made.run('page', { url: `${url}#here` });
  const { load } = await told.promise;
  assert.deepEqual([load.status, load.text, load.more, load.from], [403, '天', '1', url]);
  assert.deepEqual([...new Set(load.states)], [1, 2, 3, 4]);
  assert.deepEqual([seen.method, seen.url, seen.body], ['POST', '/a?b=c', '{"a":"ü"}']);
  assert.equal(seen.headers.authorization, 'Bearer t');
  assert.equal(seen.headers['content-type'], 'text/plain;charset=UTF-8');
  assert.equal(seen.headers['accept-encoding'], undefined);
  await made.drop();
  server.close();
});

test('a request that the server cuts off fails once, with nothing of the answer', async () => {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('half', () => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const told = deferred();
  const { made } = device(
    `({ url }, tell) => {
      const xhr = new XMLHttpRequest();
      const types = [];
      for (const type of ['load', 'error', 'abort', 'timeout']) xhr.addEventListener(type, () => types.push(type));
      xhr.addEventListener('loadend', () => tell('end', { types, status: xhr.status, text: xhr.responseText, state: xhr.readyState }));
      xhr.open('GET', url);
      xhr.send();
    }`,
    { events: { push: told.resolve } },
  );
  made.run('page', { url: `http://127.0.0.1:${server.address().port}/` });
  assert.deepEqual(await told.promise, { end: { types: ['error'], status: 0, text: '', state: 4 } });
  await made.drop();
  server.close();
});

test('of a dropped device no code is called and nothing is told', async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { made, activity, events } = device(`({ url }, tell) => {
    globalThis.called = globalThis.called ?? 0;
    if (!url) return { called };
    const xhr = new XMLHttpRequest();
    xhr.open('GET', url);
    xhr.onreadystatechange = xhr.onerror = xhr.onloadend = () => { called += 1 };
    xhr.send();
    setTimeout(() => { called += 1 }, 0);
    setInterval(() => { called += 1 }, 1);
    (async () => {
      for (let turns = 0; turns < 10; turns += 1) await null;
      tell('late', {});
      throw new Error('late');
    })().catch((error) => tell('error', { message: error.message }));
  }`);
  made.run('page', { url: `http://127.0.0.1:${server.address().port}/` });
  await made.drop();
  await activity.settled();
  assert.deepEqual(made.run('page', {}), { ok: { called: 0 } });
  assert.deepEqual(events, []);
  server.close();
});

function deferred() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}

test('localStorage keeps texts, by method and by name, for its page alone', () => {
  const look = `() => {
    const before = localStorage.getItem('name');
    localStorage.setItem('name', { toString: () => 'value' });
    localStorage.other = 7;
    const held = [before, localStorage.name, localStorage.length, localStorage.getItem('other'), localStorage.other, localStorage.absent];
    localStorage.removeItem('name');
    return { held, after: [localStorage.getItem('name'), localStorage.length] };
  }`;
  const expected = { ok: { held: [null, 'value', 2, '7', '7', null], after: [null, 1] } };
  assert.deepEqual(device(look).made.run('page', {}), expected);
  assert.deepEqual(device(look).made.run('page', {}), expected);
});

test('localStorage is full at some time', () => {
  const look = `() => {
    const half = 'x'.repeat(3 * 1024 * 1024);
    localStorage.setItem('a', half);
    localStorage.setItem('a', half);
    try { localStorage.setItem('b', half) } catch (error) { return { message: error.message, length: localStorage.length } }
  }`;
  assert.deepEqual(device(look).made.run('page', {}).ok, { message: 'QuotaExceededError: localStorage is full', length: 1 });
});

for (const [method, result] of [['readAsText', 'héé'], ['readAsDataURL', 'data:text/plain;base64,aMOpw6k='], ['readAsArrayBuffer', 5]]) {
  test(`a FileReader tells by events what ${method} gives`, async () => {
    const look = `(body, tell) => {
      const reader = new FileReader();
      reader.addEventListener('load', () => tell('load', {}));
      reader.onloadend = ({ target }) => tell('end', { state: target.readyState, result: target.result.byteLength ?? target.result });
      reader.${method}(new Blob(['héé'], { type: 'text/plain' }));
      return { state: reader.readyState, result: reader.result };
    }`;
    const { made, activity, events } = device(look);
    assert.deepEqual(made.run('page', {}), { ok: { state: 1, result: null } });
    await activity.settled();
    assert.deepEqual(events, [{ load: {} }, { end: { state: 2, result } }]);
  });
}
