module.exports = {
  // The SDK wants a page: a WebSocket, requests, a storage.
  testEnvironment: 'jsdom',
  // A busy machine takes its time.
  testTimeout: 60_000,
};
