import { expect, test } from '@playwright/test';
import { startMockServer } from 'webim-mock-server';

import { startSite } from './site.js';

let site;
let server;
let world;

test.beforeAll(async () => {
  [site, server] = await Promise.all([startSite(), startMockServer()]);
  world = server.world('org#app');
});
test.afterAll(async () => {
  site.close();
  await server.stop();
});
test.beforeEach(async ({ page }) => {
  // An empty world for each test.
  await world.begin();
  await world.users('alice', 'bob');
  const { url, apiUrl } = server.sdkOptions(4);
  await page.goto(`${site.url}?${new URLSearchParams({ appKey: 'org#app', url, apiUrl, user: 'alice', peer: 'bob' })}`);
  await expect(page.getByRole('listitem')).toHaveText(['connected']);
});

test('what others write is shown', async ({ page }) => {
  await world.send({ from: 'bob', to: 'alice', text: 'are you there?' });
  await expect(page.getByRole('listitem').last()).toHaveText('bob: are you there?');
});

test('a recall that is refused says why', async ({ page }) => {
  await send(page, 'hello');
  await world.stage(504, 'alice');
  await page.getByRole('button', { name: 'Recall' }).click();
  await expect(page.getByRole('listitem').last()).toHaveText('too late to recall this');
});

test('two minutes later a message cannot be recalled', async ({ page }) => {
  await send(page, 'hello again');
  await world.clock.advance(121_000);
  await page.getByRole('button', { name: 'Recall' }).click();
  await expect(page.getByRole('listitem').last()).toHaveText('too late to recall this');
});

async function send(page, text) {
  await page.locator('#text').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('listitem').last()).toHaveText(`me: ${text}`);
}
