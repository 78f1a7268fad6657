//! The app: a chat of one user, as lines on a page.

const WebIM = require('easemob-websdk').default ?? require('easemob-websdk');

// It logs several lines a frame.
WebIM.logger.setLevel('WARN');

class Chat {
  #connection;
  #list;

  /** @param {HTMLElement} list where the lines go */
  constructor(options, list) {
    this.#connection = new WebIM.connection(options);
    this.#list = list;
    this.#connection.addEventHandler('chat', {
      onTextMessage: ({ from, msg }) => this.show(`${from}: ${msg}`),
    });
  }

  /** Resolves when it is connected. */
  login(user, pwd) {
    return new Promise((onConnected, onError) => {
      this.#connection.addEventHandler('login', { onConnected, onError });
      this.#connection.open({ user, pwd }).catch(onError);
    });
  }

  async send(to, msg) {
    const message = WebIM.message.create({ type: 'txt', chatType: 'singleChat', to, msg });
    try {
      const { serverMsgId } = await this.#connection.send(message);
      this.show(`me: ${msg}`);
      return serverMsgId;
    } catch (error) {
      this.show(error.type === 501 ? 'please mind your language' : `not sent: ${error.type}`);
    }
  }

  async recall(to, mid) {
    try {
      await this.#connection.recallMessage({ mid, to, chatType: 'singleChat' });
      this.show('recalled');
    } catch (error) {
      this.show(error.type === 504 ? 'too late to recall this' : `not recalled: ${error.type}`);
    }
  }

  close() {
    this.#connection.close();
  }

  show(line) {
    this.#list.append(Object.assign(document.createElement('li'), { textContent: line }));
  }
}

module.exports = { Chat };
