import { type TopicArn, topicIn } from '@file-processing/contract/arn.ts';
import type { Environment } from '../../settings/environment.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { formatFinding } from '../../settings/finding.ts';
import { DEFAULT_KUBERNETES_VERSION } from '../../settings/kubernetes-versions.ts';
import {
  credentialsDiagnosis,
  deliveryDiagnoses,
  networkDiagnosis,
  noticeDiagnoses,
} from '../doctor/account.ts';
import { clusterDiagnosis } from '../doctor/cluster.ts';
import { databaseDiagnoses, onDemandDiagnoses } from '../doctor/database.ts';
import { type Diagnosis, diagnosisTable } from '../doctor/diagnosis.ts';
import { type ServerVersion, toolDiagnoses } from '../doctor/tools.ts';
import { workloadDiagnoses } from '../doctor/workload.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { type Target, targetOf } from '../target.ts';

/** `manage doctor`: looks at everything that a deployment depends on; ends with 1 when something is red. */
export const doctor: Operation = {
  name: 'doctor',
  summary:
    'check tools, settings, credentials, network, cluster, delivery, notices, database: one line each, and what to do',
  describe: (command) => command,
  execute: async (context, options) => {
    const target = targetOf(context, options);
    const diagnoses = await diagnoseAll(context, target);
    context.stdout.write(
      options.json ? `${JSON.stringify(diagnoses, null, 2)}\n` : diagnosisTable(diagnoses),
    );
    return diagnoses.some(({ state }) => state === 'red') ? EXIT.failed : EXIT.ok;
  },
};

async function diagnoseAll(
  context: OperationContext,
  target: Target,
): Promise<readonly Diagnosis[]> {
  const tools = (running?: string) => {
    const server = serverVersion(target.environment.fileProcessing, running);
    return Promise.all(toolDiagnoses(context, server));
  };
  const settings = settingsDiagnosis(target.environment);
  const { credentials, account } = await credentialsDiagnosis(target);
  if (account === undefined) {
    const skipped = [
      'network',
      'cluster',
      'bucket',
      'queue',
      'dead letters',
      'topic',
      'workload',
    ].map((name): Diagnosis => ({ name, state: 'skipped', found: 'needs credentials' }));
    const database = await databaseDiagnoses(context);
    return [...(await tools()), settings, credentials, ...skipped, ...database];
  }
  const [network, cluster, ...delivery] = await Promise.all([
    networkDiagnosis(target),
    clusterDiagnosis(context, target),
    ...deliveryDiagnoses(target, topicArnOf(target, account), ownTopicOf(target, account)),
    ...noticeDiagnoses(target),
  ]);
  return [
    ...(await tools(cluster.version)),
    settings,
    credentials,
    network,
    ...cluster.diagnoses,
    ...delivery,
    ...(await onDemandDiagnoses(target)),
    ...(await workloadDiagnoses(context, target, cluster.reachable)),
    ...(await databaseDiagnoses(context)),
  ];
}

/**
 * The version that kubectl has to fit: that of the cluster, else what the stack would give a new one.
 *
 * @param running - version of the cluster; absent where there is none, or it could not be asked
 */
export function serverVersion(
  {
    create_cluster,
    kubernetes_version,
  }: Pick<FileProcessingSettings, 'create_cluster' | 'kubernetes_version'>,
  running?: string,
): ServerVersion | undefined {
  if (running !== undefined) return { of: 'the cluster has', version: running };
  if (!create_cluster) return undefined;
  return { of: 'a new cluster gets', version: kubernetes_version || DEFAULT_KUBERNETES_VERSION };
}

/** Says what of the settings was copied from an example: it synthesizes, but deploys nothing that works. */
export function settingsDiagnosis({
  name: environment,
  placeholders,
}: Pick<Environment, 'name' | 'placeholders'>): Diagnosis {
  const name = 'settings';
  if (placeholders.length === 0) {
    return { name, state: 'ok', found: `environments/${environment} has no placeholders` };
  }
  return {
    name,
    state: 'warn',
    found: `placeholders:\n${placeholders.map((one) => `  ${formatFinding(one)}`).join('\n')}`,
    next: 'replace them, or write an environment of your own: npm run manage -- new-environment NAME',
  };
}

function topicArnOf(target: Target, account: string): string {
  const { existing_topic_arn } = target.environment.fileProcessing;
  return existing_topic_arn || ownTopicOf(target, account).arn;
}

/** The topic that gives the queues their names, whoever makes the topic. */
function ownTopicOf({ environment, region }: Target, account: string): TopicArn {
  return topicIn(region, account, environment.fileProcessing.sns_topic_name);
}
