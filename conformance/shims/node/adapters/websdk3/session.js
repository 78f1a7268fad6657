//! Logging in and out, and local ids.

'use strict';

(kit) => {
  const { call } = kit;

  kit.sessionCommands = ({ conn, settings }) => {
    // 3.0.6 takes the REST address from here only.
    const open = (credentials) =>
      call(conn, 'conn', 'open', { user: settings.username, appKey: settings.app_key, apiUrl: settings.rest, ...credentials });
    return {
      login_password: ({ password }) => void open({ pwd: password }),
      login_token: ({ token }) => void open({ accessToken: token }),
      close: () => void call(conn, 'conn', 'close'),
      unique_ids: ({ count }) => ({ ids: Array.from({ length: count }, () => String(call(conn, 'conn', 'getUniqueId'))) }),
    };
  };
};
