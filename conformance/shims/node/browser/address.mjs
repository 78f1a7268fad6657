//! Where a page is: `location`, and `URL` with the object URLs that an app gives to `<img>` and `<audio>`. Nothing
//! loads from an object URL here; it is only a name that the page was given.

/**
 * @param {string} href the page's own address
 * @returns {object} what scripts read of `location`; a page here goes nowhere
 */
export function location(href) {
  const { protocol, host, hostname, port, origin, pathname, search, hash } = new URL(href);
  return { href: new URL(href).href, protocol, host, hostname, port, origin, pathname, search, hash };
}

/** `URL` for one page. @param {string} origin of the page */
export function urlClass(origin) {
  let made = 0;
  return class PageUrl extends URL {
    static createObjectURL(blob) {
      const tag = Object.prototype.toString.call(blob);
      if (tag !== '[object Blob]' && tag !== '[object File]') {
        throw new TypeError(`URL.createObjectURL needs a Blob, not ${tag}`);
      }
      made += 1;
      return `blob:${origin}/${made}`;
    }

    static revokeObjectURL() {}
  };
}
