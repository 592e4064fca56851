import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__tests__/**/*.test.ts'],
    exclude: ['__tests__/terraform/**'],
    setupFiles: ['__tests__/support/matchers.ts'],
    // Loading cdktf and its providers takes most of the time: once a worker is enough.
    isolate: false,
  },
});
