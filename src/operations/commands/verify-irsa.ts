import type { EKSClient } from '@aws-sdk/client-eks';
import { ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import { parseArn } from '@file-processing/contract/arn.ts';
import { bucketsOf } from '../../settings/buckets.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { type Diagnosis, diagnosisTable } from '../doctor/diagnosis.ts';
import { type Kubectl, kubectlFor } from '../kubernetes/kubectl.ts';
import { checkInPod, listenerPod } from '../kubernetes/listener-pod.ts';
import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { targetOf } from '../target.ts';
import { checkBucketName } from '../topics/event-target.ts';

/** Options of `manage verify-irsa`. */
export interface VerifyIrsaOptions {
  readonly otherBucket?: string;
}

/** `manage verify-irsa`: who a running pod is to AWS, and the edges of what it may read. */
export const verifyIrsa: Operation<VerifyIrsaOptions> = {
  name: 'verify-irsa',
  summary:
    'check in a running pod: the identity is the role, its prefix can be listed, other buckets cannot',
  describe: (command) =>
    command.option(
      '--other-bucket <bucket>',
      'a bucket that the pod must not read (default: another one of the account)',
    ),
  execute: async (context, options) => {
    if (options.otherBucket !== undefined) checkBucketName(options.otherBucket, '--other-bucket');
    const target = targetOf(context, options);
    const settings = target.environment.fileProcessing;
    const { service_account_name } = settings;
    const names = bucketsOf(settings).map(({ name }) => name);
    const kubectl = await kubectlFor(context, target);
    try {
      const role =
        (await associatedRole(await target.clients.eks(), target.environment.fileProcessing)) ??
        (await roleOf(kubectl, service_account_name));
      const pod = await listenerPod(kubectl, service_account_name);
      const other = options.otherBucket ?? (await anotherBucket(await target.clients.s3(), names));
      context.stderr.write(`asking pod ${pod.pod}\n`);
      const checks = await checkInPod(kubectl, pod, [
        ...['--only', 'aws'],
        ...(other === undefined ? [] : ['--other-bucket', other]),
      ]);
      const diagnoses = [
        ...checks.map((check) => withRole(check, role)),
        ...(other === undefined ? [NO_OTHER_BUCKET] : []),
      ];
      context.stdout.write(
        options.json ? `${JSON.stringify(diagnoses, null, 2)}\n` : diagnosisTable(diagnoses),
      );
      return diagnoses.some(({ state }) => state === 'red') ? EXIT.failed : EXIT.ok;
    } finally {
      kubectl.dispose();
    }
  },
};

const NO_OTHER_BUCKET: Diagnosis = {
  name: 'list another bucket',
  state: 'skipped',
  found: 'the account has no other bucket that you may see',
  next: 'name one by --other-bucket',
};

/**
 * The role that EKS Pod Identity gives the ServiceAccount: pods take it before the one of an annotation. Undefined
 * where the settings ask for none.
 */
async function associatedRole(
  eks: EKSClient,
  settings: Pick<
    FileProcessingSettings,
    'cluster_name' | 'identity' | 'namespace' | 'service_account_name'
  >,
): Promise<string | undefined> {
  if (settings.identity !== 'pod_identity') return undefined;
  const { DescribePodIdentityAssociationCommand, ListPodIdentityAssociationsCommand } =
    await import('@aws-sdk/client-eks');
  const { cluster_name: clusterName, namespace, service_account_name: serviceAccount } = settings;
  const { associations: [found] = [] } = await eks.send(
    new ListPodIdentityAssociationsCommand({ clusterName, namespace, serviceAccount }),
  );
  if (found === undefined) {
    throw new OperationError(
      `no role is associated with ServiceAccount ${serviceAccount} (EKS Pod Identity)`,
      { next: 'npm run manage -- apply' },
    );
  }
  const { associationId } = found;
  const { association } = await eks.send(
    new DescribePodIdentityAssociationCommand({ clusterName, associationId }),
  );
  return association?.roleArn;
}

/** The role that the ServiceAccount's annotation names. */
async function roleOf(kubectl: Kubectl, serviceAccount: string): Promise<string> {
  const { code, stdout, stderr } = await kubectl.inNamespace([
    ...['get', 'serviceaccount', serviceAccount, '--output', 'json'],
  ]);
  if (code !== 0) throw new OperationError(`kubectl get serviceaccount: ${stderr.trim()}`);
  const { metadata } = JSON.parse(stdout) as {
    readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  };
  const role = metadata.annotations?.['eks.amazonaws.com/role-arn'];
  if (role === undefined) {
    throw new OperationError(`ServiceAccount ${serviceAccount} names no role`, {
      next: 'npm run manage -- apply',
    });
  }
  return role;
}

function withRole(check: Diagnosis, role: string): Diagnosis {
  if (!check.name.startsWith('AWS identity') || check.state !== 'ok') return check;
  if (isSessionOf(role, check.found)) return { ...check, found: `${check.found} is ${role}` };
  return {
    ...check,
    state: 'red',
    found: `${check.found} is not ${role}`,
    next: 'pods take the role when they start: npm run manage -- rollout restart',
  };
}

/**
 * Whether an identity is a session of a role. The ARN of a session has the role's name without its
 * path (IAM User Guide, "IAM identifiers", and STS, "GetCallerIdentity").
 */
export function isSessionOf(roleArn: string, identityArn: string): boolean {
  const role = parseArn(roleArn);
  const session = parseArn(identityArn);
  if (role?.service !== 'iam' || session?.service !== 'sts') return false;
  const [, name] = /^role\/(?:.*\/)?([\w+=,.@-]+)$/.exec(role.resource) ?? [];
  const [, nameInSession] = /^assumed-role\/([\w+=,.@-]+)\/[^/]+$/.exec(session.resource) ?? [];
  return (
    name !== undefined &&
    name === nameInSession &&
    role.partition === session.partition &&
    role.account === session.account
  );
}

/** A bucket of the account that is none of the given ones; undefined where there is none, or nobody may list them. */
export async function anotherBucket(
  s3: S3Client,
  buckets: readonly string[],
): Promise<string | undefined> {
  try {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    return Buckets.find(({ Name = '' }) => !buckets.includes(Name))?.Name;
  } catch (error) {
    if (error instanceof Error && error.name === 'AccessDenied') return undefined;
    throw error;
  }
}
