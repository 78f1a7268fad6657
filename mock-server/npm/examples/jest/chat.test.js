const { startMockServer } = require('webim-mock-server');

const { Chat } = require('./chat.js');

const list = document.body.appendChild(document.createElement('ul'));
const lastLine = () => list.lastElementChild?.textContent;
/** The next line that is shown. */
const nextLine = () => new Promise((tell) => {
  const observer = new MutationObserver(() => {
    observer.disconnect();
    tell(lastLine());
  });
  observer.observe(list, { childList: true });
});

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
  const shown = nextLine();
  await world.send({ from: 'bob', to: 'alice', text: 'are you there?' });
  expect(await shown).toBe('bob: are you there?');
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

test('a message that is refused says why', async () => {
  const refuses = await world.rule('on next text from alice: answer status 7 "sensitive words"');
  await chat.send('bob', 'you fool');
  expect(lastLine()).toBe('please mind your language');
  expect(await refuses.hits()).toBe(1);
});
