//! Messages without files, receipts and recall. `kit.sender` is what attachments and the topics use, too.

'use strict';

(kit) => {
  const { call, checkChat, reasonOf, shown, CHAT_TO_SDK } = kit;

  /** Errors that say the sender is muted: 4.x has no callback of its own for it. */
  const MUTED = 507;
  /** The error of an upload, which its message is refused with, too. */
  const UPLOAD_FAILED = 101;

  /**
   * Tells what became of a message that goes up the socket: `sent` or `failed`.
   * The promise is settled before `onReceivedMessage` is called, but its reactions run after: `received` waits for them.
   * @returns {(handle: string, promise: Promise<object>) => Promise<void>} resolves when it is told
   */
  kit.outcome = ({ tell, uploadFailed }) => (handle, promise) =>
    promise.then(
      ({ serverMsgId }) => tell('sent', { handle, id: shown(serverMsgId) }),
      (failure) => {
        if (failure?.type === MUTED) tell('muted', { handle });
        else if (failure?.type === UPLOAD_FAILED) uploadFailed(handle, failure);
        else tell('failed', { handle, type: shown(failure?.type), reason: reasonOf(failure) });
      },
    );

  /**
   * Builds and sends messages. `kit.textOptions`, where a topic has it, gives more of what `create` takes for a text.
   * @returns {(type: string, body: object, content: object) => void} `content`: what `WebIM.message.create` takes besides
   */
  kit.sender = ({ conn, expect, outcome }) => (type, { handle, to, chat, ...rest }, content) => {
    checkChat(chat);
    const options = { ...content, type, to, chatType: CHAT_TO_SDK[chat] };
    // Absent and null are two things to say, and the SDK's to treat.
    if ('ext' in rest) options.ext = rest.ext;
    const message = kit.createMessage(options);
    // `create` takes it by its declaration only.
    if ('body' in content) message.body = content.body;
    expect(message.id, handle, outcome(handle, call(conn, 'conn', 'send', message)));
  };

  kit.messageCommands = (device) => {
    const { conn, expect, outcome } = device;
    const send = kit.sender(device);
    /** Receipts have no outcome that DRIVER.md asks for, but a refusal is an error. */
    const acknowledge = (handle, options) => {
      const message = kit.createMessage(options);
      expect(message.id, handle, call(conn, 'conn', 'send', message).catch(device.fail));
    };
    return {
      send_text: (body) => send('txt', body, { ...kit.textOptions?.(body), msg: body.text, ...receiptsAsked(body) }),
      send_cmd: (body) => send('cmd', body, 'action' in body ? { action: body.action } : {}),
      send_custom: (body) => send('custom', body, { customEvent: body.event, customExts: body.exts }),
      send_location: (body) => send('loc', body, { lat: body.lat, lng: body.lng, addr: body.addr }),
      send_read: ({ handle, id, to, chat, content }) => {
        checkChat(chat);
        const group = chat === 'single' ? {} : { msgConfig: { allowGroupAck: true }, ackContent: content };
        acknowledge(handle, { type: 'read', chatType: CHAT_TO_SDK[chat], id, to, ...group });
      },
      send_channel_ack: ({ handle, to, chat }) => {
        checkChat(chat);
        acknowledge(handle, { type: 'channel', chatType: CHAT_TO_SDK[chat], to });
      },
      recall: ({ handle, id, to, chat }) => {
        checkChat(chat);
        // The SDK takes the recall's own local id itself; this callback is the first that the app hears of it.
        const success = (localId) => expect(localId, handle, told);
        const options = { mid: id, to, chatType: CHAT_TO_SDK[chat], success };
        const told = outcome(handle, call(conn, 'conn', 'recallMessage', options));
      },
    };
  };

  kit.createMessage = (options) => call(globalThis.WebIM.message, 'WebIM.message', 'create', options);

  function receiptsAsked({ ask_receipts: asked }) {
    return asked ? { msgConfig: { allowGroupAck: true } } : {};
  }
};
