//! The app's own web server.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const FILES = {
  '/': ['text/html', new URL('chat.html', import.meta.url)],
  '/chat.js': ['text/javascript', new URL('chat.js', import.meta.url)],
  '/Easemob-chat.js': ['text/javascript', createRequire(import.meta.url).resolve('easemob-websdk')],
};

/** @returns {Promise<{url: string, close: () => void}>} */
export function startSite() {
  const site = createServer(({ url }, answer) => {
    const [type, file] = FILES[url.split('?')[0]] ?? [];
    if (!file) return answer.writeHead(404).end();
    answer.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(readFileSync(file));
  });
  const close = () => {
    site.close();
    site.closeAllConnections();
  };
  return new Promise((tell) => site.listen(0, '127.0.0.1', () => tell({ url: `http://127.0.0.1:${site.address().port}/`, close })));
}
