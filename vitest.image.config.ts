import { defineConfig } from 'vitest/config';

/**
 * The tests that build and start the listener's image, and so need Linux, root, podman and
 * docker-registry (Debian's packages): `vitest run --config vitest.image.config.ts`. Plain `npm test`
 * leaves them out and needs nothing but Node.
 */
export default defineConfig({
  test: {
    include: ['__tests__/image/**/*.test.ts'],
    globalSetup: [
      '__tests__/support/temporary-folder-global-setup.ts',
      '__tests__/listener/support/postgres-global-setup.ts',
    ],
    pool: 'forks',
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
    reporters: ['default'],
  },
});
