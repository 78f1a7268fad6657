//! FileReader: a Blob's bytes by events, as a page has it. It reads from memory, and tells in a moment. No progress
//! between the first byte and the last.

import { asArrayBuffer, bytesOf } from './blob.mjs';
import { Target, dispatch } from './target.mjs';

const EMPTY = 0;
const LOADING = 1;
const DONE = 2;

/** The class for one page. @param {import('../device.mjs').Page} page */
export function fileReaderClass(page) {
  return class FileReader extends Target {
    onloadstart = null;
    onload = null;
    onloadend = null;
    onerror = null;
    onabort = null;
    readyState = EMPTY;
    result = null;
    #timer = 0;

    constructor() {
      super(page);
    }

    readAsText(blob) {
      this.#read(blob, (bytes) => new TextDecoder().decode(bytes));
    }

    readAsArrayBuffer(blob) {
      this.#read(blob, asArrayBuffer);
    }

    readAsDataURL(blob) {
      this.#read(blob, (bytes) => `data:${blob.type || 'application/octet-stream'};base64,${bytes.toString('base64')}`);
    }

    abort() {
      if (this.readyState !== LOADING) return;
      page.timers.clear(this.#timer);
      this.readyState = DONE;
      this[dispatch]('abort');
      this[dispatch]('loadend');
    }

    #read(blob, asResult) {
      if (this.readyState === LOADING) throw new Error('FileReader: it is reading already');
      const bytes = blob?.[bytesOf];
      if (!bytes) throw new TypeError('FileReader reads a Blob');
      this.readyState = LOADING;
      this.result = null;
      this.#timer = page.timers.once(() => {
        this.readyState = DONE;
        this.result = asResult(bytes);
        this[dispatch]('load');
        this[dispatch]('loadend');
      }, 0);
    }
  };
}
