//! Finds the machine's own Chromium and starts it without a window. It downloads no browser, and gives none that it
//! started any way to hosts that are not this machine.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { loadPackage } from '../node/sdk.mjs';

/** Chromium and its kin by the names that packages give them, in the order of preference. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome', 'microsoft-edge'];
/** Where installers put them that leave `PATH` alone. */
const MAC = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];
const WINDOWS = [
  'Chromium\\Application\\chrome.exe',
  'Google\\Chrome\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe',
];
const WINDOWS_ROOTS = ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData'];

/**
 * What keeps a browser from talking of itself: no component updates, no synchronisation, no QUIC, and no name but that
 * of this machine resolves, so whatever the page asks of another host fails at once.
 */
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--autoplay-policy=no-user-gesture-required',
];

/** How long a browser may take to start, in ms: less than the driver waits for a hello, so the shim can still say why. */
const START_MAX_MS = 25_000;

/** No Chromium on this machine, or one that does not start. */
export class NoChromium extends Error {}

/**
 * The program: `CHROMIUM` if that is set, else the first of the usual places that has one.
 * @param {{env?: object, platform?: string, isProgram?: (path: string) => boolean}} [host]
 * @returns {string}
 * @throws {NoChromium}
 */
export function findChromium({ env = process.env, platform = process.platform, isProgram = isExecutable } = {}) {
  if (env.CHROMIUM) {
    if (isProgram(env.CHROMIUM)) return env.CHROMIUM;
    throw new NoChromium(`CHROMIUM is set to ${env.CHROMIUM}, which is no program`);
  }
  const found = candidates(env, platform).find(isProgram);
  if (found) return found;
  throw new NoChromium(
    'no Chromium on this machine: install it (Debian: `apt-get install chromium`), or set CHROMIUM to the path of its program',
  );
}

/**
 * Starts it. It ends with this process, however that ends: the pipe by which it is driven closes.
 * @param {string} program
 * @param {{scrollbars?: boolean, trusted?: string}} [look] `scrollbars`: they are there and take room, as on most desktops;
 *   `trusted`: SHA-256, in base64, of the public key of an authority that it trusts as if its user had said so
 * @returns {Promise<import('playwright-core').Browser>}
 * @throws {NoChromium}
 */
export async function startChromium(program, { scrollbars = false, trusted } = {}) {
  const { chromium } = loadPackage('playwright-core');
  try {
    return await chromium.launch({
      executablePath: program,
      headless: true,
      timeout: START_MAX_MS,
      args: trusted ? [...FLAGS, `--ignore-certificate-errors-spki-list=${trusted}`] : FLAGS,
      ...(scrollbars && { ignoreDefaultArgs: ['--hide-scrollbars'] }),
      // Chromium refuses to sandbox what root runs.
      chromiumSandbox: process.getuid?.() !== 0,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } catch (error) {
    throw new NoChromium(`${program} does not start: ${error.message}`);
  }
}

/** @returns {string[]} paths, the likeliest first */
function candidates(env, platform) {
  const windows = platform === 'win32';
  const folders = (env.PATH ?? env.Path ?? '').split(windows ? ';' : delimiter).filter((folder) => folder !== '');
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, windows ? `${name}.exe` : name)));
  if (windows) {
    const roots = WINDOWS_ROOTS.map((name) => env[name]).filter((root) => root);
    return [...roots.flatMap((root) => WINDOWS.map((path) => `${root}\\${path}`)), ...onPath];
  }
  return platform === 'darwin' ? [...MAC, ...onPath] : onPath;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
