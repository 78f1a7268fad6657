//! Files through the SDK: what is uploaded is byte for byte what was chosen, what comes back is byte for byte what
//! was served, and each outcome shows as the SDK shows it.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { ShimProcess } from './shim-process.mjs';
import { TinyServer } from './tiny-server.mjs';

const SDKS = ['easemob-websdk-3.0.6', 'easemob-websdk-3.6.3'];
/** Larger than the pieces in which an upload goes, and no multiple of them; every byte value is in it. */
const BYTES = randomBytes(200_001);
const UUID = '0b1e8f10-7a4c-11ec-9d0e-6f1b9f3a5c77';

let folder;
let file;
let server;
let shim;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shim-'));
  file = join(folder, 'chosen.bin');
  writeFileSync(file, BYTES);
  server = await TinyServer.start();
  server.answer('POST /chatfiles', { uri: server.url('/chatfiles'), entities: [{ uuid: UUID, 'share-secret': 'sEcReT' }] });
});

afterEach(async () => {
  shim.kill();
  await shim.exited;
  await server.stop();
  rmSync(folder, { recursive: true });
});

const image = (more = {}) => ({
  handle: 'm1', to: 'bob', chat: 'single', file, filename: 'a "b".png', media_type: 'image/png', width: 3, height: 4, ...more,
});

async function loggedIn(sdk, more) {
  shim = new ShimProcess({ args: [sdk] });
  await shim.login('bob', server.settings('bob', more));
}

/** The one part of a multipart body: its head's lines and its bytes. */
function partOf({ headers, body }) {
  const [, boundary] = /^multipart\/form-data; boundary=(.+)$/.exec(headers['content-type']);
  const headEnd = body.indexOf('\r\n\r\n');
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  assert.ok(body.subarray(-tail.length).equals(tail));
  const [first, ...head] = body.subarray(0, headEnd).toString().split('\r\n');
  assert.equal(first, `--${boundary}`);
  return { head, bytes: body.subarray(headEnd + 4, body.length - tail.length) };
}

for (const sdk of SDKS) {
  test(`${sdk}: an image is uploaded as it is, then sent with what the answer named`, async () => {
    await loggedIn(sdk);
    assert.deepEqual(await shim.ask('bob', { send_image: image({ ext: { file_length: BYTES.length } }) }), { ok: {} });
    const { id, url, ...picture } = await shim.event('bob', 'picture');
    await shim.event('bob', 'sent');
    const query = sdk.endsWith('3.0.6') ? '' : '?em-redirect=true&share-secret=sEcReT';
    assert.equal(url, `${server.url(`/chatfiles/${UUID}`)}${query}`);
    assert.deepEqual(picture, {
      from: 'bob', to: 'bob', chat: 'single', ext: picture.ext, time: 1_640_908_800_000, secret: 'sEcReT',
      filename: 'a "b".png', width: 3, height: 4, file_length: BYTES.length,
    });
    assert.deepEqual(await shim.event('bob', 'uploaded'), { handle: 'm1', uuid: UUID, secret: 'sEcReT' });

    const upload = server.seen.find(({ line }) => line === 'POST /org/app/chatfiles');
    assert.equal(upload.headers['restrict-access'], 'true');
    assert.equal(upload.headers.authorization, 'Bearer token-bob');
    assert.equal(Number(upload.headers['content-length']), upload.body.length);
    const { head, bytes } = partOf(upload);
    assert.deepEqual(head, ['Content-Disposition: form-data; name="file"; filename="a %22b%22.png"', 'Content-Type: image/png']);
    assert.ok(bytes.equals(BYTES));
  });

  for (const [command, event, own] of [
    ['send_file', 'file', {}],
    ['send_audio', 'audio', { length: 3 }],
    ['send_video', 'video', { length: 3000 }],
  ]) {
    test(`${sdk}: ${command} shows as ${event}, with its length`, async () => {
      await loggedIn(sdk);
      const { width, height, ...body } = image({ ...own, ext: { file_length: 7 } });
      await shim.ask('bob', { [command]: body });
      const shown = await shim.event('bob', event);
      assert.deepEqual([shown.secret, shown.filename, shown.file_length, shown.length], ['sEcReT', 'a "b".png', 7, own.length]);
    });
  }

  test(`${sdk}: the mini-program's upload is not restricted, and its message names it`, async () => {
    server.answer('POST /chatfiles', { uri: server.url('/chatfiles'), entities: [{ uuid: UUID }] });
    await loggedIn(sdk);
    await shim.ask('bob', { send_image_two_step: image() });
    const { url, secret, filename } = await shim.event('bob', 'picture');
    assert.deepEqual([url.split('?')[0], filename], [server.url(`/chatfiles/${UUID}`), 'a "b".png']);
    assert.ok(secret === null || secret === '');
    assert.deepEqual(await shim.event('bob', 'uploaded'), { handle: 'm1', uuid: UUID, secret: null });
    const [upload] = server.seen.filter(({ line }) => line === 'POST /org/app/chatfiles');
    assert.equal(upload.headers['restrict-access'], undefined);
    assert.ok(partOf(upload).bytes.equals(BYTES));
  });

  test(`${sdk}: what is downloaded is what was served, with the headers asked for`, async () => {
    server.answer(`GET /chatfiles/${UUID}`, BYTES, { type: 'audio/mpeg' });
    await loggedIn(sdk);
    const url = server.url(`/chatfiles/${UUID}`);
    await shim.ask('bob', { download: { handle: 'd1', url, secret: 'sEcReT', accept: 'audio/mp3' } });
    const sha256 = createHash('sha256').update(BYTES).digest('hex');
    assert.deepEqual(await shim.event('bob', 'downloaded'), { handle: 'd1', media_type: 'audio/mpeg', bytes: BYTES.length, sha256 });
    const { headers } = server.seen.at(-1);
    assert.deepEqual([headers.accept, headers['share-secret'], headers.authorization], ['audio/mp3', 'sEcReT', 'Bearer token-bob']);
  });

  test(`${sdk}: a refused download shows as a file of JSON, for the SDK does not look at the status`, async () => {
    await loggedIn(sdk);
    await shim.ask('bob', { download: { handle: 'd1', url: server.url('/chatfiles/none') } });
    const { media_type: type } = await shim.event('bob', 'downloaded');
    assert.equal(type, 'application/json');
  });

  test(`${sdk}: a download that is cut off fails`, async () => {
    await loggedIn(sdk);
    await shim.ask('bob', { download: { handle: 'd1', url: 'http://127.0.0.1:9/' } });
    assert.deepEqual(await shim.event('bob', 'download_failed'), { handle: 'd1', type: 200 });
  });

  for (const [name, status, body, type] of [
    ['of 401', 401, { error: 'unauthorized' }, 31],
    ['that is no JSON', 502, '<html>', 101],
  ]) {
    test(`${sdk}: an upload with an answer ${name} fails, and nothing is sent`, async () => {
      server.answer('POST /chatfiles', body, { status });
      await loggedIn(sdk);
      await shim.ask('bob', { send_image: image() });
      assert.deepEqual(await shim.event('bob', 'upload_failed'), { handle: 'm1', type });
      await shim.ask(null, { sync: {} });
      assert.ok(!shim.events('bob').some((event) => 'sent' in event || 'failed' in event));
    });
  }
}

test('the progress of an upload rises to its total, before the upload is done', async () => {
  await loggedIn('easemob-websdk-3.6.3');
  await shim.ask('bob', { send_image: image() });
  await shim.event('bob', 'uploaded');
  const names = shim.events('bob').map((event) => Object.keys(event)[0]);
  const progress = shim.events('bob').flatMap((event) => event.upload_progress ?? []);
  assert.ok(progress.length > 1);
  assert.ok(names.lastIndexOf('upload_progress') < names.indexOf('uploaded'));
  const loaded = progress.map((step) => step.loaded);
  assert.deepEqual(loaded, [...new Set(loaded)].sort((a, b) => a - b));
  const [{ total }] = progress;
  assert.equal(loaded.at(-1), total);
  assert.equal(total, Number(server.seen.at(-1).headers['content-length']));
});

for (const [own, shown] of [
  [true, 'http://pictures.test/a/b.png'],
  [false, null],
]) {
  test(`a picture by its url needs no upload; with an upload function of one's own (${own}) the url is the sender's`, async () => {
    await loggedIn('easemob-websdk-3.6.3', { own_upload: own });
    const message = { handle: 'm1', to: 'bob', chat: 'single', url: 'http://pictures.test/a/b.png', filename: 'b.png', width: 3, height: 4 };
    await shim.ask('bob', { send_image_url: message });
    const { url, filename, width, height } = await shim.event('bob', 'picture');
    const rewritten = `${server.url('').replace('/org/app', '')}/a/b.png?em-redirect=true`;
    assert.deepEqual([url, filename, width, height], [shown ?? rewritten, 'b.png', 3, 4]);
    assert.ok(!server.requests.includes('POST /org/app/chatfiles'));
  });
}
