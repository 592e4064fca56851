import { defineConfig } from 'vitest/config';
import { GO_MEMORY } from './__tests__/support/go-memory.ts';

/**
 * The tests that need Terraform, its AWS provider and Python: `vitest run --config
 * vitest.terraform.config.ts`. Plain `npm test` leaves them out and needs nothing but Node.
 */
export default defineConfig({
  test: {
    include: ['__tests__/terraform/**/*.test.ts'],
    globalSetup: [
      '__tests__/support/temporary-folder-global-setup.ts',
      '__tests__/terraform/support/global-setup.ts',
    ],
    env: GO_MEMORY,
    pool: 'forks',
    isolate: false,
    // Every file has an emulator and work folders of its own, and an apply is mostly the provider
    // waiting (25 seconds for each SQS attribute): five files wait side by side.
    maxWorkers: 5,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['default'],
  },
});
