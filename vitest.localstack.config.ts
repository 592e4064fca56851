import { defineConfig } from 'vitest/config';

/**
 * The tests that need LocalStack, and so Python 3.11: `vitest run --config
 * vitest.localstack.config.ts`. Plain `npm test` leaves them out and needs nothing but Node.
 */
export default defineConfig({
  test: {
    include: ['__tests__/localstack/**/*.test.ts'],
    globalSetup: [
      '__tests__/support/temporary-folder-global-setup.ts',
      '__tests__/localstack/support/global-setup.ts',
      '__tests__/listener/support/postgres-global-setup.ts',
    ],
    pool: 'forks',
    isolate: false,
    // Each worker has a LocalStack, and each file a database and listeners of its own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
