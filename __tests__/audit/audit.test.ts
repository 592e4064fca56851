import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeStack, PLANTED_FAULTS, plantFaults } from '../fixtures/audit/bad-stack.ts';
import { ROOT } from '../support/run-main.ts';
import { reportsOf, runAuditHere } from './support/run-audit.ts';
import {
  copyOf,
  synthesizedFolder,
  type TemporaryFolder,
  temporaryFolder,
} from './support/synthesized-folder.ts';

const RULES_ONLY = ['--only-rules', '--json', '--without-accepted'];

let good: TemporaryFolder;
let out: TemporaryFolder;
const folders: TemporaryFolder[] = [];

beforeAll(() => {
  good = synthesizedFolder('complete');
  out = temporaryFolder();
  folders.push(good, out);
});
afterAll(() => {
  for (const { remove } of folders) remove();
});

/** A copy of the good synthesis with one change by hand. */
function changed(change: Parameters<typeof changeStack>[1], stack?: string): string {
  const copy = copyOf(good);
  folders.push(copy);
  changeStack(copy.path, change, stack);
  return copy.path;
}

async function auditOf(folder: string) {
  const run = await runAuditHere([...RULES_ONLY, '--from', folder, '--out', out.path]);
  const [report] = reportsOf(run);
  if (report === undefined) throw new Error(run.stderr);
  return { code: run.code, report };
}

describe.each(['etl-playground', 'complete', 'government'])(
  'the audit of the environment %s',
  (name) => {
    let run: Awaited<ReturnType<typeof runAuditHere>>;
    beforeAll(async () => {
      run = await runAuditHere([
        '--only-rules',
        '--json',
        '--environment',
        name,
        '--out',
        out.path,
      ]);
    });

    it('is green, in both partitions', () => {
      const [report] = reportsOf(run);
      expect(report?.findings).toEqual([]);
      expect(run.code).toBe(0);
      expect(report?.regions).toStrictEqual([
        { region: 'us-gov-west-1', partition: 'aws-us-gov' },
        { region: 'us-east-1', partition: 'aws' },
      ]);
    });

    it('leaves the reports and the JSON that was audited', () => {
      const left = (path: string) => existsSync(join(out.path, name, path));
      expect(left('report.html')).toBe(true);
      expect(left('report.json')).toBe(true);
      expect(left('report.sarif')).toBe(true);
      expect(left('cdktf.out/stacks/file-processing/cdk.tf.json')).toBe(true);
      expect(left('us-east-1/cdktf.out/stacks/file-processing/cdk.tf.json')).toBe(true);
    });

    it('synthesizes for the second region without a trace of the first', () => {
      const path = join(name, 'us-east-1/cdktf.out/stacks/file-processing/cdk.tf.json');
      expect(readFileSync(join(out.path, path), 'utf8')).not.toMatch(/us-gov/);
    });
  },
);

describe('the audit of an environment', () => {
  it('refuses one that does not exist', async () => {
    const run = await runAuditHere(['--only-rules', '--environment', 'nowhere', '--out', out.path]);
    expect(run.code).toBe(64);
    expect(run.stderr).toContain('nowhere');
  });

  it("refuses to report where it can't write", async () => {
    const file = join(ROOT, 'package.json');
    const run = await runAuditHere(['--only-rules', '--out', join(file, 'reports')]);
    expect(run.stderr).toBe(
      `error: ${file}/reports can't be written (ENOTDIR)\nnext: --out names another folder for the reports\n`,
    );
    expect(run.code).toBe(64);
  });

  it('refuses in one line where a report cannot be written', async () => {
    const place = temporaryFolder();
    folders.push(place);
    mkdirSync(join(place.path, 'complete/report.html'), { recursive: true });
    const run = await runAuditHere([
      ...['--only-rules', '--from', good.path, '--environment', 'complete', '--out', place.path],
    ]);
    expect(run.stderr).toMatch(/^error: what the audit writes can't be written: EISDIR: .*\n$/);
    expect(run.code).toBe(64);
  });
});

describe('the audit of a folder', () => {
  it('is green on what was synthesized, and knows its environment by the tags', async () => {
    const { code, report } = await auditOf(good.path);
    expect(report.findings).toEqual([]);
    expect(report.environment).toBe('complete');
    expect(code).toBe(0);
  });

  it('says that a resource was taken out, and is red by the rules that miss it alone', async () => {
    const folder = changed(({ resource }) => {
      delete resource.aws_ecr_lifecycle_policy;
    });
    const { code, report } = await auditOf(folder);
    const rules = report.findings.map(({ rule }) => rule);
    expect(rules).toContain('images-are-kept');
    expect(rules.filter((rule) => rule.startsWith('floor-'))).toEqual([]);
    expect(report.notes.join(' ')).toContain('resources are synthesized, recorded are');
    expect(code).toBe(1);
  });

  it('is red on a Kubernetes resource of a kind that it cannot show', async () => {
    const folder = changed(({ resource }) => {
      resource.kubernetes_unheard_of_v9 = { thing: { metadata: { name: 'thing' } } };
    });
    const { code, report } = await auditOf(folder);
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        rule: 'manifest-can-not-be-made',
        message: expect.stringContaining('kubernetes_unheard_of_v9'),
      }),
    );
    expect(code).toBe(1);
  });

  it('refuses JSON that is not of the form of Terraform, and names the folder', async () => {
    const folder = changed((json) => {
      json.resource.aws_sns_topic = null;
    });
    const run = await runAuditHere([...RULES_ONLY, '--from', folder, '--out', out.path]);
    expect(run.code).toBe(64);
    expect(run.stderr).toContain("has not the form of Terraform's");
  });

  it('is red when a waived fault gets worse', async () => {
    const folder = changed(({ resource }) => {
      resource.aws_eks_cluster.this.vpc_config.public_access_cidrs = ['0.0.0.0/0'];
    });
    const { code, report } = await auditOf(folder);
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        rule: 'cluster-api-private',
        message: expect.stringContaining('0.0.0.0/0'),
      }),
    );
    expect(code).toBe(1);
  });

  it('is green on a fault that somebody waives, and needs no other floors for it', async () => {
    const folder = changed(({ resource }) => {
      resource.aws_ecr_repository.file_processing.image_tag_mutability = 'MUTABLE';
    });
    const { code, report } = await auditOf(folder);
    expect(code).toBe(1);
    const [finding] = report.findings;
    const root = temporaryRoot();
    for (const name of ['audit/waivers.yaml', 'audit/floors.json', 'environments']) {
      cpSync(join(ROOT, name), join(root, name), { recursive: true });
    }
    const waiver = {
      rule: finding?.rule,
      address: finding?.place,
      finding: finding?.message,
      reason: 'The tags of this repository are moved by a release tool.',
      owner: 'platform team',
      expires: '2027-06-30',
    };
    const file = join(root, 'audit/waivers.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n- ${JSON.stringify(waiver)}\n`);
    const waived = await runAuditHere([...RULES_ONLY, '--from', folder, '--out', out.path], {
      root,
    });
    expect(reportsOf(waived)[0]?.findings).toEqual([]);
    expect(waived.code).toBe(0);
  });

  it('says that nothing is known of an environment without a floor', async () => {
    const folder = changed(({ provider }) => {
      provider.aws[0].default_tags[0].tags.Environment = 'elsewhere';
    });
    const { report } = await auditOf(folder);
    expect(report.environment).toBe('elsewhere');
    expect(report.notes.join(' ')).toContain('No floor is recorded for elsewhere');
  });

  it.each(['manifest.json', 'stacks/file-processing/cdk.tf.json'])(
    'names a %s that is missing or broken',
    async (file) => {
      const folder = copyOf(good);
      folders.push(folder);
      for (const spoil of [() => writeFileSync(join(folder.path, file), '{'), folder.remove]) {
        spoil();
        const run = await runAuditHere(['--only-rules', '--from', folder.path, '--out', out.path]);
        expect(run.code).toBe(64);
        expect(run.stderr).toContain(folder.path);
      }
    },
  );
});

describe('a folder that the audit itself writes', () => {
  it.each(['complete/us-east-1/cdktf.out', 'complete/us-east-1/cdktf.out/inner'])(
    'is refused as input and kept, as %s',
    async (path) => {
      const folder = temporaryRoot();
      const from = join(folder, path);
      cpSync(good.path, from, { recursive: true });
      const parameters = ['--from', from, '--out', folder];
      // A scanner must be there for anything to be written; it is refused before one runs.
      const run = await runAuditHere(parameters, { env: { CHECKOV: process.execPath } });
      expect(run.code).toBe(64);
      expect(run.stderr).toContain('is cleared by this audit');
      expect(existsSync(join(from, 'manifest.json'))).toBe(true);
    },
  );

  it('is read where no scanner looks, as nothing is written then', async () => {
    const folder = temporaryRoot();
    const from = join(folder, 'complete/us-east-1/cdktf.out');
    cpSync(good.path, from, { recursive: true });
    const run = await runAuditHere([...RULES_ONLY, '--from', from, '--out', folder]);
    expect(run.code).toBe(0);
  });
});

describe('the floors', () => {
  it('are recorded, and lowered only when told to', async () => {
    const root = temporaryRoot();
    const recorded = (from: string, ...more: readonly string[]) =>
      runAuditHere([...RULES_ONLY, '--record-floors', ...more, '--from', from, '--out', out.path], {
        root,
      });
    const resources = () =>
      JSON.parse(readFileSync(join(root, 'audit/floors.json'), 'utf8')).complete['us-gov-west-1']
        .resources;

    await recorded(good.path);
    const before = resources();
    const smaller = changed(({ resource }) => {
      delete resource.aws_ecr_lifecycle_policy;
    });
    const refused = await recorded(smaller);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('floors would go down');
    expect(resources()).toBe(before);

    await recorded(smaller, '--lower');
    expect(resources()).toBe(before - 1);
  });
});

describe('the bad stack', () => {
  let findings: readonly { readonly rule: string; readonly place: string }[];

  beforeAll(async () => {
    const bad = copyOf(good);
    folders.push(bad);
    plantFaults(bad.path);
    ({
      report: { findings },
    } = await auditOf(bad.path));
  });

  it.each(PLANTED_FAULTS)('is red by $rule: $title', ({ rule, address }) => {
    expect(findings).toContainEqual(
      expect.objectContaining({
        rule,
        // Of a container, the rule names it behind the address.
        place: expect.stringMatching(`^file-processing/${address}( |$)`),
      }),
    );
  });
});

describe('the command', () => {
  it.each([
    ['an unknown option', ['--nonsense']],
    ['two environments for one folder', ['--from', 'x', '--environment', 'a', 'b']],
    ['scanners that are required and left out', ['--only-rules', '--require-scanners']],
  ])('refuses %s', async (_, parameters) => {
    expect((await runAuditHere(parameters)).code).toBe(64);
  });

  it('says how to install a scanner that is required and missing', async () => {
    const run = await runAuditHere(['--require-scanners', '--from', good.path, '--out', out.path], {
      root: temporaryRoot(),
      env: { PATH: '' },
    });
    expect(run.code).toBe(69);
    expect(run.stderr).toContain('pip install');
  });

  it('explains itself', async () => {
    const { code, stdout } = await runAuditHere(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('audit/waivers.yaml');
  });

  it('is red on a waiver that is past its day', async () => {
    const run = await runAuditHere([...RULES_ONLY, '--from', good.path, '--out', out.path], {
      now: new Date('2031-01-01T00:00:00Z'),
    });
    expect(reportsOf(run)[0]?.findings.map(({ rule }) => rule)).toContain('waiver-expired');
    expect(run.code).toBe(1);
  });
});

function temporaryRoot(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder.path;
}
