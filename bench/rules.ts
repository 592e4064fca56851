/**
 * Seconds to check and to apply a rule set of 2,000 files on a PostgreSQL that flushes to disk: for the first time, with
 * nothing changed, and with every mapping changed. Each time a process of its own, its start included; its CPU says
 * what a busy machine hides.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startMeasuredPostgres } from './intake/measured-postgres.ts';

const ROOT = join(import.meta.dirname, '..');
const MAIN = join(ROOT, 'listener/src/main.ts');

/** Half of them mappings, half of them monitored files. */
const FILES = 2_000;

const folder = mkdtempSync(join(tmpdir(), 'bench-rules-'));
// As root, PostgreSQL runs as another user, who has to get to its data.
chmodSync(folder, 0o711);
const rules = join(folder, 'rules');
const officers = JSON.parse(
  readFileSync(join(ROOT, 'listener/seed/mappings/officer_detail.v1.json'), 'utf8'),
);

function writeRules(minRows: number): void {
  for (const kind of ['mappings', 'monitoring_files']) {
    mkdirSync(join(rules, kind), { recursive: true });
  }
  for (let index = 0; index < FILES / 2; index++) {
    const { tableSchema } = officers;
    const mapping = { name: `officers_${index}`, tableSchema, thresholds: { minRows } };
    writeFileSync(join(rules, 'mappings', `${index}.yaml`), stringify(mapping));
    const file = {
      client: `client_${index}`,
      bucket: 'etl-bench',
      keyPattern: `from_client/client_${index}/**/Officer_Detail.csv`,
      mapping: mapping.name,
    };
    writeFileSync(join(rules, 'monitoring_files', `${index}.yaml`), stringify(file));
  }
}

function measure(what: string, parameters: readonly string[], url: string): void {
  const begin = performance.now();
  const reporter = join(import.meta.dirname, 'report-cpu.cjs');
  const { status, stderr, output } = spawnSync(
    process.execPath,
    ['-r', reporter, MAIN, ...parameters],
    {
      env: { PATH: process.env.PATH, DATABASE_URL: url },
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    },
  );
  if (status !== 0) throw new Error(`${parameters.join(' ')} ended with ${status}: ${stderr}`);
  const seconds = ((performance.now() - begin) / 1000).toFixed(2).padStart(6);
  const cpu = (Number(output[3]) / 1e6).toFixed(2);
  console.log(`${seconds} s, ${cpu} s of CPU  ${what}`);
}

const postgres = await startMeasuredPostgres(folder);
try {
  const apply = ['rules', 'apply', rules];
  writeRules(1);
  measure('migrate, for comparison', ['migrate'], postgres.url);
  measure(`rules check of ${FILES} files`, ['rules', 'check', rules], postgres.url);
  measure('rules apply, all of it new (at most 10)', apply, postgres.url);
  measure('rules apply, nothing changed', apply, postgres.url);
  writeRules(2);
  measure('rules apply, every mapping changed', apply, postgres.url);
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
