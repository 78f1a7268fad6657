//! Logging in and out, and local ids.

'use strict';

(kit) => {
  const { call } = kit;

  kit.sessionCommands = ({ conn, settings, fail }) => {
    const open = (credentials) =>
      void call(conn, 'conn', 'open', { user: settings.username, ...credentials }).catch(fail);
    return {
      login_password: ({ password }) => open({ pwd: password }),
      login_token: ({ token }) => open({ accessToken: token }),
      close: () => void call(conn, 'conn', 'close'),
      unique_ids: ({ count }) => ({ ids: Array.from({ length: count }, () => String(call(conn, 'conn', 'getUniqueId'))) }),
    };
  };
};
