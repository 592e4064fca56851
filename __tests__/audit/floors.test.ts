import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Look } from '../../audit/findings.ts';
import {
  aboveFloor,
  belowFloor,
  countsOf,
  floorNotes,
  judgeFloors,
  readFloors,
  recordFloors,
  rollCall,
  withCounts,
  writeFloors,
} from '../../audit/floors.ts';
import { ALL_RULES } from '../../audit/rules/all-rules.ts';
import type { CheckovReport } from '../../audit/scanners/checkov-report.ts';
import {
  type FileProcessingSettings,
  fileProcessingVariables,
} from '../../src/settings/file-processing-variables.ts';
import { SettingsError } from '../../src/settings/finding.ts';
import { foundationNetworkVariables } from '../../src/settings/foundation-network-variables.ts';
import {
  type PostgresOnDemandSettings,
  postgresOnDemandVariables,
} from '../../src/settings/postgres-on-demand-variables.ts';
import type { Variable, VariableTable } from '../../src/settings/variable.ts';
import { synthesizePostgres } from '../support/synthesized-postgres.ts';
import { findings } from './support/findings.ts';
import type { Json, Stacks } from './support/renamed-stack.ts';
import { smallModel } from './support/small-stack.ts';
import { auditedOf, DAY, type Settings, stacksOf } from './support/stacks.ts';

describe('a floor', () => {
  it('is kept by the same counts, and by higher ones', () => {
    expect(belowFloor({ resources: 3, rules: 5 }, { resources: 3, rules: 6 })).toEqual([]);
  });

  it('names every count that fell', () => {
    expect(belowFloor({ resources: 3, rules: 5 }, { resources: 2, rules: 4 })).toEqual([
      'Only 2 resources are synthesized, recorded are 3.',
      'Only 4 rules of our own were run, recorded are 5.',
    ]);
  });

  it('does not judge what was not counted', () => {
    expect(belowFloor({ resources: 3, rules: 9 }, { resources: 3 })).toEqual([]);
  });

  it('is too low once a count rose', () => {
    expect(aboveFloor({ resources: 3 }, { resources: 3 })).toBe(false);
    expect(aboveFloor({ resources: 3 }, { resources: 3, rules: 1 })).toBe(true);
  });
});

describe('recorded counts', () => {
  it('replace what was counted and keep the rest', () => {
    const floors = {
      a: { east: { resources: 1, rules: 7 }, west: { resources: 2 } },
      b: { east: { resources: 3 } },
    };
    expect(withCounts(floors, 'a', { east: { resources: 4 } })).toStrictEqual({
      a: { east: { resources: 4, rules: 7 }, west: { resources: 2 } },
      b: { east: { resources: 3 } },
    });
  });
});

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'floors-'));
  file = join(folder, 'floors.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('has no floors where there is no file', () => {
  expect(readFloors(join(folder, 'none.json'))).toEqual({});
});

it('reads what it wrote, environments in order', () => {
  const floors = { b: { east: { resources: 1 } }, a: { east: { resources: 2, rules: 3 } } };
  writeFloors(file, floors);
  expect(readFloors(file)).toEqual(floors);
  expect(readFileSync(file, 'utf8').indexOf('"a"')).toBeLessThan(
    readFileSync(file, 'utf8').indexOf('"b"'),
  );
});

it.each(['{', '[]', '{"a": 1}', '{"a": {"east": {"resources": "many"}}}'])(
  'refuses %s and names the file',
  (text) => {
    writeFileSync(file, text);
    expect(() => readFloors(file)).toThrow(file);
  },
);

it('is silent when exactly the synthesized resources were read', () => {
  expect(rollCall('checkov', ['a.b', 'c.d'], ['c.d', 'a.b'])).toEqual([]);
});

it('names a resource that was not read', () => {
  expect(rollCall('checkov', ['a.b', 'c.d'], ['a.b'])).toStrictEqual([
    { address: 'c.d', message: 'checkov did not read it, though it is synthesized.' },
  ]);
});

it('names a resource that nobody knows', () => {
  expect(rollCall('checkov', ['a.b'], ['a.b', 'x.y'])).toStrictEqual([
    { address: 'x.y', message: 'checkov read it, though it is not synthesized.' },
  ]);
});

const REPORT: CheckovReport = {
  version: '3.3.30',
  checks: [
    {
      framework: 'terraform_plan',
      id: 'CKV_AWS_7',
      name: 'Rotates',
      address: 'aws_kms_key.k',
      passed: true,
    },
  ],
  seen: {
    terraform_plan: ['aws_kms_key.k', 'kubernetes_namespace_v1.n'],
    kubernetes: ['kubernetes_namespace_v1.n'],
  },
  parsingErrors: [],
  skipped: [],
};

const LOOK: Look = {
  region: 'us-east-1',
  partition: 'aws',
  folder: 'cdktf.out',
  model: smallModel({ aws_kms_key: { k: {} }, kubernetes_namespace_v1: { n: {} } }),
  objects: [
    {
      stack: 'app',
      address: 'kubernetes_namespace_v1.n',
      manifest: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } },
    },
  ],
  checks: [{ by: 'rules', rule: 'r', stack: 'app', address: 'aws_kms_key.k', faults: [] }],
  scans: { app: REPORT },
  ruled: true,
  rules: [{ by: 'rules', id: 'r', title: 'R', severity: 'low' }],
};
const RECORDED = { resources: 2, rules: 1 };

function judged(look: Partial<Look>, recorded = RECORDED) {
  return judgeFloors({ ...LOOK, ...look }, recorded).map(
    ({ rule, place, message }) => `${rule} ${place} ${message}`,
  );
}

function scan(report: Partial<CheckovReport>) {
  return { scans: { app: { ...REPORT, ...report } } };
}

describe('the floors', () => {
  it('are kept when everything was read and as many rules were run as recorded', () => {
    expect(judged({})).toEqual([]);
  });

  it('are kept by checks that failed, which count as looks like those that passed', () => {
    const checks = LOOK.checks.map((check) => ({ ...check, faults: ['not rotated'] }));
    expect(judged({ checks, ...scan({ checks: [] }) })).toEqual([]);
  });

  it('are missed by fewer rules', () => {
    expect(judged({ rules: [] })).toEqual([
      'floor-rules-run audit/floors.json Only 0 rules of our own were run, recorded are 1.',
    ]);
  });

  it('are kept by fewer resources, of which there is a note', () => {
    const recorded = { resources: 3, rules: 1 };
    expect(judged({}, recorded)).toEqual([]);
    expect(floorNotes('complete', [LOOK], { complete: { 'us-east-1': recorded } })).toEqual([
      'us-east-1: Only 2 resources are synthesized, recorded are 3. If that is meant, record it with --record-floors --lower.',
    ]);
  });

  it('can be raised when there is more than recorded, and recorded where there are none', () => {
    const floors = { complete: { 'us-east-1': { resources: 1 } } };
    expect(floorNotes('complete', [LOOK], floors)).toEqual([
      'More was looked at for us-east-1 than the floor says: raise it with --record-floors.',
    ]);
    expect(floorNotes('other', [LOOK], floors).join()).toContain('No floor is recorded for other');
  });

  it('are missed by a resource that a scanner did not read', () => {
    const seen = { ...REPORT.seen, terraform_plan: ['kubernetes_namespace_v1.n'] };
    expect(judged(scan({ seen }))).toEqual([
      'floor-resources-read app/aws_kms_key.k checkov (plan) did not read it, though it is synthesized.',
    ]);
  });

  it('are missed by a Kubernetes resource without a manifest', () => {
    expect(judged({ objects: [], scans: undefined })).toEqual([
      'floor-resources-read app/kubernetes_namespace_v1.n The view of the manifests did not read it, though it is synthesized.',
    ]);
  });

  it('are missed by a file that could not be parsed', () => {
    expect(judged(scan({ parsingErrors: ['plan.json'] }))).toEqual([
      'floor-parsing-errors app/terraform checkov could not parse plan.json.',
    ]);
  });

  it('are missed by a check that is switched off elsewhere', () => {
    expect(judged(scan({ skipped: ['CKV_K8S_11 on Deployment.web'] }))).toEqual([
      'floor-skipped-checks app/terraform CKV_K8S_11 on Deployment.web is switched off outside the waiver file.',
    ]);
  });
});

const FLOORS = { complete: { east: { resources: 10, rules: 50 } } };

it('records an environment that is new', () => {
  const counted = [{ environment: 'other', counts: { east: { resources: 1 } } }];
  expect(recordFloors(FLOORS, counted, false)).toStrictEqual({
    ...FLOORS,
    other: { east: { resources: 1 } },
  });
});

it('raises a floor', () => {
  const counted = [{ environment: 'complete', counts: { east: { resources: 11, rules: 60 } } }];
  expect(recordFloors(FLOORS, counted, false)).toStrictEqual({
    complete: { east: { resources: 11, rules: 60 } },
  });
});

it('refuses to lower a floor, and names it', () => {
  const counted = [{ environment: 'complete', counts: { east: { resources: 9, rules: 60 } } }];
  expect(() => recordFloors(FLOORS, counted, false)).toThrow(
    'complete, east: Only 9 resources are synthesized, recorded are 10.',
  );
});

it('lowers a floor when told to', () => {
  const counted = [{ environment: 'complete', counts: { east: { resources: 9, rules: 40 } } }];
  expect(recordFloors(FLOORS, counted, true)).toStrictEqual({
    complete: { east: { resources: 9, rules: 40 } },
  });
});

const ALARMS = { alarm_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call' };

/** Good stacks, of which each setting is changed alone; what is left is as the rules want it. */
const SETTINGS: Required<Settings> = {
  network: { interface_endpoints: ['ecr.api'], sns_interface_endpoint: true },
  processing: {
    ...ALARMS,
    ...{ db_host: 'db.example.gov', db_name: 'etl_db', db_user: 'etl_user' },
    sns_endpoint_url: 'https://files.example.gov/',
    tls_certificate_arn: 'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0b1e6f4c',
    cluster_admin_arns: ['arn:aws-us-gov:iam::123456789012:role/etl-admin'],
  },
};

/** The values that a user could change a setting to: off for on, its example, its default. */
function otherValues({ default: usual, example }: Variable<unknown>, now: unknown) {
  const values = typeof usual === 'boolean' ? [!(now ?? usual)] : [example, usual];
  const text = JSON.stringify(now ?? usual);
  return values.filter((value) => value !== undefined && JSON.stringify(value) !== text);
}

/** Databases of both engines; each is a stack by itself. */
const DATABASES: Readonly<Record<string, Partial<PostgresOnDemandSettings>>> = {
  rds: ALARMS,
  aurora: { ...ALARMS, engine: 'aurora' },
};

const CHANGES = (
  [
    ['network', foundationNetworkVariables, SETTINGS.network],
    ['processing', fileProcessingVariables, SETTINGS.processing],
    ...Object.entries(DATABASES).map(
      ([engine, settings]) => [engine, postgresOnDemandVariables, settings] as const,
    ),
  ] as const
).flatMap(([stack, variables, settings]) =>
  Object.entries(variables as VariableTable).flatMap(([name, variable]) =>
    otherValues(variable, (settings as Record<string, unknown>)[name])
      // Without the certificate the load balancer listens without TLS, which a rule finds.
      .filter((value) => name !== 'tls_certificate_arn' || value !== '')
      .map((value) => [stack, name, value] as const),
  ),
);

/** The stacks of a change, and what stands beside it; of a database that alone. */
function changed(stack: string, change: Readonly<Record<string, unknown>>): Stacks {
  const database = DATABASES[stack];
  if (database !== undefined) {
    const settings = { ...database, ...change };
    return { 'postgres-on-demand': JSON.parse(synthesizePostgres(settings)) as Json };
  }
  // A setting of both stacks is changed in both.
  const isCommon = Object.keys(change).every(
    (name) => name in foundationNetworkVariables && name in fileProcessingVariables,
  );
  const of = (one: 'network' | 'processing') =>
    isCommon || one === stack ? { ...SETTINGS[one], ...change } : SETTINGS[one];
  return stacksOf({ network: of('network'), processing: of('processing') });
}

const QUEUED = { delivery: 'sqs', tls_certificate_arn: '', sns_endpoint_url: '' } as const;
const MAIL = { notice_email: 'ses', notice_email_from: 'data@example.gov' } as const;

/** Settings without which others can't be given, by the names of these. */
const BESIDE: readonly (readonly [RegExp, Partial<FileProcessingSettings>])[] = [
  [
    /^assume_role_external_id$/,
    { assume_role_arn: 'arn:aws-us-gov:iam::123456789012:role/deploy' },
  ],
  [/^state_role_arn$/, { state_bucket: 'etl-state' }],
  [/^private_subnet_ids$/, { vpc_id: 'vpc-0a1b2c3d4e5f67890' }],
  [/^delivery$/, { tls_certificate_arn: '', sns_endpoint_url: '' }],
  [
    /^(notification|both_notifications)$/,
    { ...QUEUED, account_id: '123456789012', create_s3_notifications: true },
  ],
  [/^ingress_class_name$/, { tls_certificate_arn: '' }],
  [/^ingress_host$/, { ingress_class_name: 'alb', tls_certificate_arn: '' }],
  [/^no_proxy$/, { http_proxy: 'http://proxy.example.gov:3128' }],
  [
    /^(backlog_per_pod|scaler_(user|password_revision|ssl_mode))$/,
    { ...QUEUED, autoscaling: 'backlog' },
  ],
  [/^rules_kms_key_arn$/, { rules_location: 's3://agency-rules/file-processing/' }],
  [/^console_/, { console: true }],
  [/^notice_(operators|ses_identity)$/, MAIL],
  [/^notice_email$/, { notice_email_from: MAIL.notice_email_from }],
  [/^notice_email_from$/, { notice_email: 'ses' }],
  [/^notice_smtp_host$/, { ...MAIL, notice_email: 'smtp' }],
  [/^notice_webhook_urls$/, { notice_secret_name: 'notices' }],
  [
    /^notice_webhook_private_hosts$/,
    {
      notice_webhook_urls: ['https://tickets.example.gov/hooks/data-quality'],
      notice_secret_name: 'notices',
    },
  ],
  [
    /^notice_topic_kms_key_arn$/,
    { notice_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:notices' },
  ],
  [/^db_iam_auth$/, { db_resource_id: 'db-ABCDEFGHIJKL01234' }],
];

/** A setting that is changed, with what must stand beside it. */
function withBeside(stack: string, name: string, value: unknown) {
  const [, beside] = BESIDE.find(([names]) => names.test(name)) ?? [];
  const isKnown = (other: string) => stack === 'processing' || /^(state|vpc|assume)/.test(other);
  return {
    ...Object.fromEntries(Object.entries(beside ?? {}).filter(([other]) => isKnown(other))),
    [name]: value,
  };
}

/** A look at the stacks of a change; undefined where no user could have it. */
function lookAt(stack: string, change: Readonly<Record<string, unknown>>): Look | undefined {
  try {
    const { model, objects } = auditedOf(changed(stack, change));
    return { ...LOOK, model, objects, scans: undefined };
  } catch (error) {
    if (error instanceof SettingsError) return undefined;
    throw error;
  }
}

function rulesOn(look: Look | undefined): readonly string[] {
  return look === undefined ? [] : findings(ALL_RULES, { ...look, now: DAY });
}

const TABLES: Readonly<Record<string, VariableTable>> = {
  network: foundationNetworkVariables,
  processing: fileProcessingVariables,
  rds: postgresOnDemandVariables,
  aurora: postgresOnDemandVariables,
};

describe('a documented setting that is changed alone', () => {
  const baseOf = (stack: string) => {
    const look = lookAt(stack, {});
    return { recorded: look && countsOf(look), found: rulesOn(look) };
  };
  const both = baseOf('processing');
  const databases = Object.fromEntries(Object.keys(DATABASES).map((one) => [one, baseOf(one)]));

  it.each(CHANGES)(
    'is not red by a floor, and by a rule only where its description names the audit: %s, %s = %j',
    (stack, name, value) => {
      const { recorded, found } = databases[stack] ?? both;
      const look = lookAt(stack, withBeside(stack, name, value));
      const { description = '' } = TABLES[stack]?.[name] ?? {};
      const added = rulesOn(look).filter((one) => !found.includes(one));
      expect(recorded).toBeDefined();
      expect(look === undefined ? [] : judgeFloors(look, recorded)).toEqual([]);
      expect(/\baudit\b/.test(description) ? [] : added).toEqual([]);
    },
  );
});
