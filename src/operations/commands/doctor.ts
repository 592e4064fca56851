import { partitionOf } from '@file-processing/contract/partition.ts';
import { credentialsDiagnosis, deliveryDiagnoses, networkDiagnosis } from '../doctor/account.ts';
import { clusterDiagnosis } from '../doctor/cluster.ts';
import { databaseDiagnoses } from '../doctor/database.ts';
import { type Diagnosis, diagnosisTable } from '../doctor/diagnosis.ts';
import { toolDiagnoses } from '../doctor/tools.ts';
import { workloadDiagnoses } from '../doctor/workload.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { type Target, targetOf } from '../target.ts';

/** `manage doctor`: looks at everything that a deployment depends on; ends with 1 when something is red. */
export const doctor: Operation = {
  name: 'doctor',
  summary: 'tools, credentials, network, cluster, delivery, database: a line each, and what to do',
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
  const { kubernetes_version } = target.environment.fileProcessing;
  const tools = await Promise.all(toolDiagnoses(context, kubernetes_version));
  const { credentials, account } = await credentialsDiagnosis(target);
  if (account === undefined) {
    const skipped = ['network', 'cluster', 'bucket', 'topic', 'workload'].map(
      (name): Diagnosis => ({ name, state: 'skipped', found: 'needs credentials' }),
    );
    return [...tools, credentials, ...skipped, ...(await databaseDiagnoses(context))];
  }
  const [network, cluster, ...delivery] = await Promise.all([
    networkDiagnosis(target),
    clusterDiagnosis(context, target),
    ...deliveryDiagnoses(target, topicArnOf(target, account)),
  ]);
  return [
    ...tools,
    credentials,
    network,
    ...cluster.diagnoses,
    ...delivery,
    ...(await workloadDiagnoses(context, target, cluster.reachable)),
    ...(await databaseDiagnoses(context)),
  ];
}

function topicArnOf({ environment, region }: Target, account: string): string {
  const { sns_topic_name } = environment.fileProcessing;
  return `arn:${partitionOf(region).name}:sns:${region}:${account}:${sns_topic_name}`;
}
