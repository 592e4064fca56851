import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IAMClient } from '@aws-sdk/client-iam';
import { removedAtExit } from '../files.ts';
import type { OpenStack } from './open-stack.ts';
import { changesOf, deletes, type PlanJson } from './plan-json.ts';

/** Address of the cluster's OIDC provider, that of the original's Terraform. */
export const OIDC_PROVIDER = 'aws_iam_openid_connect_provider.eks';

/** Terraform merges files with this ending over the others ("Override Files"). */
const OVERRIDE_FILE = 'zz_oidc_import_override.tf.json';

/** ARN among those of an account's providers that is the one of an issuer. */
export function providerOf(issuer: string, arns: readonly string[]): string | undefined {
  const path = issuer.replace(/^https:\/\//, '').replace(/\/$/, '');
  return arns.find((arn) => arn.endsWith(`:oidc-provider/${path}`));
}

/** ARN of the provider that IAM has for an issuer. */
export async function findProvider(iam: IAMClient, issuer: string): Promise<string | undefined> {
  const { ListOpenIDConnectProvidersCommand } = await import('@aws-sdk/client-iam');
  const { OpenIDConnectProviderList = [] } = await iam.send(
    new ListOpenIDConnectProvidersCommand({}),
  );
  return providerOf(
    issuer,
    OpenIDConnectProviderList.map(({ Arn = '' }) => Arn),
  );
}

/**
 * Configuration that stands over the Kubernetes provider's own while something is imported: import
 * configures every provider, also one that it does not use, and can't while the cluster's attributes
 * are unknown. Nothing is sent to the address.
 */
export function constantKubernetesProvider(): object {
  return {
    provider: {
      kubernetes: [{ host: 'https://127.0.0.1', insecure: true, cluster_ca_certificate: '' }],
    },
  };
}

/** Imports the provider; the override is gone afterwards, whatever happens. */
export async function importProvider(
  { folder, json, terraform }: OpenStack,
  arn: string,
): Promise<void> {
  const importIt = () => terraform.importResource(OIDC_PROVIDER, arn);
  if (json.provider?.kubernetes === undefined) return await importIt();
  const file = join(folder, OVERRIDE_FILE);
  await removedAtExit(file, async () => {
    await writeFile(file, JSON.stringify(constantKubernetesProvider()));
    await importIt();
  });
}

/** Whether a plan replaces the imported provider, as long as the cluster is not in the state. */
export function replacesProvider(plan: PlanJson): boolean {
  return changesOf(plan).some((change) => change.address === OIDC_PROVIDER && deletes(change));
}
