import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__tests__/**/*.test.ts'],
    // They need more than Node, and have configurations of their own.
    exclude: ['terraform', 'localstack', 'cluster', 'checkov', 'image'].map(
      (folder) => `__tests__/${folder}/**`,
    ),
    // One embedded PostgreSQL for the whole run; each test file has a database of its own.
    globalSetup: [
      '__tests__/support/temporary-folder-global-setup.ts',
      '__tests__/listener/support/postgres-global-setup.ts',
    ],
    setupFiles: ['__tests__/support/startup.ts', '__tests__/support/matchers.ts'],
    // Loading cdktf and its providers takes most of the time: once a worker is enough.
    isolate: false,
    // The slowest tests wait for processes and for PostgreSQL: every core has a worker.
    maxWorkers: '100%',
    // Bounds for a busy machine, so that a test that hangs ends; nothing is asserted about time.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
