// The HAR of a running server, opened by something that reads HARs: Chromium is given it in place of the network.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { startMockServer } from '../../../conformance/shims/node/mock-server.mjs';
import { findChromium, startChromium } from '../../../conformance/shims/chromium/launch.mjs';

test('a browser is answered from the HAR as the server answered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'har-'));
  const server = await startMockServer();
  const browser = await startChromium(findChromium());
  try {
    const world = `${server.rest}/org/app`;
    const grant = JSON.stringify({ grant_type: 'password', username: 'alice', password: 'pw' });
    const { access_token: token } = await (await fetch(`${world}/token`, { method: 'POST', body: grant })).json();
    const asked = `${world}/publicchatgroups?limit=2`;
    const then = await (await fetch(asked, { headers: { Authorization: `Bearer ${token}` } })).text();
    const har = join(folder, 'org-app.har');
    writeFileSync(har, await (await fetch(`${server.rest}/_mock/org/app/har`)).text());
    server.stop();
    const context = await browser.newContext();
    await context.routeFromHAR(har, { notFound: 'abort' });
    const page = await context.newPage();
    const answer = await page.goto(asked);
    assert.equal(answer.status(), 200);
    assert.equal(await answer.text(), then);
    await assert.rejects(page.goto(`${world}/never-asked`), 'what is not in it is not answered');
  } finally {
    await browser.close();
    server.stop();
    rmSync(folder, { recursive: true });
  }
});
