//! The mock server from a test: its program is found, started on a free port, and ended with the test. What happens in its
//! worlds is `lib/world.cjs`, each call one request. Nothing is downloaded, and nobody waits by the clock.

'use strict';

const { MockServerError } = require('./lib/error.cjs');
const { startMockServer } = require('./lib/start.cjs');

module.exports = { startMockServer, MockServerError };
