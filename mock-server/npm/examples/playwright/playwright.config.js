import { defineConfig } from '@playwright/test';

export default defineConfig({
  reporter: 'list',
  // A busy machine takes its time.
  timeout: 60_000,
  expect: { timeout: 30_000 },
  // CHROMIUM is the path of an installed one; without it, Playwright looks for the one that it has installed itself.
  use: { browserName: 'chromium', launchOptions: { executablePath: process.env.CHROMIUM } },
});
