import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The SDK wants a page: a WebSocket, requests, a storage.
    environment: 'jsdom',
    // A busy machine takes its time; what is waited for comes, or the server says what came instead.
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 60_000,
    testTimeout: 60_000,
  },
});
