//! A row in a few words, for its place in a lane: in the protocol's own, which are the same in every language. The lane
//! says whose it is and which way it went, so the words say what it carries.

/** More of a text is seen when the row is opened. */
const TEXT_CHARACTERS_MAX = 80;

/** Letters that are read from right to left: what follows them goes on from left to right. */
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const LEFT_TO_RIGHT_MARK = '\u200e';
const turned = (text) => (RIGHT_TO_LEFT.test(text) ? `${text}${LEFT_TO_RIGHT_MARK}` : text);

const quoted = (text) => turned(`“${text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX)}…` : text}”`);
const isThere = (value) => value !== undefined && value !== null && value !== '' && value !== false;
/** What is damaged may be of any shape. */
const listOf = (value) => (Array.isArray(value) ? value : []);
const joined = (...parts) => parts.filter(isThere).join(' ');

/** `OK`, or what was wrong. */
const statusOf = (status) => (status ? joined(status.errorCode ?? 'OK', status.reason && quoted(status.reason)) : '');

/** What a message's first content holds. */
const contentOf = (content) => {
  if (!content) return '';
  if (isThere(content.text)) return quoted(String(content.text));
  if (isThere(content.action)) return quoted(String(content.action));
  return joined(content.displayName ?? content.customEvent ?? content.title ?? content.address);
};

const messageOf = (kind, { payload = {}, to }) => {
  const body = payload ?? {};
  const about = body.ackMessageId ?? body.editMessageId;
  const what = contentOf(body.contents?.[0]) || body.operation || '';
  return joined(kind, about, what, to?.name && turned(`→ ${to.name}`));
};

/** The kind of a message within a page, which is no row of its own. */
const kindWithin = ({ ns, payload }) => {
  const type = payload?.type;
  if (ns !== 'CHAT' || !type) return String(ns ?? 'message').toLowerCase();
  const isContent = ['CHAT', 'GROUPCHAT', 'CHATROOM', 'NORMAL'].includes(type);
  return String((isContent && payload.contents?.[0]?.type) || type).toLowerCase();
};

const pageOf = (kind, { metas: told, queue, isLast }) => {
  const metas = listOf(told);
  const [first] = metas;
  const inside = first ? `${joined(kindWithin(first), contentOf(first.payload?.contents?.[0]), first.payload?.operation)}${metas.length > 1 ? ` +${metas.length - 1}` : ''}` : '∅';
  return joined(kind, queue?.name && `${queue.name}:`, inside, isLast === true && 'isLast');
};

/** What a frame carries, in words; its kind alone where that says it all. */
const frameLine = (kind, decoded) => {
  const payload = decoded.payload ?? {};
  switch (decoded.command) {
    case 'PROVISION': return joined(kind, payload.status ? statusOf(payload.status) : decoded.guid?.name);
    case 'NOTICE': return joined(kind, payload.queue?.name);
    case 'UNREAD': return joined(kind, listOf(payload.unread).map((one) => `${one?.queue?.name ?? '?'} ${one?.n ?? 0}`).join(', ') || (payload.status && statusOf(payload.status)));
    default:
  }
  if (typeof payload !== 'object') return kind;
  if (payload.meta) return messageOf(kind, payload.meta);
  if (payload.metas || isThere(payload.isLast)) return pageOf(kind, payload);
  if (isThere(payload.metaId) || isThere(payload.serverId)) return joined(kind, statusOf(payload.status), payload.serverId);
  if (payload.status && !payload.queue) return joined(kind, statusOf(payload.status));
  return joined(kind, payload.queue?.name, isThere(payload.key) && `key ${payload.key}`);
};

/** The words of a row as the server told it. */
export const lineOf = (told) => {
  const { kind, decoded, direction } = told;
  if (direction && decoded !== null && typeof decoded === 'object' && decoded.command !== undefined) return frameLine(kind, decoded);
  return told.line || joined(told.method, told.path) || kind;
};
