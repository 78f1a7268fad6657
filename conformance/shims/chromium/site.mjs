//! The server of the shim's own page, on 127.0.0.1 and a port of its own, so that whatever a client asks of the mock
//! server crosses an origin. It has the files that it was given and a WebSocket that says back what it hears, by which
//! a page knows that what was before it in the network has come. It keeps nothing.

import { createServer } from 'node:http';

import { loadPackage } from '../node/sdk.mjs';

/** For a page: fresh each time, while the bundle stays in the browser's memory. */
const CACHED = 'max-age=86400';

/**
 * @typedef {object} Served
 * @property {string} type media type
 * @property {string | Buffer} body
 */

/**
 * @param {Record<string, Served>} files by path, such as `/sdk.js`
 * @returns {Promise<{origin: string, close: () => void}>}
 */
export async function startSite(files) {
  const server = createServer((request, response) => {
    const file = Object.hasOwn(files, request.url) ? files[request.url] : undefined;
    if (!file) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end(`the page has no ${request.url}`);
      return;
    }
    response.writeHead(200, { 'Content-Type': `${file.type}; charset=utf-8`, 'Cache-Control': CACHED }).end(file.body);
  });
  const { WebSocketServer } = loadPackage('ws');
  const sockets = new WebSocketServer({ server, path: '/echo', perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(data.toString()));
    socket.on('error', () => socket.terminate());
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}
