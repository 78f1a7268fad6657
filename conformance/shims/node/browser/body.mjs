//! Bodies of an XMLHttpRequest: what a page hands to `send` as the bytes on the wire, and the bytes that came as
//! what `responseType` asks for. It knows no sockets.

import { randomBytes } from 'node:crypto';

import { asArrayBuffer, asBytes, bytesOf, entriesOf } from './blob.mjs';

/** The response types that there are here; others of the standard are refused, not faked. */
export const RESPONSE_TYPES = new Set(['', 'text', 'blob', 'arraybuffer', 'json']);

/**
 * @param {unknown} body
 * @returns {{bytes: Buffer, type: string | null} | null} null for no body; `type` is what the page need not declare
 */
export function requestBody(body) {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: 'text/plain;charset=UTF-8' };
  if (body[entriesOf]) return multipart(body[entriesOf]);
  if (body[bytesOf]) return { bytes: body[bytesOf], type: body.type || null };
  if (typeof body === 'object') return { bytes: asBytes(body), type: null };
  throw new TypeError(`this XMLHttpRequest cannot send a ${typeof body}`);
}

/**
 * @param {string} responseType one of RESPONSE_TYPES that is not text
 * @param {Buffer} bytes
 * @param {string} mediaType of the answer, as its header has it
 * @param {Function} Blob of the page
 */
export function responseBody(responseType, bytes, mediaType, Blob) {
  if (responseType === 'blob') return new Blob([bytes], { type: mediaType });
  if (responseType === 'arraybuffer') return asArrayBuffer(bytes);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null; // as the standard has it
  }
}

/** RFC 7578, spelt as browsers spell it. */
function multipart(entries) {
  const boundary = `----WebKitFormBoundary${randomBytes(12).toString('hex')}`;
  const parts = [];
  for (const [name, value] of entries) {
    const isText = typeof value === 'string';
    const file = isText ? '' : `; filename="${escaped(value.name)}"`;
    const type = isText ? '' : `Content-Type: ${value.type || 'application/octet-stream'}\r\n`;
    parts.push(
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"${file}\r\n${type}\r\n`),
      isText ? Buffer.from(value.replace(/\r\n|\r|\n/g, '\r\n')) : value[bytesOf],
      Buffer.from('\r\n'),
    );
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { bytes: Buffer.concat(parts), type: `multipart/form-data; boundary=${boundary}` };
}

function escaped(name) {
  return name.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22');
}
