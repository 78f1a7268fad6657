//! Messages with files, and the fetching of files: by the SDK's own upload and download, but for the mini-program's
//! way, in which the app uploads.

'use strict';

(kit) => {
  const { call, shown } = kit;
  const webim = () => globalThis.WebIM;

  kit.attachmentCommands = (device) => {
    const { conn, settings, tell, uploadFailed, user } = device;
    const send = kit.sender(device);
    /** What the file input of a page holds when a person has chosen the file, through the SDK's own eyes. */
    const chosen = ({ file, filename, media_type }) =>
      call(webim().utils, 'WebIM.utils', 'getFileUrl', user.fileInput(file, filename, media_type));
    /** What a paste event brings, as the vendor's example hands it on. */
    const pasted = () => {
      if (!user.pasted) throw new kit.Missing('a paste event: this is no page');
      const data = user.pasted();
      return { data, url: URL.createObjectURL(data), filename: data.name, filetype: data.type.split('/')[1] };
    };
    const upload = (type, body, own, file = chosen) =>
      send(type, body, {
        file: file(body),
        apiUrl: settings.rest, // 3.0.6 uploads nowhere else
        ...own,
        onFileUploadProgress: ({ loaded, total }) => tell('upload_progress', { handle: body.handle, loaded, total }),
        onFileUploadComplete: (answer) => tell('uploaded', uploaded(body.handle, answer)),
        onFileUploadError: (failure) => uploadFailed(body.handle, failure),
      });
    return {
      send_image: (body) => upload('img', body, { width: body.width, height: body.height }),
      paste_image: (body) => upload('img', body, { width: body.width, height: body.height }, pasted),
      send_file: (body) => upload('file', body, {}),
      send_audio: (body) => upload('audio', body, { length: body.length }),
      send_video: (body) => upload('video', body, { length: body.length }),
      send_image_url: (body) => {
        const { url, filename, width, height } = body;
        const filetype = filename.slice(filename.lastIndexOf('.') + 1);
        send('img', body, { body: { type: 'file', url, size: { width, height }, filename, filetype } });
      },
      send_image_two_step: (body) => {
        const { handle, filename, width, height } = body;
        const { data, filetype } = chosen(body);
        const done = (answer) => {
          tell('uploaded', uploaded(handle, answer));
          const url = `${answer.uri}/${answer.entities[0].uuid}`;
          const content = { type: 'img', size: { width, height }, url, filetype, filename };
          send('img', body, { apiUrl: settings.rest, body: content });
        };
        const failed = () => uploadFailed(handle);
        post(`${settings.rest}/${settings.app_key.replace('#', '/')}/chatfiles`, conn.context.accessToken, data, done, failed);
      },
      download: ({ handle, url, secret, accept }) => {
        const options = {
          url,
          onFileDownloadComplete: (blob) => {
            const { type: media_type, size: bytes } = blob;
            user.sha256(blob, (sha256) => tell('downloaded', { handle, media_type, bytes, sha256 }));
          },
          onFileDownloadError: (failure) => tell('download_failed', { handle, type: shown(failure?.type) }),
        };
        if (secret !== undefined) options.secret = secret;
        if (accept !== undefined) options.headers = { Accept: accept };
        const { download } = webim().utils;
        if (typeof download !== 'function') throw new kit.Missing('WebIM.utils.download');
        download.call(conn, options);
      },
    };
  };

  /** @returns {(handle: string, failure?: object) => void} tells of an upload's failure, once a handle */
  kit.uploadFailures = (tell) => {
    const told = new Set();
    return (handle, failure) => {
      if (told.has(handle)) return;
      told.add(handle);
      tell('upload_failed', { handle, type: shown(failure?.type) });
    };
  };

  function uploaded(handle, answer) {
    const entity = answer?.entities?.[0];
    return { handle, uuid: shown(entity?.uuid), secret: shown(entity?.['share-secret']) };
  }

  /** What a mini-program's `uploadFile` does: a multipart POST that knows nothing of the SDK. */
  function post(url, token, file, done, failed) {
    const xhr = new XMLHttpRequest();
    xhr.addEventListener('load', () => {
      if (xhr.status !== 200) failed();
      else done(JSON.parse(xhr.responseText));
    });
    xhr.addEventListener('error', failed);
    xhr.open('POST', url);
    xhr.setRequestHeader('Authorization', `Bearer ${token}`);
    const form = new FormData();
    form.append('file', file);
    xhr.send(form);
  }
};
