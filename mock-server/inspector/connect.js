//! How an app comes here: the options of the vendor's SDK, with this page's own address, ready to copy. And what the
//! server found that clients did wrong.

import { copyButton, h, keep, put, word } from './element.js';
import { say } from './words.js';
import { ownPath } from './server.js';

/** Where the server is for an SDK: where this page came from, until it has said that its clients go elsewhere. */
let clients = location.origin;
/** @param {string} address as `GET /_mock/` has it */
export const clientsAre = (address) => {
  clients = address;
};

const inQuotes = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** The options for easemob-websdk 4.x and 3.x; `own`: by the world's own path. */
export const optionsOf = (appKey, own = false) => {
  const [http, ws] = [clients, clients.replace('http', 'ws')];
  const path = own ? ownPath(appKey) : '';
  const [key, url4, url3, api] = [appKey, `${ws}${path}/websocket`, `${http}${path}/ws`, `${http}${path}`].map(inQuotes);
  const options = (url) => `const conn = new WebIM.connection({\n  appKey: ${key},\n  isHttpDNS: false,\n  url: ${url},\n  apiUrl: ${api},\n});\n`;
  return {
    4: `${options(url4)}conn.open({ user: 'alice', pwd: 'any' });`,
    3: `${options(url3)}conn.open({\n  appKey: ${key},\n  apiUrl: ${api},\n  user: 'alice',\n  pwd: 'any',\n});`,
  };
};

/** The same two blocks stand in the panel and on the empty page. */
export const connectBlocks = () => {
  const blocks = [['4', 'sdk4'], ['3', 'sdk3']].map(([version, key]) => {
    const code = h('code', { translate: 'no' });
    const copy = copyButton(code);
    word(copy, 'copyNamed', { name: say(key) }, 'aria-label');
    return { version, code, element: h('div', { class: 'snippet' }, h('div', { class: 'over' }, h('h3', { w: key }), copy), h('pre', { tabindex: 0, wLabel: key }, code)) };
  });
  return {
    elements: blocks.map(({ element }) => element),
    show: (appKey, own) => {
      const options = optionsOf(appKey ?? 'org#app', own);
      for (const { version, code } of blocks) put(code, options[version]);
    },
  };
};

export const connectPanel = (world) => {
  const { elements, show } = connectBlocks();
  const own = h('input', { type: 'checkbox', name: 'own', onchange: () => refresh() });
  const path = h('code', { translate: 'no' });
  const choice = h('label', { class: 'check' }, own, h('span', {}, h('span', { w: 'ownPath' }), ' ', path, h('span', { class: 'soft', w: 'ownPathAbout' })));
  const element = h('div', { class: 'sheet' }, h('h2', { w: 'connect' }), h('p', { class: 'soft', w: 'connectAbout' }), choice, elements,
    h('h3', { w: 'programs' }), h('p', { class: 'soft', w: 'programsAbout' }), h('p', {}, h('a', { href: '/_mock/openapi.json', w: 'openapi' })));
  const refresh = () => {
    put(path, ownPath(world.key));
    show(world.key, own.checked);
  };
  return {
    element,
    show: refresh,
    reworded: refresh,
    /** `{ own }`: by the world's own path. */
    begin: (values = {}) => {
      if (values.own === undefined) return;
      own.checked = values.own;
      refresh();
      own.focus();
    },
  };
};

export const findingsPanel = (world) => {
  const list = h('ol', { class: 'list' });
  const none = h('p', { class: 'nothing', w: 'noFindings' });
  const show = () => {
    const found = (world.findings ?? []).map((finding, at) => ({ ...finding, at })).toReversed();
    keep(list, found, {
      key: ({ at }) => `${world.appKey} ${at}`,
      make: ({ clause, user, text }) => h('li', { class: 'finding' }, h('p', {}, h('code', { class: 'clause', translate: 'no' }, clause), h('span', { class: 'soft', translate: 'no' }, ` ${user}`)), h('p', { class: 'lines', translate: 'no' }, text)),
    });
    none.hidden = found.length > 0;
  };
  const element = h('div', { class: 'sheet' }, h('h2', { w: 'findings' }), h('p', { class: 'soft', w: 'findingsAbout' }), list, none);
  return { element, show, reworded: show, badge: () => world.findings?.length, begin: () => {} };
};
