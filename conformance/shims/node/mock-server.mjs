//! The mock server as a process, for what runs an SDK against it outside the harness: the seed's page and a test.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** No server, or it did not say where it listens. */
export class NoServer extends Error {}

/**
 * @param {string} [path] of the program; left out, the variable MOCK_SERVER, else target/debug/mock-server
 * @param {string[]} [flags] beside where it listens
 * @returns {Promise<{rest: string, stop: () => void}>} its address
 * @throws {NoServer}
 */
export async function startMockServer(path = serverProgram(), flags = []) {
  if (!existsSync(path)) throw new NoServer(`no mock server at ${path}: run \`cargo build -p mock-server\`, or set MOCK_SERVER`);
  const child = spawn(path, ['--listen', '127.0.0.1:0', ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
  const line = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code) => resolve(`it left with ${code}`));
  });
  const [, rest] = /^listening on (https?:\S+)$/.exec(line) ?? [];
  if (!rest) throw new NoServer(`${path} does not say where it listens, but: ${line}`);
  return { rest, stop: () => child.kill() };
}

/** The program: the variable MOCK_SERVER, else target/debug/mock-server. */
export function serverProgram() {
  return process.env.MOCK_SERVER ?? join(ROOT, 'target/debug/mock-server');
}
