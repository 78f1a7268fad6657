//! Blob, File and FormData as a page has them, their bytes in memory. The classes are made once a page, so that
//! what one page does to them no other page sees. Reading is never a trip to another thread, of which `sync` could
//! not know. No streams.

import { isAnyArrayBuffer } from 'node:util/types';

/** Names the bytes of a Blob: for this folder, not part of a page's view of it. */
export const bytesOf = Symbol('bytesOf');
/** Names the entries of a FormData, as `[name, string | File]`. */
export const entriesOf = Symbol('entriesOf');

/** @returns {{Blob: Function, File: Function, FormData: Function}} the classes of one page */
export function fileClasses() {
  class Blob {
    #bytes;
    #type;

    constructor(parts = [], { type = '' } = {}) {
      this.#bytes = Buffer.concat([...parts].map(asBytes));
      this.#type = /^[\x20-\x7e]*$/.test(type) ? String(type).toLowerCase() : '';
    }

    get size() {
      return this.#bytes.length;
    }

    get type() {
      return this.#type;
    }

    slice(start = 0, end = this.size, type = '') {
      const from = start < 0 ? Math.max(this.size + start, 0) : start;
      const to = end < 0 ? Math.max(this.size + end, 0) : end;
      return new Blob([this.#bytes.subarray(from, to)], { type });
    }

    async arrayBuffer() {
      return asArrayBuffer(this.#bytes);
    }

    async text() {
      return new TextDecoder().decode(this.#bytes);
    }

    get [bytesOf]() {
      return this.#bytes;
    }

    get [Symbol.toStringTag]() {
      return 'Blob';
    }
  }

  class File extends Blob {
    #name;
    #lastModified;

    constructor(parts, name, { lastModified = Date.now(), ...options } = {}) {
      super(parts, options);
      this.#name = String(name);
      this.#lastModified = lastModified;
    }

    get name() {
      return this.#name;
    }

    get lastModified() {
      return this.#lastModified;
    }

    get [Symbol.toStringTag]() {
      return 'File';
    }
  }

  class FormData {
    #entries = [];

    append(name, value, filename) {
      const isFile = value instanceof Blob;
      if (filename !== undefined && !isFile) throw new TypeError('FormData.append: only a Blob has a filename');
      this.#entries.push([String(name), isFile ? asFile(value, filename) : String(value)]);
    }

    get(name) {
      return this.#entries.find(([key]) => key === name)?.[1] ?? null;
    }

    has(name) {
      return this.#entries.some(([key]) => key === name);
    }

    [Symbol.iterator]() {
      return this.#entries[Symbol.iterator]();
    }

    get [entriesOf]() {
      return this.#entries;
    }

    get [Symbol.toStringTag]() {
      return 'FormData';
    }
  }

  /** What FormData keeps of a Blob is a File, named `blob` unless it has a name. */
  function asFile(blob, filename) {
    if (blob instanceof File && filename === undefined) return blob;
    return new File([blob], filename ?? 'blob', { type: blob.type });
  }

  return { Blob, File, FormData };
}

/** A copy, as a page's ArrayBuffer is its own. @param {Buffer} bytes */
export function asArrayBuffer(bytes) {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** The bytes of what a page may put into a Blob. */
export function asBytes(part) {
  if (part?.[bytesOf]) return part[bytesOf];
  if (ArrayBuffer.isView(part)) return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  if (isAnyArrayBuffer(part)) return Buffer.from(part);
  return Buffer.from(String(part));
}
