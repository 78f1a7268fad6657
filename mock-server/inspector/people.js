//! Who is in the world: users with their devices, queues and unread counts, groups and rooms.

import { button, choose, field, h, keep, note, put, sign, unseen, word } from './element.js';
import { say } from './words.js';

/** With more people than this, the list shows the first, and a field finds the others. */
const SHOWN_MAX = 100;
/** As the control plane names what ends a connection. */
const REASONS = [['other_device', 'kickOtherDevice'], ['operator', 'kickOperator'], ['password', 'kickPassword'], ['removed', 'kickRemoved']];

const queueLine = (queue) => h('li', {}, h('span', { class: 'name', translate: 'no' }, queue.queue), h('span', { class: 'soft', w: queueKind(queue.kind) }), h('span', { class: 'count', w: ['queueState', { waiting: queue.waiting, unacknowledged: queue.unacknowledged }] }));
const queueKind = (kind) => ({ user: 'kindUser', group: 'kindGroup', room: 'kindRoom' })[kind] ?? 'kindUser';

export const peoplePanel = (world) => {
  const users = h('ul', { class: 'list' });
  const places = h('ul', { class: 'list' });
  const find = h('input', { type: 'search', wPlaceholder: 'findUser', wLabel: 'findUser', oninput: () => show() });
  const found = h('p', { class: 'soft' });
  const nobody = h('p', { class: 'nothing', w: 'nobody yet' });
  const noPlaces = h('p', { class: 'nothing', w: 'noGroups' });
  const newName = h('input', { name: 'name', required: true, autocomplete: 'off', spellcheck: 'false' });
  const newPassword = h('input', { name: 'password', required: true, autocomplete: 'off', spellcheck: 'false' });
  const make = h('form', { class: 'form', onsubmit: async (event) => {
    event.preventDefault();
    if (await world.control({ user: { name: newName.value.trim(), password: newPassword.value } })) {
      note('good', 'madeUser', { user: newName.value.trim() });
      make.reset();
    }
  } }, h('div', { class: 'pair' }, field('name', newName), field('password', newPassword)), h('button', { class: 'plain', w: 'makeUser' }));

  const kick = (user, device) => {
    const reason = choose(REASONS, { wLabel: 'kickReason' });
    return h('div', { class: 'row' }, reason, button('kick', () => world.control({ kick: { user, ...(device && { device }), reason: reason.value } }, ['kicked', { user }])));
  };

  const userItem = ({ name }) => {
    const dot = sign('', 'dot');
    const unread = h('span', { class: 'v unread' });
    const state = h('span', { class: 'soft' });
    const devices = h('ul', { class: 'plain-list' });
    const queues = h('ul', { class: 'plain-list' });
    const noQueues = h('p', { class: 'soft', w: 'noQueues' });
    const kicks = h('div', {}, kick(name));
    const item = h('li', {}, h('details', { class: 'person' },
      h('summary', {}, dot, h('span', { class: 'name', translate: 'no' }, name), state, unread),
      h('div', { class: 'inner' },
        h('div', { class: 'row' },
          button('onlyRows', () => world.only(name)), button('sendAs', () => world.open('send', { from: name })), button('stageFor', () => world.open('stage', { user: name })),
          button('cut', () => world.control({ fault: { cut: { user: name } } }, ['cutDone', { user: name }]))),
        h('h4', { w: 'devices' }), devices,
        h('h4', { w: 'queues' }), queues, noQueues,
        h('h4', { w: 'endSession' }), kicks)));
    item.parts = { dot, unread, state, devices, queues, noQueues, kicks };
    return item;
  };
  const fillUser = (item, user) => {
    const { dot, unread, state, devices, queues, noQueues, kicks } = item.parts;
    dot.classList.toggle('on', user.online.length > 0);
    word(state, user.muted_until_ms !== null && user.muted_until_ms !== undefined ? 'mutedUser' : user.online.length > 0 ? 'online' : 'away', { n: user.online.length });
    unread.hidden = user.unread === 0;
    word(unread, 'unread', { n: user.unread });
    keep(devices, user.online, { key: ({ conn }) => conn, make: ({ device, conn }) => h('li', {}, h('span', { class: 'name', translate: 'no' }, device), h('span', { class: 'count', translate: 'no' }, `#${conn}`)) });
    if (devices.children.length === 0) devices.kept = undefined;
    kicks.hidden = user.online.length === 0;
    kicks.previousSibling.hidden = kicks.hidden;
    keep(queues, user.queues, { key: (queue) => JSON.stringify(queue), make: queueLine });
    noQueues.hidden = user.queues.length > 0;
  };
  const placeItem = (place) => {
    const members = h('p', { class: 'lines soft members', translate: 'no' });
    const count = h('span', { class: 'count' });
    const item = h('li', {}, h('details', { class: 'person' },
      h('summary', {}, sign('', 'square'), h('span', { class: 'name', translate: 'no' }, place.id), h('span', { class: 'soft', w: place.kind }), count),
      h('div', { class: 'inner' }, h('p', {}, unseen('name'), h('b', { translate: 'no' }, place.name ?? '')), members,
        h('div', { class: 'row' }, button('sendHere', () => world.open('send', { to: place.id, chat: place.kind === 'kindRoom' ? 'room' : 'group' })),
          button('banAll', () => world.control({ ban_all: { id: place.id } }, ['banned', { id: place.id }])), button('unbanAll', () => world.control({ unban_all: { id: place.id } }, ['unbanned', { id: place.id }]))))));
    item.parts = { members, count };
    return item;
  };

  const show = () => {
    const { overview } = world;
    const words = find.value.trim().toLowerCase();
    const all = (overview?.users ?? []).filter(({ name }) => name.includes(words));
    const order = (user) => (user.online.length > 0 ? 0 : 1);
    const sorted = all.toSorted((one, other) => order(one) - order(other) || one.name.localeCompare(other.name));
    keep(users, sorted.slice(0, SHOWN_MAX), { key: ({ name }) => name, make: userItem, update: fillUser });
    find.hidden = (overview?.users.length ?? 0) <= 8 && words === '';
    const left = sorted.length - SHOWN_MAX + (overview?.more ?? 0);
    found.hidden = left <= 0;
    if (left > 0) word(found, 'moreUsers', { n: left });
    nobody.hidden = (overview?.users.length ?? 0) > 0;
    const both = [...(overview?.groups ?? []).map((group) => ({ ...group, kind: 'kindGroup' })), ...(overview?.rooms ?? []).map((room) => ({ ...room, kind: 'kindRoom' }))];
    keep(places, both.slice(0, SHOWN_MAX), { key: ({ id, kind }) => `${kind} ${id}`, make: placeItem, update: (item, place) => {
      put(item.parts.members, [`★ ${place.owner}`, ...place.members.filter((member) => member !== place.owner)].join(', '));
      word(item.parts.count, 'members', { n: new Set([place.owner, ...place.members]).size });
    } });
    noPlaces.hidden = both.length > 0;
  };

  const element = h('div', { class: 'sheet' },
    h('h2', { w: 'users' }), find, users, found, nobody,
    h('details', { class: 'more' }, h('summary', { w: 'newUser' }), make),
    h('h2', { w: 'groups' }), places, noPlaces);
  return { element, show, badge: () => world.overview?.users.length, reworded: show, begin: () => say('users') };
};
