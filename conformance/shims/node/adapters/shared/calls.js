//! Calls that have an outcome of their own, by a promise.

'use strict';

(kit) => {
  const { call, shown } = kit;

  /** Makes a call with a handle; a refusal is `call_failed`. */
  kit.asker = ({ conn, tell }) => (handle, name, options, done) => {
    const refused = (failure) => tell('call_failed', { handle, type: shown(failure?.type), message: shown(failure?.message) });
    call(conn, 'conn', name, options)?.then(done, refused);
  };
};
