import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awsClients } from '../../../src/operations/aws-clients.ts';
import { type AttachedAws, emptyAttachedAws } from '../support/attached-provider.ts';
import { ACCOUNT, REGION } from '../support/aws-account.ts';
import {
  type Managed,
  type ManagedCheckout,
  managedCheckout,
} from '../support/managed-checkout.ts';

const ENVIRONMENT = 'etl-playground';
const MARKER = 'marker-of-a-password-7d1c';
const BUCKET = 'etl-ba-research-client-etl';
const OTHERS_QUEUE = `arn:aws-us-gov:sqs:${REGION}:${ACCOUNT}:reports`;

let emulator: AttachedAws;
let checkout: ManagedCheckout;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await emulator.createBucket(BUCKET, REGION);
  await emulator.query('sqs', REGION, {
    Action: 'CreateQueue',
    Version: '2012-11-05',
    QueueName: 'reports',
  });
  checkout = managedCheckout(emulator, {
    afterSynth: join(import.meta.dirname, '../support/add-password.ts'),
    environment: { TF_VAR_db_password: MARKER },
  });
  configure({});
});

afterAll(async () => {
  await emulator?.stop();
  await checkout?.close();
});

/** Writes the environment's tfvars, with values of the test's own. */
function configure(fileProcessing: Readonly<Record<string, unknown>>): void {
  checkout.addEnvironment(ENVIRONMENT, { foundationNetwork: { flow_logs: false }, fileProcessing });
}

/** Sets what others have configured on the bucket; nothing else stays. */
async function configureBucket(configuration: NotificationConfiguration): Promise<void> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const aws = awsClients({ region: REGION, profile: '', endpoint: emulator.url, credentials });
  await (await aws.s3()).send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: BUCKET,
      NotificationConfiguration: configuration,
      SkipDestinationValidation: true,
    }),
  );
}

const OTHERS: NotificationConfiguration = {
  QueueConfigurations: [
    {
      QueueArn: OTHERS_QUEUE,
      Events: ['s3:ObjectRemoved:*'],
      Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'reports/' }] } },
    },
  ],
};

async function held(stack: 'foundation-network' | 'file-processing'): Promise<readonly unknown[]> {
  return JSON.parse(await checkout.localState(ENVIRONMENT, stack)).resources;
}

function ended({ code, stdout, stderr }: Managed, expected: number): string {
  expect(code, `${stdout}${stderr}`).toBe(expected);
  return `${stdout}${stderr}`;
}

describe('foundation-network', () => {
  test('init gets Terraform ready', async () => {
    const written = ended(await checkout.manageByNpm(['init', 'foundation-network']), 0);
    expect(written).toContain('Terraform has been successfully initialized!');
  });

  test('an apply that nobody agrees to is declined, and changes nothing', async () => {
    const written = ended(await checkout.manage(['apply', 'foundation-network']), 77);
    expect(written).toContain('next: --auto-approve goes on without asking');
    await expect(held('foundation-network')).rejects.toThrow('ENOENT');
  });

  test('is applied, after which the plain plan is empty', async () => {
    const written = ended(
      await checkout.manage(['apply', 'foundation-network', '--auto-approve']),
      0,
    );
    expect(written).toContain('the plain plan of foundation-network is empty');
  });

  test('is not coloured where no terminal shows it', () => {
    expect(checkout.everythingWritten()).not.toContain('\u001b[');
  });
});

describe('a first apply of file-processing', () => {
  test('is refused where the bucket notifies others, before anything is made', async () => {
    await configureBucket(OTHERS);
    const written = ended(await checkout.manage(['apply', '--auto-approve']), 77);
    expect(written).toContain(`s3:ObjectRemoved:* of reports/* to ${OTHERS_QUEUE}`);
    expect(written).toContain('s3-configure-notifications');
    await expect(held('file-processing')).rejects.toThrow('ENOENT');
    await configureBucket({});
  });

  test('that is interrupted keeps its state and leaves no plan file behind', async () => {
    let interrupted = false;
    const { code, stdout, stderr } = await checkout.manageByNpm(
      ['apply', '--auto-approve'],
      (written, interrupt) => {
        if (interrupted || !written.includes('Creation complete')) return;
        interrupted = true;
        interrupt();
      },
    );
    expect(`${stdout}${stderr}`).toContain(
      'run the same command again, and it continues from there',
    );
    expect(code).not.toBe(0);
    expect(await held('file-processing')).not.toEqual([]);
    expect(readdirSync(checkout.temporary)).not.toContainEqual(
      expect.stringMatching(/^terraform-plan-/),
    );
  });

  test('is finished by the next one, after which the plain plan is empty', async () => {
    const written = ended(await checkout.manage(['apply', '--auto-approve']), 0);
    expect(written).toContain('the plain plan of file-processing is empty');
    expect(written).toContain('next: point a name at the load balancer');
  });
});

describe('file-processing, applied', () => {
  test('has no drift: a plan ends with 0', async () => {
    const { code, stdout } = await checkout.manage(['plan', '--json']);
    expect(JSON.parse(stdout)).toEqual({ stack: 'file-processing', empty: true, changes: [] });
    expect(code).toBe(0);
  });

  test('a plan ends with 2 where something was changed by hand', async () => {
    const parameters = { Action: 'SetTopicAttributes', Version: '2010-03-31' };
    const topic = `arn:aws-us-gov:sns:${REGION}:${ACCOUNT}:file-processing-topic`;
    const set = (value: string) =>
      emulator.query('sns', REGION, {
        ...parameters,
        TopicArn: topic,
        AttributeName: 'DisplayName',
        AttributeValue: value,
      });
    await set('by hand');
    const { code, stdout } = await checkout.manageByNpm(['plan', '--json']);
    await set('');
    expect(JSON.parse(stdout)).toEqual({
      stack: 'file-processing',
      empty: false,
      changes: [{ address: 'aws_sns_topic.file_processing', actions: ['update'] }],
    });
    expect(code).toBe(2);
  });

  test('shows its outputs as a table', async () => {
    const written = ended(await checkout.manage(['outputs']), 0);
    expect(written).toMatch(/^cluster_name +file-processing-cluster$/m);
  });

  test('shows them as JSON', async () => {
    const { stdout } = await checkout.manage(['outputs', 'foundation-network', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ vpc_cidr: '10.0.0.0/16' });
  });

  test('a plan that would replace the cluster is refused, with the reason', async () => {
    configure({ cluster_name: 'another-cluster' });
    const { code, stderr } = await checkout.manage(['plan']);
    configure({});
    expect(stderr).toContain(
      'the plan would replace the cluster file-processing-cluster (aws_eks_cluster.this)',
    );
    expect(code).toBe(77);
  });
});

describe('destroy', () => {
  test('is refused where it would wipe what others added to the bucket since', async () => {
    await configureBucket(OTHERS);
    const written = ended(await checkout.manage(['destroy', '--auto-approve']), 77);
    expect(written).toContain(OTHERS_QUEUE);
    expect(await held('file-processing')).not.toEqual([]);
    await configureBucket({});
  });

  test('leaves nothing of file-processing, and says what stays', async () => {
    const written = ended(await checkout.manage(['destroy', '--auto-approve']), 0);
    expect(written).toContain(`bucket ${BUCKET} and the database on`);
    expect(await held('file-processing')).toEqual([]);
  });

  test('has nothing to do a second time', async () => {
    const written = ended(await checkout.manage(['destroy']), 0);
    expect(written).toContain('Nothing to destroy');
  });

  test('leaves nothing of foundation-network', async () => {
    ended(await checkout.manage(['destroy', 'foundation-network', '--auto-approve']), 0);
    expect(await held('foundation-network')).toEqual([]);
  });
});

test('the password came to the apply, and no command has written it', () => {
  const folder = checkout.stackFolder('file-processing');
  expect(readdirSync(folder)).toContain('password-arrived');
  expect(checkout.everythingWritten()).not.toContain(MARKER);
});
