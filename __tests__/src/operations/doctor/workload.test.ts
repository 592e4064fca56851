import type { ECRClient } from '@aws-sdk/client-ecr';
import { describe, expect, it } from 'vitest';
import { awsClients } from '../../../../src/operations/aws-clients.ts';
import {
  imageDiagnoses,
  judgeDeployments,
  judgeReconciliation,
} from '../../../../src/operations/doctor/workload.ts';
import { loadEnvironment } from '../../../../src/settings/environment.ts';
import { ROOT } from '../../../support/run-main.ts';

function deployment(replicas: number, availableReplicas: number, updatedReplicas = replicas) {
  const status = { availableReplicas, updatedReplicas };
  return { metadata: { name: 'listener' }, spec: { replicas }, status };
}

describe('the workload', () => {
  it.each([
    [[deployment(2, 2)], 'ok', 'listener 2 of 2 available'],
    [[deployment(2, 1)], 'red', 'listener 1 of 2 available'],
    [[deployment(2, 2, 1)], 'red', 'listener 2 of 2 available'],
    [[], 'red', 'there is no Deployment'],
  ])('%j is %s', (items, state, found) => {
    expect(judgeDeployments({ items })).toMatchObject({ state, found });
  });
});

describe('the reconciliation', () => {
  const cronJob = (status: object | undefined, serviceAccountName = 'file-processing-sa') => ({
    metadata: { name: 'nightly' },
    spec: {
      schedule: '17 4 * * *',
      jobTemplate: { spec: { template: { spec: { serviceAccountName } } } },
    },
    ...(status && { status }),
  });
  const DUE = '2026-11-28T04:17:00Z';

  it.each([
    ['that was not due yet', undefined, 'ok', 'was not due yet'],
    ['that ended well', { lastSuccessfulTime: '2026-11-28T04:19:07Z' }, 'ok', 'ended well at'],
    ['that runs', { active: [{}], lastSuccessfulTime: '2026-11-27T04:19:07Z' }, 'ok', 'runs since'],
    ['that failed today', { lastSuccessfulTime: '2026-11-27T04:19:07Z' }, 'warn', 'failed at'],
    ['that never ended well', {}, 'warn', 'failed at'],
  ])('%s is judged by its last run', (_, status, state, found) => {
    const items = [
      cronJob(undefined, 'others'),
      cronJob(status && { lastScheduleTime: DUE, ...status }),
    ];
    expect(judgeReconciliation({ items }, 'file-processing-sa')).toMatchObject({
      state,
      found: expect.stringContaining(`nightly (17 4 * * *) ${found}`),
    });
  });

  it('that is not there is a warning', () => {
    const items = [cronJob(undefined, 'others')];
    expect(judgeReconciliation({ items }, 'file-processing-sa')).toMatchObject({
      ...{ state: 'warn', next: 'npm run manage -- apply, or the manifests' },
    });
  });
});

describe('the image that runs', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const image = `123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/file-processing@${digest}`;

  /** Looks at an image that has some tags in the repository, or where ECR fails. */
  async function look(running: string, imageTags: readonly string[] | Error, settings = {}) {
    const send = async () => {
      if (imageTags instanceof Error) throw imageTags;
      return { imageDetails: [{ imageDigest: digest, imageTags }] };
    };
    const environment = loadEnvironment(ROOT, 'etl-playground');
    const fileProcessing = { ...environment.fileProcessing, ...settings };
    const ecr = async () => ({ send }) as unknown as ECRClient;
    const clients = { ...awsClients({ region: 'us-gov-west-1', profile: '' }), ecr };
    const spec = { serviceAccountName: 'file-processing-sa', containers: [{ image: running }] };
    const items = [{ metadata: { name: 'listener' }, spec: { template: { spec } } }];
    return await imageDiagnoses(
      { clients, environment: { ...environment, fileProcessing } },
      { items },
    );
  }

  it('is ok with the tag of the environment', async () => {
    expect(await look(image, ['v7', `deployed-etl-playground-${'a'.repeat(64)}`])).toMatchObject([
      { name: 'image', state: 'ok' },
    ]);
  });

  it.each([[[]], [['v7']], [[`deployed-another-${'a'.repeat(64)}`]]])(
    'is a warning with the tags %j',
    async (tags) => {
      expect(await look(image, tags)).toMatchObject([
        { state: 'warn', next: 'npm run manage -- apply tags it' },
      ]);
    },
  );

  it('is for others to tag where others deploy', async () => {
    expect(await look(image, [], { manage_kubernetes: false })).toMatchObject([
      { state: 'warn', next: expect.stringContaining('aws ecr put-image') },
    ]);
  });

  it('is red where ECR does not hold it', async () => {
    const error = Object.assign(new Error('not there'), {
      name: 'ImageNotFoundException',
      $metadata: {},
    });
    expect(await look(image, error)).toMatchObject([{ name: 'image', state: 'red' }]);
  });

  it.each([
    ['of another registry', `registry.example.gov/app@${digest}`, {}],
    ['of a repository of others', image, { create_repository: false }],
    ['named by its tag', image.replace(/@.*/, ':v7'), {}],
  ])('is not looked at when it is %s', async (_, running, settings) => {
    expect(await look(running, [], settings)).toEqual([]);
  });
});
