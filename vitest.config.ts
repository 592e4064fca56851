import './contract/require-node.cjs';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { GO_MEMORY } from './__tests__/support/go-memory.ts';

/** Temporary files of the run, and all that outlives a killed one. */
const FOLDER = '__tests__/support/temporary-folder-global-setup.ts';

/** One embedded PostgreSQL for the whole run; each test file has a database of its own. */
const POSTGRES = '__tests__/listener/support/postgres-global-setup.ts';

/** The inputs of property tests. */
const SEED = '__tests__/support/property-seed.ts';

/** What the tests of one folder need more than Node. */
interface Needs {
  readonly globalSetup: readonly string[];
  readonly maxWorkers?: number;
  /** Milliseconds that a test may take. Bounds for a busy machine, so that one that hangs ends. */
  readonly test: number;
  /** Milliseconds that a hook may take. */
  readonly hook: number;
  readonly env?: Readonly<Record<string, string>>;
}

const OTHERS: Readonly<Record<string, Needs>> = {
  // Chromium and Firefox (Debian's packages chromium and firefox-esr).
  browser: { globalSetup: [POSTGRES], maxWorkers: 1, test: 120_000, hook: 300_000 },
  // Python, for checkov. An audit keeps several cores busy by itself.
  checkov: {
    globalSetup: ['__tests__/checkov/support/global-setup.ts'],
    maxWorkers: 1,
    test: 300_000,
    hook: 600_000,
  },
  // A Kubernetes control plane, and so Go or its binaries, and kubectl. The run has one of them;
  // each test file has namespaces of its own.
  cluster: {
    globalSetup: ['__tests__/cluster/support/global-setup.ts', POSTGRES],
    maxWorkers: 2,
    test: 300_000,
    hook: 300_000,
  },
  // Linux, root, podman and docker-registry (Debian's packages), to build and start the image.
  image: { globalSetup: [POSTGRES], test: 120_000, hook: 600_000 },
  // Python 3.11, for LocalStack. Each worker has one, and each file a database and listeners.
  localstack: {
    globalSetup: ['__tests__/localstack/support/global-setup.ts', POSTGRES],
    maxWorkers: 2,
    test: 120_000,
    hook: 300_000,
  },
  // Go, for promtool and the collector's OTLP receiver.
  monitoring: { globalSetup: [POSTGRES], test: 120_000, hook: 1_800_000 },
  // cosign, which Go builds.
  cosign: { globalSetup: [], maxWorkers: 1, test: 120_000, hook: 3_600_000 },
  // Kueue and a Kubernetes control plane, which Go builds, and kubectl.
  kueue: { globalSetup: [POSTGRES], maxWorkers: 1, test: 600_000, hook: 3_600_000 },
  // OpenTofu, which Go builds, and what Terraform's tests need beside Terraform.
  opentofu: {
    globalSetup: ['__tests__/opentofu/support/global-setup.ts'],
    test: 600_000,
    hook: 3_600_000,
    env: GO_MEMORY,
  },
  // Python 3.11, for DuckDB and frictionless, which a test compares with.
  oracles: { globalSetup: [], maxWorkers: 1, test: 600_000, hook: 600_000 },
  // PgBouncer and psql, Debian's packages pgbouncer and postgresql-client.
  pgbouncer: { globalSetup: [POSTGRES], maxWorkers: 1, test: 120_000, hook: 120_000 },
  // Terraform, its AWS provider and Python. Every file has an emulator and work folders of its own,
  // and an apply is mostly the provider waiting (25 seconds for each SQS attribute).
  terraform: {
    globalSetup: ['__tests__/terraform/support/global-setup.ts'],
    maxWorkers: 6,
    test: 600_000,
    hook: 600_000,
    env: GO_MEMORY,
  },
};

/**
 * `vitest run --project NAME`, as the scripts of package.json say. The project `unit` is `npm test`:
 * it has all folders of tests but those of the others, and needs nothing but Node.
 */
export default defineConfig({
  test: {
    projects: [unit(), ...Object.entries(OTHERS).map(other)],
  },
});

function unit(): TestProjectConfiguration {
  return {
    test: {
      name: 'unit',
      include: ['__tests__/**/*.test.ts'],
      exclude: Object.keys(OTHERS).map((folder) => `__tests__/${folder}/**`),
      globalSetup: [FOLDER, POSTGRES],
      setupFiles: ['__tests__/support/startup.ts', '__tests__/support/matchers.ts', SEED],
      // Loading cdktf and its providers takes most of the time: once a worker is enough.
      isolate: false,
      // cdktf asks util.isArray, and there is nothing to be done about it.
      execArgv: ['--disable-warning=DEP0044'],
      // The slowest tests wait for processes and for PostgreSQL: every core has a worker.
      maxWorkers: '100%',
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // Warnings of a synth depend on the day: every Kubernetes version leaves its support some day.
      env: { SOURCE_DATE_EPOCH: `${Date.UTC(2026, 10, 28) / 1000}` },
    },
  };
}

/** @param index the projects of one run follow each other, where several are asked for */
function other([name, needs]: [string, Needs], index: number): TestProjectConfiguration {
  const { globalSetup, test, hook, ...rest } = needs;
  return {
    test: {
      name,
      include: [`__tests__/${name}/**/*.test.ts`],
      globalSetup: [FOLDER, ...globalSetup],
      setupFiles: [SEED],
      pool: 'forks',
      isolate: false,
      testTimeout: test,
      hookTimeout: hook,
      sequence: { groupOrder: index + 1 },
      ...rest,
    },
  };
}
