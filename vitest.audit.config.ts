import { defineConfig } from 'vitest/config';

/**
 * The tests that need checkov, and so Python: `vitest run --config vitest.audit.config.ts`. They are
 * also the audit of both environments with the scanner. Plain `npm test` leaves them out.
 */
export default defineConfig({
  test: {
    include: ['__tests__/checkov/**/*.test.ts'],
    globalSetup: [
      '__tests__/support/temporary-folder-global-setup.ts',
      '__tests__/checkov/support/global-setup.ts',
    ],
    pool: 'forks',
    isolate: false,
    // An audit keeps several cores busy by itself.
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    reporters: ['default'],
  },
});
