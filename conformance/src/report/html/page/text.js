//! Elements and coloured texts. Whatever a run has said is written as text, never as markup.
(() => {
'use strict';

/** An element. Properties whose names begin with `on` are listeners; `true` and `false` switch attributes. */
const h = (name, attributes, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'class') element.className = value;
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
};
/** Words that only a screen reader needs. */
const unseen = (text) => h('span', { class: 'sr' }, text);
/** A sign that stands beside words that say the same. */
const sign = (text, name) => h('span', { class: name, 'aria-hidden': 'true' }, text);

/** A sentence in which words between backticks are code. */
const prose = (text) => text.split('`').map((part, at) => (at % 2 ? h('code', {}, part) : part));

const plural = (count, one, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

const lasted = (ms) => {
  if (ms < 1000) return `${ms} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
  const minutes = Math.round(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d${hours % 24 ? ` ${hours % 24} h` : ''}`;
};

/**
 * What a decoded frame or a line of JSON is made of: texts, aliases such as `<id 1>`, numbers, names of fields. What
 * matches nothing is as it is.
 */
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|(<[a-z][\w ]*>)|\b(true|false|null)\b|(?<![\w.$-])(-?\d+(?:\.\d+)?)\b|([?A-Za-z_][\w-]*)(?=[:{])/g;
/** A longer text is shown without colours: they are not worth the wait. */
const COLOURED_CHARACTERS_MAX = 200_000;

const coloured = (text) => {
  if (text.length > COLOURED_CHARACTERS_MAX) return [text];
  const parts = [];
  let read = 0;
  for (const token of text.matchAll(TOKENS)) {
    if (token.index > read) parts.push(text.slice(read, token.index));
    read = token.index + token[0].length;
    const [whole, string, colon, alias, word, number, field] = token;
    if (string !== undefined) {
      parts.push(h('span', { class: colon ? 'k' : 's' }, string));
      if (colon) parts.push(colon);
    } else if (alias !== undefined) {
      parts.push(h('span', { class: 'alias', 'data-alias': alias }, alias));
    } else {
      parts.push(h('span', { class: word ?? number ? 'n' : 'k' }, field ?? whole));
    }
  }
  parts.push(text.slice(read));
  return parts;
};

/** Lines that, where they are too long for their box, go on below their own beginning. */
const hanging = (text, line) => {
  const indent = /^ */.exec(text)[0].length + 2;
  line.style.paddingLeft = `${indent}ch`;
  line.style.textIndent = `-${indent}ch`;
  line.append(...coloured(text));
  return line;
};

/** Copies, and says so. Without a clipboard (some browsers give a page from a file none) it marks the text. */
const copyButton = (what, text, shown) => {
  const button = h('button', { type: 'button', class: 'copy', 'aria-label': `Copy ${what}` }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
      announce(`Copied ${what}`);
    } catch {
      getSelection().selectAllChildren(shown);
      button.textContent = 'Marked';
      announce(`Marked ${what}: copy it with the keyboard`);
    }
  });
  return button;
};

const announce = (words) => {
  document.getElementById('live').textContent = words;
};
