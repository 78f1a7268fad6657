//! The only door to the network: TCP to 127.0.0.1, watched, closed with the page. An SDK that asks for another
//! host (the vendor's, say) does not get there, and that shows as an error of the client.

import { connect } from 'node:net';

const HOST = '127.0.0.1';

/** Whether a page here may talk to this URL. @param {URL} url */
export function isAllowed(url) {
  return url.hostname === HOST && (url.protocol === 'http:' || url.protocol === 'ws:');
}

/**
 * A `createConnection` for node:http and ws.
 * @param {import('../device.mjs').Page} page
 * @param {URL} url one that `isAllowed`
 */
export function dialer(page, url) {
  return () => {
    const socket = connect({ host: HOST, port: Number(url.port || 80), noDelay: true });
    page.activity.watch(socket);
    page.keep(socket);
    return socket;
  };
}
