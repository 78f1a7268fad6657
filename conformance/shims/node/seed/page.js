//! One page of JavaScript with the example code of the vendor's page on messages for the 3.x Web SDK, put together:
//! the examples' calls in their order, their placeholders filled in, their `console.log` told to the runner. A classic
//! script, run in a realm of its own for each user after the unmodified bundle; its value is called once the page is
//! there. Logging in, groups, rooms, contacts and the block list, which that page takes from others, are ours.
//!
//! Where there is no `document`, a stand-in has the file inputs, the video node and the paste event that the examples
//! read. The examples call `conn.listen` several times; in one page it is one call, for each drops the callbacks of the last.

'use strict';

(settingsText, tellText, user) => {
  const settings = JSON.parse(settingsText);
  const { WebIM } = globalThis;
  const { url } = settings;
  /** What an example shows or logs: `name` is its callback, or the call whose outcome it is. */
  const tell = (name, body = {}) => tellText(JSON.stringify({ [name]: body }));
  const known = ({ id, mid, from, to, type, data, url, ext, message }) => ({ id, mid, from, to, type, data, url, ext, message });

  // What a browser would give, where there is none.
  const pasteHandlers = [];
  if (!globalThis.document) {
    const nodes = { privateVideo: {} };
    for (const [id, file] of Object.entries(settings.inputs)) nodes[id] = user.fileInput(file.path, file.name, file.type);
    globalThis.document = {
      getElementById: (id) => nodes[id] ?? null,
      addEventListener: (type, handler) => type === 'paste' && pasteHandlers.push(handler),
    };
  }

  WebIM.Emoji = { path: 'faces/', map: { '[):]': 'smile.png' } };
  WebIM.config = { appkey: settings.app_key, apiURL: settings.rest };
  const conn = new WebIM.connection({
    appKey: settings.app_key,
    url: settings.sockjs,
    apiUrl: settings.rest,
    isHttpDNS: false,
    deviceId: settings.device,
    delivery: true,
    useOwnUploadFun: settings.own_upload,
  });
  WebIM.conn = conn;

  // What is received, and what is done about it.
  conn.listen({
    onOpened: function () { tell('onOpened'); },
    onClosed: function () { tell('onClosed'); },
    onTextMessage: function (message) { tell('onTextMessage', known(message)); },
    onEmojiMessage: function (message) {
      var data = message.data;
      for (var i = 0, l = data.length; i < l; i++) {
        tell('onEmojiMessage', data[i]);
      }
    },
    onPictureMessage: function (message) { tell('onPictureMessage', known(message)); },
    onCmdMessage: function (message) { tell('onCmdMessage', known(message)); },
    onAudioMessage: function (message) {
      tell('onAudioMessage', known(message));
      let options = {
        url: message.url,
        headers: {
          Accept: 'audio/mp3',
        },
        onFileDownloadComplete: function (response) {
          let objectUrl = WebIM.utils.parseDownloadResponse.call(WebIM.conn, response);
          message.audioSrcUrl = message.url;
          message.url = objectUrl;
          user.sha256(response, (sha256) => tell('audio onFileDownloadComplete', { url: message.url, sha256 }));
        },
        onFileDownloadError: function () { tell('audio onFileDownloadError'); },
      };
      WebIM.utils.download.call(WebIM.conn, options);
    },
    onLocationMessage: function (message) { tell('onLocationMessage', known(message)); },
    onFileMessage: function (message) { tell('onFileMessage', known(message)); },
    onCustomMessage: function (message) { tell('onCustomMessage', known(message)); },
    onVideoMessage: function (message) {
      tell('onVideoMessage', known(message));
      var node = document.getElementById('privateVideo');
      var option = {
        url: message.url,
        headers: {
          'Accept': 'audio/mp4',
        },
        onFileDownloadComplete: function (response) {
          var objectURL = WebIM.utils.parseDownloadResponse.call(conn, response);
          node.src = objectURL;
          user.sha256(response, (sha256) => tell('video onFileDownloadComplete', { url: node.src, sha256 }));
        },
        onFileDownloadError: function () { tell('video onFileDownloadError'); },
      };
      WebIM.utils.download.call(conn, option);
    },
    onPresence: function (message) { tell('onPresence', known(message)); },
    onRoster: function (message) { tell('onRoster', { names: message.map(({ name }) => name) }); },
    onInviteMessage: function (message) { tell('onInviteMessage', known(message)); },
    onOnline: function () { tell('onOnline'); },
    onOffline: function () { tell('onOffline'); },
    onError: function (message) { tell('onError', { type: message.type, message: message.message }); },
    onBlacklistUpdate: function (list) { tell('onBlacklistUpdate', { names: Object.keys(list) }); },
    onRecallMessage: function (message) { tell('onRecallMessage', known(message)); },
    onReceivedMessage: function (message) { tell('onReceivedMessage', known(message)); },
    onDeliveredMessage: function (message) { tell('onDeliveredMessage', known(message)); },
    onReadMessage: (message) => {
      const { mid } = message;
      const msg = { id: mid };
      if (message.groupReadCount) {
        msg.groupReadCount = message.groupReadCount[message.mid];
      }
      tell('onReadMessage', msg);
    },
    onCreateGroup: function (message) { tell('onCreateGroup', { group: message.data.groupid }); },
    onMutedMessage: function (message) { tell('onMutedMessage', known(message)); },
    onChannelMessage: function (message) { tell('onChannelMessage', known(message)); },
    onStatisticMessage: (message) => {
      let statisticMsg = message.location && JSON.parse(message.location);
      let groupAck = statisticMsg.group_ack || [];
      tell('onStatisticMessage', { groupAck });
    },
  });

  const examples = {
    // Texts.
    sendPrivateText: ({ to, text = 'a text of ours' }) => {
      let id = conn.getUniqueId();
      let msg = new WebIM.message('txt', id);
      msg.set({
        msg: text,
        to,
        chatType: 'singleChat',
        ext: { key: 'value', key2: { key3: 'value2' } },
        success: function (id, serverMsgId) { tell('sendPrivateText success', { id, serverMsgId }); },
        fail: function (e) { tell('sendPrivateText fail', { type: e.type }); },
      });
      conn.send(msg.body);
    },
    sendGroupText: ({ to }) => {
      let id = conn.getUniqueId();
      let msg = new WebIM.message('txt', id);
      let option = {
        msg: 'a text of ours',
        to,
        chatType: 'groupChat',
        ext: {},
        success: function () { tell('sendGroupText success'); },
        fail: function () { tell('sendGroupText fail'); },
      };
      msg.set(option);
      conn.send(msg.body);
    },
    sendRoomText: ({ to }) => {
      let id = conn.getUniqueId();
      let msg = new WebIM.message('txt', id);
      let option = {
        msg: 'a text of ours',
        to,
        chatType: 'chatRoom',
        ext: {},
        success: function () { tell('sendRoomText success'); },
        fail: function () { tell('sendRoomText fail'); },
      };
      msg.set(option);
      conn.send(msg.body);
    },
    // The chat type by the setter.
    setChatType: ({ to }) => {
      let msg = new WebIM.message('txt', conn.getUniqueId());
      msg.set({ msg: 'a text of ours', to, success: () => tell('setChatType success') });
      msg.setChatType('groupChat');
      conn.send(msg.body);
    },
    // A picture that is pasted.
    paste: ({ to }) => {
      document.addEventListener('paste', function (e) {
        if (e.clipboardData && e.clipboardData.types) {
          if (e.clipboardData.items.length > 0) {
            if (/^image\/\w+$/.test(e.clipboardData.items[0].type)) {
              var blob = e.clipboardData.items[0].getAsFile();
              var url = window.URL.createObjectURL(blob);
              var id = conn.getUniqueId();
              var msg = new WebIM.message('img', id);
              msg.set({
                file: { data: blob, url: url },
                to,
                chatType: 'singleChat',
                onFileUploadError: function (error) { tell('paste onFileUploadError', { type: error.type }); },
                onFileUploadComplete: function (data) { tell('paste onFileUploadComplete', { uri: data.uri }); },
                success: function (id) { tell('paste success', { id }); },
                fail: function (e) { tell('paste fail', { type: e.type }); },
              });
              conn.send(msg.body);
            }
          }
        }
      });
      const blob = document.getElementById('image').files.item(0);
      const items = [{ type: blob.type, getAsFile: () => blob }];
      for (const handler of pasteHandlers.splice(0)) handler({ clipboardData: { types: ['Files'], items } });
    },
    // A picture by its address. The example's `msg.width`, `msg.length`, `msg.filetype` and `msg.file` are placeholders: a new message has none.
    sendPrivateUrlImg: ({ to }) => {
      var id = conn.getUniqueId();
      var msg = new WebIM.message('img', id);
      Object.assign(msg, { width: 3, height: 4, length: 0, filetype: 'png', file: { filename: 'b.png' } });
      var option = {
        body: {
          type: 'file',
          url: url,
          size: {
            width: msg.width,
            height: msg.height,
          },
          length: msg.length,
          filename: msg.file.filename,
          filetype: msg.filetype,
        },
        to,
      };
      msg.set(option);
      conn.send(msg.body);
    },
    // Commands.
    sendCmd: ({ to }) => {
      var id = conn.getUniqueId();
      var msg = new WebIM.message('cmd', id);
      msg.set({
        to,
        action: 'action',
        ext: { 'extmsg': 'beside the action' },
        success: function (id, serverMsgId) { tell('sendCmd success', { id, serverMsgId }); },
        fail: function (e) { tell('sendCmd fail', { type: e.type }); },
      });
      conn.send(msg.body);
    },
    // Attachments.
    sendPrivateImg: ({ to }) => attachment('sendPrivateImg', 'img', 'image', ['jpg', 'gif', 'png', 'bmp'], { length: '3000', to }),
    sendPrivateFile: ({ to }) =>
      attachment('sendPrivateFile', 'file', 'file', ['jpg', 'gif', 'png', 'bmp', 'zip', 'txt', 'doc', 'pdf'], { to }),
    sendPrivateAudio: ({ to }) => attachment('sendPrivateAudio', 'audio', 'audio', ['mp3', 'amr', 'wmv'], { length: '3', to }),
    sendPrivateVideo: ({ to }) =>
      attachment('sendPrivateVideo', 'video', 'video', ['mp4', 'wmv', 'avi', 'rmvb', 'mkv'], { to }),
    // Custom messages.
    sendCustomMsg: ({ to }) => {
      var id = conn.getUniqueId();
      var msg = new WebIM.message('custom', id);
      var customEvent = 'customEvent';
      var customExts = {};
      msg.set({
        to,
        customEvent,
        customExts,
        ext: {},
        chatType: 'singleChat',
        success: function (id, serverMsgId) { tell('sendCustomMsg success', { id, serverMsgId }); },
        fail: function (e) { tell('sendCustomMsg fail', { type: e.type }); },
      });
      conn.send(msg.body);
    },
    // The page receives locations and shows nowhere how one is sent.
    sendLocation: ({ to }) => {
      var msg = new WebIM.message('location', conn.getUniqueId());
      msg.set({ to, lat: 39.9, lng: 116.4, addr: 'here', success: () => tell('sendLocation success') });
      conn.send(msg.body);
    },
    // Recall.
    recallMessage: ({ mid, to }) => {
      const option = {
        mid,
        to,
        type: 'chat',
        success: () => tell('recallMessage success'),
        fail: (e) => tell('recallMessage fail', { type: e.type }),
      };
      WebIM.conn.recallMessage(option);
    },
    // History.
    fetchHistoryMessages: ({ queue }) => {
      WebIM.conn.mr_cache = [];
      var options = {
        queue,
        isGroup: false,
        count: 10,
        success: function (res) { tell('fetchHistoryMessages success', { ids: res.map(({ id }) => id) }); },
        fail: function () { tell('fetchHistoryMessages fail'); },
      };
      WebIM.conn.fetchHistoryMessages(options);
    },
    // Sessions.
    getSessionList: () => {
      WebIM.conn.getSessionList().then((res) => {
        tell('getSessionList', { channels: res.data.channel_infos.map(({ channel_id: id, unread_num: unread }) => [id, unread]) });
      });
    },
    deleteSession: ({ channel }) => {
      if (typeof WebIM.conn.deleteSession !== 'function') return tell('deleteSession missing');
      return WebIM.conn.deleteSession({ channel, chatType: 'singleChat', deleteRoam: true });
    },
    // Receipts.
    sendRead: ({ id: bodyId, from }) => {
      var msg = new WebIM.message('read', conn.getUniqueId());
      msg.set({ id: bodyId, to: from });
      conn.send(msg.body);
    },
    sendGroupReadMsg: ({ to }) => {
      let id = conn.getUniqueId();
      let msg = new WebIM.message('txt', id);
      msg.set({
        msg: 'a text of ours',
        to,
        chatType: 'groupChat',
        success: function (id, serverMsgId) { tell('sendGroupReadMsg success', { id, serverMsgId }); },
        fail: function (e) { tell('sendGroupReadMsg fail', { type: e.type }); },
      });
      msg.body.msgConfig = { allowGroupAck: true };
      conn.send(msg.body);
    },
    sendReadMsg: ({ id, from }) => {
      let msg = new WebIM.message('read', WebIM.conn.getUniqueId());
      msg.set({
        id,
        to: from,
        msgConfig: { allowGroupAck: true },
        ackContent: JSON.stringify({}),
      });
      msg.setChatType('groupChat');
      WebIM.conn.send(msg.body);
    },
    getGroupMsgReadUser: ({ msgId, groupId }) => {
      WebIM.conn.getGroupMsgReadUser({
        msgId,
        groupId,
      }).then((res) => {
        tell('getGroupMsgReadUser', { users: res.data.userlist });
      });
    },
    sendChannelAck: ({ to }) => {
      var msg = new WebIM.message('channel', conn.getUniqueId());
      msg.set({
        to,
      });
      conn.send(msg.body);
    },
    sendGroupChannelAck: ({ to }) => {
      var msg = new WebIM.message('channel', conn.getUniqueId());
      msg.set({
        to,
        chatType: 'groupChat',
      });
      conn.send(msg.body);
    },
  };

  /** The four examples of files differ in what is named here, and, the image's, in where `ext` stands. */
  function attachment(name, kind, inputId, types, own) {
    var id = conn.getUniqueId();
    var msg = new WebIM.message(kind, id);
    var input = document.getElementById(inputId);
    var file = WebIM.utils.getFileUrl(input);
    var allowType = Object.fromEntries(types.map((type) => [type, true]));
    if (file.filetype.toLowerCase() in allowType) {
      var option = {
        file: file,
        ...own,
        chatType: 'singleChat',
        onFileUploadError: function () { tell(`${name} onFileUploadError`); },
        onFileUploadProgress: function (e) { tell(`${name} onFileUploadProgress`, { loaded: e.loaded, total: e.total }); },
        onFileUploadComplete: function () { tell(`${name} onFileUploadComplete`); },
        success: function () { tell(`${name} success`); },
        fail: function (e) { tell(`${name} fail`, { type: e.type }); },
        flashUpload: WebIM.flashUpload,
        ext: { file_length: file.data.size },
      };
      msg.set(option);
      conn.send(msg.body);
    }
  }

  /** What the examples rest on and other pages of the vendor's show. */
  const before = {
    open: ({ name = settings.username } = {}) =>
      void conn.open({ user: name, pwd: settings.password, appKey: settings.app_key, apiUrl: settings.rest }),
    close: () => conn.close(),
    createGroup: ({ members }) =>
      conn.createGroupNew({
        data: { groupname: 'g', desc: 'g', members, public: true, approval: false, allowinvites: true, inviteNeedConfirm: false, maxusers: 200 },
        success: () => {},
      }),
    createRoom: ({ members }) =>
      conn.createChatRoom({ name: 'r', description: 'r', maxusers: 200, members }).then(({ data }) => tell('createChatRoom', { room: data.id })),
    joinRoom: ({ room }) => conn.joinChatRoom({ roomId: room }).then(() => tell('joinChatRoom')),
    block: ({ name }) => conn.addToBlackList({ name: [name] }),
    unblock: ({ name }) => conn.removeFromBlackList({ name: [name] }),
    mute: ({ group, name }) =>
      conn.mute({ groupId: group, username: name, muteDuration: 60_000 }).then(() => tell('mute')),
    unmute: ({ group, name }) => conn.removeMute({ groupId: group, username: name }).then(() => tell('removeMute')),
    subscribe: ({ name }) => conn.subscribe({ to: name, message: 'hello' }),
    subscribed: ({ name }) => conn.subscribed({ to: name }),
    getRoster: () => conn.getRoster(),
  };

  const calls = { ...examples, ...before };
  return (name, bodyText) => {
    calls[name](JSON.parse(bodyText));
    return '{}';
  };
};
