//! Tokens while logged in: going on with another one, and being told that one ends.

'use strict';

(kit) => {
  kit.tokensCommands = ({ ask, tell }) => ({
    renew_token: ({ handle, token }) => ask(handle, 'renewToken', token, () => tell('done', { handle })),
  });

  kit.tokensListeners = ({ tell }) => ({
    onTokenWillExpire: () => tell('token_will_expire', {}),
    onTokenExpired: () => tell('token_expired', {}),
  });
};
