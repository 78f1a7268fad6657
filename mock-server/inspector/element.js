//! Elements. Whatever came from a client or a server is written as text, never as markup; words of the page itself come
//! from the table in `words.js`, by key, so that they change with the language where they stand.

import { say } from './words.js';

/** What may be in words: the text itself, and what is read or shown for it. */
const WORDED = { w: 'text', wLabel: 'aria-label', wTitle: 'title', wPlaceholder: 'placeholder' };

const apply = (element) => {
  for (const [part, [key, values]] of Object.entries(element.worded)) {
    if (part === 'text') element.textContent = say(key, values);
    else element.setAttribute(part, say(key, values));
  }
};

/** Gives an element words: `text`, or an attribute. They hold through a change of language. */
export const word = (element, key, values, part = 'text') => {
  element.worded = { ...element.worded, [part]: [key, values] };
  element.setAttribute('data-w', element.worded.text?.[0] ?? '');
  apply(element);
  return element;
};

/** After a change of language: everything below `root` in the new one. */
export const reword = (root) => {
  for (const element of root.querySelectorAll('[data-w]')) {
    element.worded ??= { text: [element.dataset.w] };
    apply(element);
  }
};

/**
 * An element. Names that begin with `on` are listeners; `true` and `false` switch attributes; `w`, `wLabel`, `wTitle`
 * and `wPlaceholder` are keys of words, or `[key, values]`.
 */
export const h = (name, attributes, ...children) => {
  const element = document.createElement(name);
  const worded = [];
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'class') element.className = value;
    else if (WORDED[key]) worded.push([WORDED[key], value]);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  for (const [part, value] of worded) word(element, ...(Array.isArray(value) ? value : [value, undefined]), part);
  return element;
};

/** Words that only a screen reader needs. */
export const unseen = (key, values) => h('span', { class: 'sr', w: [key, values] });
/** A sign that stands beside words that say the same. */
export const sign = (text, name) => h('span', { class: name, 'aria-hidden': 'true' }, text);

/** A button that does one thing. */
export const button = (key, onclick, attributes) => h('button', { type: 'button', class: 'plain', w: key, ...attributes, onclick });

/** A field under its name. `control` is an input, a select or a text area. */
export const field = (key, control, attributes) => h('label', { class: 'field', ...attributes }, h('span', { w: key }), control);

/** A select; `options` are `[value, key]` with a key of words, or `[value, undefined, text]` with a text of the world's. */
export const choose = (options, attributes) => h('select', attributes, options.map(([value, key, text]) => h('option', { value, w: key }, key ? undefined : text ?? value)));

/** Sets the text where it is another: a screen reader and the layout are left alone otherwise. */
export const put = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/**
 * Makes the children of `list` what `items` are, in their order. An element stays the one of its key, with its focus and
 * whatever is open in it; `update(element, item)` tells it what is new.
 */
export const keep = (list, items, { key, make, update }) => {
  const kept = list.kept ?? new Map();
  const next = new Map();
  let place = list.firstChild;
  for (const item of items) {
    const name = key(item);
    const element = kept.get(name) ?? make(item);
    next.set(name, element);
    kept.delete(name);
    update?.(element, item);
    if (element === place) place = place.nextSibling;
    else list.insertBefore(element, place);
  }
  for (const gone of kept.values()) gone.remove();
  list.kept = next;
};

/** Says something to a screen reader. */
export const announce = (key, values) => {
  document.getElementById('live').textContent = say(key, values);
};

/** So long a note stands before it goes by itself, if it tells of nothing bad. */
const NOTE_MS = 6000;
/** More notes than these hide the page. */
const NOTES_MAX = 4;

/** Tells the reader of something; what is bad stays until it is closed. `details` are texts of the server's, `advice` a key. */
export const note = (kind, key, values, details = [], advice = undefined) => {
  const notes = document.getElementById('notes');
  const close = h('button', { type: 'button', class: 'quiet', wLabel: 'close', onclick: () => element.remove() }, sign('✕'));
  const element = h('div', { class: `note ${kind}` }, h('div', {}, h('p', { w: [key, values] }), details.map((text) => h('p', { class: 'lines', translate: 'no' }, text)), advice && h('p', { w: advice })), close);
  notes.append(element);
  while (notes.children.length > NOTES_MAX) notes.firstChild.remove();
  if (kind !== 'bad') setTimeout(() => element.remove(), NOTE_MS);
};

/** Copies, and says so. Without a clipboard (an address that is not this machine's has none) it marks the text. */
export const copyButton = (shown, text = () => shown.textContent) => {
  const element = h('button', { type: 'button', class: 'copy', w: 'copy' });
  element.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text());
      word(element, 'copied');
      announce('copied');
    } catch {
      getSelection().selectAllChildren(shown);
      word(element, 'marked');
      announce('marked');
    }
  });
  return element;
};

/** What this browser remembers of the reader's choices; some browsers let a page remember nothing. */
export const remembered = (name, known, otherwise) => {
  try {
    const value = localStorage.getItem(`mock-server-${name}`);
    return known.includes(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
};
export const remember = (name, value) => {
  try {
    localStorage.setItem(`mock-server-${name}`, value);
  } catch {
    // It holds until the page is closed.
  }
};
