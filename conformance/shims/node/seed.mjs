#!/usr/bin/env node
//! The example code of the vendor's page on messages for the 3.x Web SDK, from login to the last receipt, on the
//! unmodified 3.6.3 against the mock server: `node seed.mjs [MOCK_SERVER]`. The examples are `seed/page.js`, one page a
//! user; this file starts the server, says who does what, and prints each callback as it fires. At the end it names
//! every callback of the page's `conn.listen` as fired, dead in this SDK, or left for a browser.
//!
//! MOCK_SERVER: the argument, else the variable of that name, else target/debug/mock-server. Exit codes: 0 all that
//! should fire did; 1 something did not, or what came was not what was sent; 3 the SDK or the server is not there.

import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';

import { Activity } from './activity.mjs';
import { HostClock } from './browser/clock.mjs';
import { Device } from './device.mjs';
import { NoServer, startMockServer } from './mock-server.mjs';
import { MissingInstall, loadSdk } from './sdk.mjs';
import { PAGE, Person, play, summary } from './seed/story.mjs';

const EXIT_NOT_THERE = 3;

/** What a page in a browser would have, and a mini-program. */
const LEFT = {
  onOnline: "the window's event `online`",
  onOffline: "the window's event `offline`",
  'file inputs': 'stand-ins hold the files; a person choosing one is left',
  paste: 'a made-up event with the clipboard of the example; a real paste is left',
  'object URLs': 'made and handed on; showing a picture from one, or playing it, is left',
  'wx.chooseImage, wx.getImageInfo, wx.uploadFile, wx.showToast': 'of the mini-program; its upload is send_image_two_step of the shim',
  'wx.downloadFile, wx.createInnerAudioContext': 'of the mini-program',
};

async function main() {
  const sdk = { ...loadSdk('easemob-websdk-3.6.3'), adapter: new Script(readFileSync(PAGE, 'utf8'), { filename: PAGE }) };
  const server = await startMockServer(process.argv[2]);
  const clock = new HostClock();
  const host = (settings, tell) => new Device({ sdk, settings, activity: new Activity(), clock, tell, remark: () => {} });
  const people = [
    new Person('alice', server.rest, host),
    new Person('bob', server.rest, host),
    // By herself, for with this option the urls of files with a secret are none: `&share-secret=` behind no `?`.
    new Person('carol', server.rest, host, { own_upload: true }),
  ];
  process.on('unhandledRejection', (reason, promise) => {
    const device = Device.ofPromise(promise);
    if (!device) throw reason;
    device.uncaught(reason);
  });
  let failure = null;
  try {
    await play(...people);
  } catch (error) {
    failure = error;
  }
  const silent = summary(people, LEFT);
  await Promise.all(people.map((person) => person.drop()));
  server.stop();
  if (failure) leave(1, failure.message);
  if (silent.length > 0) leave(1, `these should have fired: ${silent.join(', ')}`);
  console.log('seed: every example ran, and all that should fire did');
}

function leave(code, sentence) {
  process.stderr.write(`seed: ${sentence}\n`);
  process.exit(code);
}

main().catch((error) => leave(error instanceof MissingInstall || error instanceof NoServer ? EXIT_NOT_THERE : 1, error?.message ?? String(error)));
