//! Which Chromium is taken, on each system, without starting any.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { NoChromium, findChromium } from '../launch.mjs';

const WINDOWS = { 'ProgramFiles(x86)': 'C:\\Programs86', ProgramFiles: 'C:\\Programs', Path: 'C:\\bin;D:\\tools' };

for (const [what, host, programs, found] of [
  ['what CHROMIUM names', { env: { CHROMIUM: '/my/chromium', PATH: '/usr/bin' } }, ['/my/chromium', '/usr/bin/chromium'], '/my/chromium'],
  ['the package of Debian', { env: { PATH: '/bin:/usr/bin' } }, [join('/usr/bin', 'chromium')], join('/usr/bin', 'chromium')],
  ['Chromium before its kin', { env: { PATH: '/opt:/usr/bin' } }, [join('/opt', 'google-chrome'), join('/usr/bin', 'chromium')], join('/usr/bin', 'chromium')],
  [
    'the application of a Mac, which is not in PATH',
    { platform: 'darwin', env: { PATH: '/usr/bin' } },
    ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  ['Chrome on Windows', { platform: 'win32', env: WINDOWS }, ['C:\\Programs86\\Google\\Chrome\\Application\\chrome.exe'], 'C:\\Programs86\\Google\\Chrome\\Application\\chrome.exe'],
  ['a program in PATH on Windows', { platform: 'win32', env: WINDOWS }, [join('D:\\tools', 'chromium.exe')], join('D:\\tools', 'chromium.exe')],
]) {
  test(`finds ${what}`, () => {
    const isProgram = (path) => programs.includes(path);
    assert.equal(findChromium({ platform: 'linux', ...host, isProgram }), found);
  });
}

for (const [what, env, words] of [
  ['none', { PATH: '/usr/bin' }, /no Chromium on this machine: install it .*apt-get install chromium.* or set CHROMIUM/],
  ['no PATH', {}, /no Chromium on this machine/],
  ['a wrong variable', { CHROMIUM: '/no/such', PATH: '/usr/bin' }, /CHROMIUM is set to \/no\/such, which is no program/],
]) {
  test(`says what to do about ${what}`, () => {
    const find = () => findChromium({ env, platform: 'linux', isProgram: () => false });
    assert.throws(find, (error) => error instanceof NoChromium && words.test(error.message));
  });
}
