//! A page of a real run, for tests to look at: a few scenarios, one of which says what is not so, on a client that can
//! and one that can nothing.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../../..');
const SCENARIOS = ['send/text-to-user', 'send/image-to-user', 'recall/single', 'conn/login-with-password'];
const PROGRAM = process.env.CONFORMANCE ?? join(ROOT, 'target/debug', process.platform === 'win32' ? 'conformance.exe' : 'conformance');
/** As much as a run of five scenarios may take: a hundred times the usual. */
const RUN_MS_MAX = 120_000;

/**
 * Runs the built harness (`CONFORMANCE`, or that of a plain `cargo build`) and writes into `folder`.
 * @returns {string} the page's path
 * @throws {Error} with what the harness said
 */
export function makePage(folder) {
  const scenarios = join(folder, 'scenarios');
  for (const name of SCENARIOS) {
    mkdirSync(dirname(join(scenarios, name)), { recursive: true });
    copyFileSync(join(ROOT, `fixtures/scenarios/${name}.json`), join(scenarios, `${name}.json`));
  }
  // Bob is said to see another text than alice wrote, at the one line where he sees it.
  const text = readFileSync(join(scenarios, 'send/text-to-user.json'), 'utf8');
  writeFileSync(join(scenarios, 'send/text-that-never-came.json'), text.replace('"data": "hi", "ext": {"key"', '"data": "</script><b>ho", "ext": {"key"'));
  const client = (name, command) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify({ name, command, records: [], unsupported: {}, known_failures: [], known_findings: [] }));
    return ['--client', path];
  };
  const reports = join(folder, 'reports');
  const args = ['run', '--scenarios', scenarios, ...client('able', ['shim-core']), ...client('lame', ['misbehaving-client', 'refuses']), '--reports', reports, '--bundles', 'none'];
  const { status, error, stderr, stdout } = spawnSync(PROGRAM, args, { cwd: ROOT, encoding: 'utf8', timeout: RUN_MS_MAX });
  const page = join(reports, 'report.html');
  // 1: scenarios failed, as they should.
  if (status !== 1 || !existsSync(page)) throw new Error(`${PROGRAM} ${args.join(' ')} made no page (${error?.message ?? `exit code ${status}`}):\n${stderr}${stdout}`);
  return page;
}
