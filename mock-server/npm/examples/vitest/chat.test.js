import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startMockServer } from 'webim-mock-server';

import { Chat } from './chat.js';

const list = document.body.appendChild(document.createElement('ul'));
const lastLine = () => list.lastElementChild?.textContent;

let server;
let world;
let chat;

beforeAll(async () => {
  server = await startMockServer();
  world = server.world('org#app');
  await world.users('alice', 'bob');
  chat = new Chat({ appKey: 'org#app', ...server.sdkOptions(4) }, list);
  await chat.login('alice', 'any password');
});
afterAll(async () => {
  chat.close();
  await server.stop();
});
beforeEach(() => world.clearFaults());

test('what others write is shown', async () => {
  await world.send({ from: 'bob', to: 'alice', text: 'are you there?' });
  await expect.poll(lastLine).toBe('bob: are you there?');
});

test('a recall that is refused says why', async () => {
  const message = await chat.send('bob', 'hello');
  await world.stage(504, 'alice');
  await chat.recall('bob', message);
  expect(lastLine()).toBe('too late to recall this');
});

test('two minutes later a message cannot be recalled', async () => {
  const message = await chat.send('bob', 'hello again');
  await world.clock.advance(121_000);
  await chat.recall('bob', message);
  expect(lastLine()).toBe('too late to recall this');
});
