import { App, Testing } from 'cdktf';
import type { Audited } from '../../../audit/rules/rule.ts';
import { FoundationNetworkStack } from '../../../src/foundation-network/stack.ts';
import { loadEnvironment } from '../../../src/settings/environment.ts';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import type { FoundationNetworkSettings } from '../../../src/settings/foundation-network-variables.ts';
import { modelOf } from '../../../src/synthesized/model/model.ts';
import { kubernetesObjects } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { ROOT, runMain } from '../../support/run-main.ts';
import { foundationNetworkSettings, listedBucket } from '../../support/settings.ts';
import { IMAGE, synthesizeText } from '../../support/synthesized-file-processing.ts';
import { synthesizePostgres } from '../../support/synthesized-postgres.ts';
import { type Json, renamedStacks, type Stacks } from './renamed-stack.ts';

const synthesized = new Map<string, string>();

/** Environments of the repository. */
export type Shipped = 'etl-playground' | 'complete' | 'government';

/** All stacks of an environment of the repository, as `npm run synth` writes them. */
export function environmentStacks(environment: Shipped): Stacks {
  return once(environment, () => {
    const { status, stderr, json } = runMain({ environment });
    if (status !== 0) throw new Error(stderr);
    return Object.fromEntries(
      Object.entries(json)
        .filter(([, text]) => text !== '')
        .map(([name, text]) => [name, JSON.parse(text) as Json]),
    );
  });
}

/** What the tfvars of an environment of the repository say, as the audit reads them. */
export function environmentSettings(environment: string): NonNullable<Audited['settings']> {
  const { fileProcessing, foundationNetwork, postgresOnDemand } = loadEnvironment(
    ROOT,
    environment,
    DAY,
  );
  return {
    'file-processing': { ...fileProcessing },
    'foundation-network': { ...foundationNetwork },
    'postgres-on-demand': { ...postgresOnDemand },
  };
}

/** Settings that a user could have. */
export interface Settings {
  readonly network?: Partial<FoundationNetworkSettings>;
  readonly processing?: Partial<FileProcessingSettings>;
}

/** Settings under which no rule has anything to say. */
const GOOD: Partial<FileProcessingSettings> = {
  image: IMAGE,
  create_s3_notifications: true,
  cluster_endpoint_private_access_cidrs: ['10.0.0.0/16'],
  alarm_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call',
  // Faults are planted into the only object of a kind.
  reconciliation_schedule: '',
};

/** Both stacks of some settings. */
export function stacksOf({ network = {}, processing = {} }: Settings): Stacks {
  const { create_s3_notifications, ...others } = GOOD;
  // Each of several buckets says for itself what is notified.
  const good = processing.buckets === undefined ? GOOD : others;
  // Each by itself: most settings are of one stack, and the other one is the same as before.
  return {
    ...once(JSON.stringify(['file-processing', processing]), () => ({
      'file-processing': JSON.parse(synthesizeText({ ...good, ...processing })) as Json,
    })),
    ...once(JSON.stringify(['foundation-network', network]), () => ({
      'foundation-network': JSON.parse(
        Testing.synth(
          new FoundationNetworkStack(new App(), 'foundation-network', {
            environment: 'etl-playground',
            settings: foundationNetworkSettings(network),
          }),
        ),
      ) as Json,
    })),
  };
}

/** The stack of a database on an instance of its own; `complete` has one of Aurora. */
export function instanceStacks(): Stacks {
  return once('instance', () => ({
    'postgres-on-demand': JSON.parse(
      synthesizePostgres({ alarm_topic_arn: String(GOOD.alarm_topic_arn) }),
    ) as Json,
  }));
}

/**
 * The stacks with a queue between the topic and the listener, whose rules are in S3, under a key of KMS, and whose notices go
 * by mail, webhook and topic.
 */
export const QUEUE: Settings = {
  processing: {
    delivery: 'sqs',
    rules_location: 's3://agency-rules/file-processing/',
    rules_kms_key_arn:
      'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/5b8e7f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    ...{ notice_email: 'ses', notice_email_from: 'data@etl.example.gov' },
    notice_ses_identity: 'example.gov',
    notice_webhook_urls: ['https://tickets.example.gov:8443/x'],
    otlp_endpoint: 'http://collector.observability.svc:4318',
    pod_monitor: true,
    notice_secret_name: 'notices',
    notice_topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:notices',
  },
};

/** The stacks with events by EventBridge. */
export const BRIDGE: Settings = {
  processing: { delivery: 'sqs', notification: 'eventbridge', account_id: '123456789012' },
  network: { account_id: '123456789012' },
};

/** A day on which the default version is in standard support, and for long. */
export const DAY = new Date('2026-11-28T12:00:00Z');

/** The account that owns one of {@link BUCKETS}. */
export const OTHER_ACCOUNT = '210987654321';

/** The stacks with three buckets, one of them of another account. */
export const BUCKETS: Settings = {
  processing: {
    buckets: [
      listedBucket('drop-box', {
        create_notifications: true,
        kms_key_arn: 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c',
      }),
      listedBucket('letter-box', {
        ...{ create_notifications: true, prefixes: ['from_letters/', 'too_late/'], suffix: '.csv' },
      }),
      listedBucket('their-box', {
        account_id: OTHER_ACCOUNT,
        kms_key_arn: `arn:aws-us-gov:kms:us-gov-west-1:${OTHER_ACCOUNT}:key/4c0e9a55`,
      }),
    ],
  },
};

/** What rules judge, of parsed stacks. */
export function auditedOf(
  stacks: Stacks,
  now = DAY,
  settings: Audited['settings'] = undefined,
): Audited {
  const model = modelOf(
    Object.entries(stacks).map(([name, json]) => ({ name, path: `${name}.json`, json })),
  );
  let objects: Audited['objects'] | undefined;
  return {
    model,
    now,
    ...(settings && { settings }),
    // Most rules look at none of them.
    get objects() {
      objects ??= kubernetesObjects(model);
      return objects;
    },
  };
}

/** The stacks as they are, and with everything renamed. */
export const NAMINGS: readonly (readonly [string, (stacks: Stacks) => Stacks])[] = [
  ['as it is', (stacks) => stacks],
  ['with everything renamed', renamedStacks],
];

function once(key: string, make: () => Stacks): Stacks {
  const text = synthesized.get(key) ?? JSON.stringify(make());
  synthesized.set(key, text);
  return JSON.parse(text) as Stacks;
}
