// The app: a chat of one user with another. Its server's address, the user and the peer come in the page's address.

const { user, peer, ...options } = Object.fromEntries(new URLSearchParams(location.search));
const [list, text] = [document.querySelector('#list'), document.querySelector('#text')];
const show = (line) => list.append(Object.assign(document.createElement('li'), { textContent: line }));

WebIM.logger.setLevel('WARN');
const connection = new WebIM.connection({ ...options, isHttpDNS: false });
let last;

connection.addEventHandler('chat', {
  onConnected: () => show('connected'),
  onTextMessage: ({ from, msg }) => show(`${from}: ${msg}`),
});
connection.open({ user, pwd: 'any password' });

document.querySelector('#send').onclick = async () => {
  const msg = text.value;
  const message = WebIM.message.create({ type: 'txt', chatType: 'singleChat', to: peer, msg });
  last = (await connection.send(message)).serverMsgId;
  show(`me: ${msg}`);
};
document.querySelector('#recall').onclick = async () => {
  try {
    await connection.recallMessage({ mid: last, to: peer, chatType: 'singleChat' });
    show('recalled');
  } catch (error) {
    show(error.type === 504 ? 'too late to recall this' : `not recalled: ${error.type}`);
  }
};
