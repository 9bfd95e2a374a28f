import { defineConfig } from 'vitest/config';
import { SkipReporter } from './test/helpers/skip-reporter.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    globals: false,
    // Processes, not threads: the `cap` module works only in a main thread, and a test that ends a process in error takes no
    // other with it.
    pool: 'forks',
    maxWorkers: 2,
    // A lost wake-up or a hung thread shows as a test that does not end; a loaded Raspberry Pi shows as a slow one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', new SkipReporter()],
  },
});
