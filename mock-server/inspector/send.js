//! Send as anyone: the other user of a conversation, without a second app.

import { choose, field, h, note } from './element.js';

const CHATS = [['single', 'chatSingle'], ['group', 'chatGroup'], ['room', 'chatRoom']];

export const sendPanel = (world) => {
  const from = h('input', { name: 'from', list: 'senders', required: true, autocomplete: 'off', spellcheck: 'false' });
  const to = h('input', { name: 'to', list: 'recipients', required: true, autocomplete: 'off', spellcheck: 'false', oninput: () => guess() });
  const chat = choose(CHATS, { name: 'chat', onchange: () => { chosen = true; } });
  const text = h('textarea', { name: 'text', rows: 3, required: true });
  const senders = h('datalist', { id: 'senders' });
  const recipients = h('datalist', { id: 'recipients' });
  let chosen = false;

  /** A group is written to as a group, unless the reader has said otherwise. */
  const guess = () => {
    if (chosen) return;
    const is = (places) => places?.some(({ id }) => id === to.value.trim());
    chat.value = is(world.overview?.groups) ? 'group' : is(world.overview?.rooms) ? 'room' : 'single';
  };
  const form = h('form', { class: 'form', onsubmit: async (event) => {
    event.preventDefault();
    const [sender, recipient] = [from.value.trim(), to.value.trim()];
    if (await world.control({ send: { from: sender, to: recipient, chat: chat.value, text: text.value } })) {
      note('good', 'sent', { from: sender, to: recipient });
      text.value = '';
      text.focus();
    }
  } },
  field('from', from), field('to', to), field('chat', chat), field('text', text), senders, recipients,
  h('div', { class: 'row' },
    h('button', { class: 'strong', w: 'send' }),
    h('button', { type: 'button', class: 'plain', w: 'swap', onclick: () => {
      [from.value, to.value] = [to.value, from.value];
      guess();
    } })));
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });

  let offered = '';
  const show = () => {
    const users = (world.overview?.users ?? []).map(({ name }) => name);
    const places = [...(world.overview?.groups ?? []), ...(world.overview?.rooms ?? [])].map(({ id }) => id);
    const now = JSON.stringify([users, places]);
    if (now === offered) return;
    offered = now;
    senders.replaceChildren(...users.map((value) => h('option', { value })));
    recipients.replaceChildren(...[...users, ...places].map((value) => h('option', { value })));
  };
  const element = h('div', { class: 'sheet' }, h('h2', { w: 'sendTitle' }), h('p', { class: 'soft', w: 'sendAbout' }), form);
  return {
    element,
    show,
    reworded: show,
    /** Fills in what is known: `{ from, to, chat }`. */
    begin: (values = {}) => {
      if (values.from !== undefined) from.value = values.from;
      if (values.to !== undefined) to.value = values.to;
      chosen = values.chat !== undefined;
      if (chosen) chat.value = values.chat;
      else guess();
      (from.value === '' ? from : to.value === '' ? to : text).focus();
    },
  };
};
