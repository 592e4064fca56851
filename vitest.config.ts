import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__tests__/**/*.test.ts'],
    // They need LocalStack: vitest.localstack.config.ts.
    exclude: ['__tests__/localstack/**'],
    // One embedded PostgreSQL for the whole run; each test file has a database of its own.
    globalSetup: ['__tests__/listener/support/postgres-global-setup.ts'],
    isolate: false,
    reporters: ['default'],
  },
});
