#!/usr/bin/env node
//! The example code of the vendor's page on messages for the 3.x Web SDK in a page of Chromium, on the unmodified 3.6.3
//! against the mock server: `node seed.mjs [MOCK_SERVER]`. The examples and their story are those of the shim in Node; what
//! that leaves for a browser happens here: files are chosen in inputs, a picture is pasted by the keyboard, the network
//! goes and comes, pictures are drawn and sounds and films are loaded from their object URLs.
//!
//! MOCK_SERVER as for the other. Exit codes: 0 all that should fire did; 1 something did not, or what came was not what was
//! sent, or the page's console held an error; 3 the SDK, Chromium or the server is not there.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { NoChromium, findChromium, startChromium } from './launch.mjs';
import { startSite } from './site.mjs';
import { Tab } from './tab.mjs';
import { NoServer, startMockServer } from '../node/mock-server.mjs';
import { MissingInstall, findSdk } from '../node/sdk.mjs';
import { INPUTS, PAGE, Person, check, play, summary } from '../node/seed/story.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const EXIT_NOT_THERE = 3;

/** What no browser has. */
const LEFT = {
  'wx.chooseImage, wx.getImageInfo, wx.uploadFile, wx.showToast': 'of the mini-program; its upload is send_image_two_step of the shim',
  'wx.downloadFile, wx.createInnerAudioContext': 'of the mini-program',
};

/** One user's page, and the person before it. */
class PageHost {
  #tab;
  #created;

  constructor(tab, settings, tell) {
    this.#tab = tab;
    tab.listen({ tell, remark: () => {} });
    this.#created = this.#create(settings);
  }

  async run(example, body) {
    await this.#created;
    refuse(await this.#tab.call('run', example, JSON.stringify(body)));
    // The example listens from now on; the person pastes what the page's own input holds.
    if (example === 'paste') await this.#tab.paste('image');
  }

  async drop() {}

  async #create(settings) {
    for (const [id, { path, name, type }] of Object.entries(INPUTS)) await this.#tab.choose(path, name, type, id);
    refuse(await this.#tab.call('create', JSON.stringify(settings)));
  }
}

function refuse(answer) {
  const { error } = JSON.parse(answer);
  if (error !== undefined) throw new Error(error);
}

/** What only a page can show: the network of its host, and what it was sent. */
async function look(bob, tab) {
  await tab.setOnline(false);
  await bob.until('onOffline');
  await tab.setOnline(true);
  await bob.until('onOnline');

  bob.rewind();
  const { url: audio } = await bob.until('audio onFileDownloadComplete');
  const { url: video } = await bob.until('video onFileDownloadComplete');
  const { url: picture } = await bob.until('onPictureMessage');
  const shows = [
    ['img', picture, { width: 96, height: 72 }],
    ['audio', audio, { width: null, height: null }],
    ['video', video, { width: 96, height: 72 }],
  ];
  for (const [element, url, size] of shows) {
    refuse(await tab.call('render', { handle: element, url, element }));
    const { width, height } = await bob.until('rendered', ({ handle }) => handle === element);
    check({ width, height }, size, `what the page shows as ${element}`);
  }
  const own = await tab.page.evaluate(() => document.getElementById('privateVideo').src);
  check(own, video, "the address of the page's own video element");
}

async function main() {
  const sdk = findSdk('easemob-websdk-3.6.3');
  const browser = await startChromium(findChromium());
  const server = await startMockServer(process.argv[2]);
  const site = await startSite(filesOf(sdk));
  const tabs = [];
  for (let user = 0; user < 3; user += 1) tabs.push(await Tab.open(browser, site.origin));
  await Promise.all(tabs.map((tab) => tab.loaded));
  const free = [...tabs];
  const host = (settings, tell) => new PageHost(free.shift(), settings, tell);
  const people = [
    new Person('alice', server.rest, host),
    new Person('bob', server.rest, host),
    new Person('carol', server.rest, host, { own_upload: true }),
  ];
  let failure = null;
  try {
    await play(...people);
    await look(people[1], tabs[1]);
    if (process.env.SCREENSHOT) await tabs[1].page.screenshot({ path: process.env.SCREENSHOT });
  } catch (error) {
    failure = error;
  }
  const silent = summary(people, LEFT);
  await browser.close();
  await Promise.all(tabs.map((tab) => tab.forgetFiles()));
  site.close();
  server.stop();
  if (failure) leave(1, failure.message);
  if (silent.length > 0) leave(1, `these should have fired: ${silent.join(', ')}`);
  console.log('seed: every example ran in Chromium, and all that should fire did');
}

function filesOf({ bundlePath }) {
  const script = (body) => ({ type: 'text/javascript', body });
  return {
    '/': { type: 'text/html', body: readFileSync(join(HERE, 'page/seed.html')) },
    '/page.js': script(readFileSync(join(HERE, 'page/page.js'))),
    '/sdk.js': script(readFileSync(bundlePath)),
    '/adapter.js': script(`conformance.attachment(${JSON.stringify(readFileSync(PAGE, 'utf8'))});`),
  };
}

function leave(code, sentence) {
  process.stderr.write(`seed: ${sentence}\n`);
  process.exit(code);
}

main().then(
  () => process.exit(0),
  (error) => {
    const notThere = [MissingInstall, NoChromium, NoServer].some((kind) => error instanceof kind);
    leave(notThere ? EXIT_NOT_THERE : 1, error?.message ?? String(error));
  },
);
