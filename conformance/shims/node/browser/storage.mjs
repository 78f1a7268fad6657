//! `localStorage` of one page: a browser's profile of its own, that lasts as long as the page. It writes no file.

/** What a page may keep, in UTF-16 units of keys and values: what browsers allow an origin. */
const QUOTA_UNITS = 5 * 1024 * 1024;

/** @returns {Storage} what was set is a property, too, as pages read it; not enumerable ones are the methods */
export function localStorageOf() {
  const items = new Map();
  const used = () => [...items].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  const methods = {
    getItem: (key) => items.get(String(key)) ?? null,
    setItem: (key, value) => {
      const [name, text] = [String(key), String(value)];
      const before = items.has(name) ? name.length + items.get(name).length : 0;
      if (used() - before + name.length + text.length > QUOTA_UNITS) throw new Error('QuotaExceededError: localStorage is full');
      items.set(name, text);
    },
    removeItem: (key) => void items.delete(String(key)),
    clear: () => items.clear(),
    key: (at) => [...items.keys()][at] ?? null,
  };
  return new Proxy(methods, {
    get: (_, name) => (name === 'length' ? items.size : Object.hasOwn(methods, name) ? methods[name] : items.get(String(name))),
    set: (_, name, value) => (methods.setItem(name, value), true),
    deleteProperty: (_, name) => (methods.removeItem(name), true),
  });
}
