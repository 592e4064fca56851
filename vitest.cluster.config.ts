import { defineConfig } from 'vitest/config';

/**
 * The tests that need a real Kubernetes control plane, and so Go or its binaries, and kubectl:
 * `vitest run --config vitest.cluster.config.ts`. Plain `npm test` leaves them out and needs nothing
 * but Node.
 */
export default defineConfig({
  test: {
    include: ['__tests__/cluster/**/*.test.ts'],
    // One control plane for the whole run; each test file has namespaces of its own.
    globalSetup: [
      '__tests__/support/temporary-folder-global-setup.ts',
      '__tests__/cluster/support/global-setup.ts',
    ],
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
