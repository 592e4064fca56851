import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../audit/report/summary.ts';
import { runCheckov } from '../../audit/scanners/checkov.ts';
import type { CheckovReport } from '../../audit/scanners/checkov-report.ts';
import { reportsOf, runAuditHere } from '../audit/support/run-audit.ts';
import {
  copyOf,
  synthesizedFolder,
  type TemporaryFolder,
  temporaryFolder,
} from '../audit/support/synthesized-folder.ts';
import { changeStack, PLANTED_FAULTS, plantFaults } from '../fixtures/audit/bad-stack.ts';
import { ROOT } from '../support/run-main.ts';
import { checkovProgram } from './support/checkov.ts';

let env: Readonly<Record<string, string | undefined>>;
let program: string;
let good: TemporaryFolder;
let out: TemporaryFolder;
const folders: TemporaryFolder[] = [];

beforeAll(async () => {
  program = await checkovProgram();
  env = { ...process.env, CHECKOV: program };
  good = synthesizedFolder('complete');
  out = temporaryFolder();
  folders.push(good, out);
});
afterAll(() => {
  for (const { remove } of folders) remove();
});

async function auditsOf(...parameters: readonly string[]) {
  const run = await runAuditHere(
    [...parameters, '--require-scanners', '--json', '--out', out.path],
    { env },
  );
  const reports = reportsOf(run);
  if (reports.length === 0) throw new Error(run.stderr);
  return { code: run.code, reports };
}

async function auditOf(folder: string) {
  const { code, reports } = await auditsOf('--from', folder);
  return { code, report: reports[0] as Report };
}

/** Checkov looks at several files at once, and says things in any order. */
function inOrder(report: CheckovReport | undefined) {
  if (report === undefined || report.checks.length === 0) throw new Error('It said nothing');
  return report.checks
    .map(({ framework, id, address, passed }) => `${framework} ${id} ${address} ${passed}`)
    .sort();
}

describe('the audit with its scanner', () => {
  const environments = ['etl-playground', 'complete', 'government'];
  let audits: Awaited<ReturnType<typeof auditsOf>>;

  // One call, since the start of checkov takes most of its time.
  beforeAll(async () => {
    audits = await auditsOf('--environment', ...environments);
  });

  it.each(environments)('is green on %s', (environment) => {
    const report = audits.reports.find((one) => one.environment === environment) as Report;
    expect(report.findings).toEqual([]);
    expect(audits.code).toBe(0);
    // Three looks in each of two regions, every resource read by each that reads it at all.
    expect(report.summary).toHaveLength(6);
    const resourcesOf = (by: (look: (typeof report.summary)[number]) => boolean) =>
      report.summary.filter(by).map(({ resources }) => resources);
    // The regions may differ: one has FIPS endpoints that the other does without.
    const [first, second] = resourcesOf(({ by }) => by === 'own rules');
    expect(first).toBe(report.inventory.length);
    expect(resourcesOf(({ view }) => view === 'plan')).toEqual([first, second]);
  });

  it('looks at a given folder in both partitions, by the scanner alone in the second', async () => {
    const { code, report } = await auditOf(good.path);
    expect(report.findings).toEqual([]);
    expect(report.summary.map(({ region, by, view }) => `${region} ${by} ${view}`)).toEqual([
      'us-gov-west-1 own rules synthesized JSON and manifests',
      'us-gov-west-1 checkov 3.3.30 plan',
      'us-gov-west-1 checkov 3.3.30 manifests',
      'us-east-1 checkov 3.3.30 plan',
      'us-east-1 checkov 3.3.30 manifests',
    ]);
    expect(code).toBe(0);
  });
});

describe('the bad stack', () => {
  const faults = PLANTED_FAULTS.filter(({ checkov }) => checkov !== undefined);
  let findings: readonly { readonly rule: string; readonly place: string }[];

  beforeAll(async () => {
    const bad = copyOf(good);
    folders.push(bad);
    plantFaults(bad.path);
    ({
      report: { findings },
    } = await auditOf(bad.path));
  });

  it.each(faults)('is red by $checkov: $title', ({ checkov, address }) => {
    expect(findings).toContainEqual(
      expect.objectContaining({ rule: checkov, place: `file-processing/${address}` }),
    );
  });
});

describe('the floors', () => {
  it('notice an annotation that switches a check off', async () => {
    const folder = copyOf(good);
    folders.push(folder);
    changeStack(folder.path, ({ resource }) => {
      resource.kubernetes_deployment_v1.sns_listener.metadata.annotations = {
        'checkov.io/skip1': 'CKV_K8S_11=no limit',
      };
    });
    const { code, report } = await auditOf(folder.path);
    expect(report.findings.map(({ rule }) => rule)).toContain('floor-skipped-checks');
    expect(code).toBe(1);
  });
});

describe('checkov', () => {
  it('on a folder that holds nothing has seen nothing', async () => {
    const empty = temporaryFolder();
    folders.push(empty);
    const [report] = await runCheckov(program, [empty.path], ROOT, env);
    expect(report?.seen).toEqual({ terraform_plan: [], kubernetes: [] });
  });

  describe('on the same addresses in two folders, with other resources behind them', () => {
    const skipping = { CKV_SKIP_CHECK: 'CKV_AWS_7', CHECKOV_SKIP_CHECK: 'CKV_AWS_7' };
    let beside: CheckovReport | undefined;
    let alone: CheckovReport | undefined;

    beforeAll(async () => {
      const views = ['complete', 'etl-playground'].map((environment) =>
        join(out.path, environment, 'us-gov-west-1/views/file-processing'),
      );
      [, beside] = await runCheckov(program, views, ROOT, env);
      [alone] = await runCheckov(program, views.slice(1), ROOT, { ...env, ...skipping });
    });

    it('is not configured by variables of the caller', () => {
      expect(alone?.checks.map(({ id }) => id)).toContain('CKV_AWS_7');
    });

    it('says of a folder beside the other what it says of it alone', () => {
      expect(inOrder(beside)).toEqual(inOrder(alone));
    });
  });

  it('says when it breaks down', async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    const broken = join(folder.path, 'checkov');
    writeFileSync(broken, '#!/bin/sh\necho "no module named yaml" >&2\nexit 2\n', { mode: 0o755 });
    await expect(runCheckov(broken, [folder.path], ROOT, env)).rejects.toThrow(
      'no module named yaml',
    );
  });
});
