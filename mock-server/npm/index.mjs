//! The same package for `import`.

import server from './index.cjs';

export const { startMockServer, MockServerError } = server;
