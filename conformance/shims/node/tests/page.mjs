//! A device with a few lines of script in the place of an SDK, for tests of what a page is given. It judges nothing.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';

import { Activity } from '../activity.mjs';
import { VirtualClock } from '../browser/clock.mjs';
import { Device } from '../device.mjs';
import { sdkRoot } from '../sdk.mjs';

const { WebSocket: Ws } = createRequire(join(sdkRoot(), 'package.json'))('ws');

/** A device whose one command, `page`, runs `page(body, tell)` in its realm. */
export function device(page, { activity = new Activity(), clock = new VirtualClock(), events = [] } = {}) {
  const adapter = `(settingsText, tellText) => (name, bodyText) => {
    const answer = (${page})(JSON.parse(bodyText), (name, body) => tellText(JSON.stringify({ [name]: body })));
    return JSON.stringify({ ok: answer ?? {} });
  }`;
  const made = new Device({
    sdk: { bundle: new Script('globalThis.loaded = (globalThis.loaded ?? 0) + 1'), adapter: new Script(adapter), Ws },
    settings: { rest: 'http://127.0.0.1:9', sockjs: 'http://127.0.0.1:9/ws' },
    activity,
    clock,
    tell: (event) => events.push(event),
    remark: () => {},
  });
  return { made, activity, clock, events };
}
