import { trustsTokens } from '../../settings/file-processing/cluster.ts';
import { clusterIssuer } from '../oidc/issuer.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import {
  findProvider,
  importProvider,
  OIDC_PROVIDER,
  replacesProvider,
} from '../terraform/oidc-provider-import.ts';
import { type OpenStack, openStack } from '../terraform/open-stack.ts';
import { managedResources } from '../terraform/plan-json.ts';
import { withPlan } from '../terraform/review.ts';

/**
 * `manage oidc-import`: takes the OIDC provider that the cluster's issuer has in IAM already into the
 * stack's state, instead of failing to make a second one.
 */
export const oidcImport: Operation<{ readonly dryRun: boolean }> = {
  name: 'oidc-import',
  summary: "import the existing OIDC provider of the cluster's issuer into the state, then plan",
  describe: (command) =>
    command.option('--dry-run', 'say what would be imported, change nothing', false),
  execute: async (context, options) => {
    const stack = await openStack(context, options, 'file-processing');
    refuseWhereOthersOwnIt(stack);
    const held = managedResources(await stack.terraform.state()).find(
      ({ address }) => address === OIDC_PROVIDER,
    );
    const say = (imported: boolean, provider: unknown, text: string) => {
      context.stderr.write(`${text}\n`);
      if (options.json) context.stdout.write(`${JSON.stringify({ imported, provider })}\n`);
    };
    if (held !== undefined) {
      const arn = held.values.arn ?? null;
      say(false, arn, `Nothing to do: ${OIDC_PROVIDER} is in the state already (${arn}).`);
      return EXIT.ok;
    }

    const issuer = await clusterIssuer(await stack.clients.eks(), stack.settings.cluster_name);
    const arn = await findProvider(await stack.clients.iam(), issuer);
    if (arn === undefined) {
      say(false, null, `Nothing to import: IAM has no provider for ${issuer}; apply makes one.`);
      return EXIT.ok;
    }
    if (options.dryRun) {
      say(false, arn, `Would run terraform import ${OIDC_PROVIDER} ${arn}`);
      return EXIT.ok;
    }
    await importProvider(stack, arn);
    await planImported(context, stack);
    say(true, arn, `Imported ${arn}.`);
    return EXIT.ok;
  },
};

function refuseWhereOthersOwnIt({ settings }: OpenStack): void {
  if (!settings.create_cluster) {
    throw new OperationError(
      `${settings.cluster_name} belongs to others (create_cluster = false), and so does its provider: destroying this stack would delete it for them`,
      {
        next: 'name the provider in existing_oidc_provider_arn; where there is none, apply makes one',
        code: EXIT.refused,
      },
    );
  }
  if (!trustsTokens(settings)) {
    throw new OperationError('identity = "pod_identity": the stack needs no OIDC provider', {
      code: EXIT.refused,
      next: 'leave the provider to whoever else uses it',
    });
  }
  if (settings.existing_oidc_provider_arn === '') return;
  throw new OperationError(
    `existing_oidc_provider_arn is set to ${settings.existing_oidc_provider_arn}: the stack uses that provider and owns none`,
    {
      next: 'to take it over, remove existing_oidc_provider_arn from file_processing.tfvars and run oidc-import again',
      code: EXIT.refused,
    },
  );
}

/** Shows what an apply would change of the provider: its tags at the most. */
async function planImported({ stderr }: OperationContext, stack: OpenStack): Promise<void> {
  const { cluster_name: cluster } = stack.settings;
  stderr.write("Planning the provider alone: Terraform's warning about -target is expected.\n");
  await withPlan(stack, { targets: [OIDC_PROVIDER] }, async ({ json }) => {
    if (!replacesProvider(json)) return;
    throw new OperationError(
      `the provider is imported, but an apply would replace it: cluster ${cluster} is not in the state, so its issuer is not known`,
      {
        next: `take the cluster into the state too: terraform -chdir=${stack.folder} import aws_eks_cluster.this ${cluster}; then npm run manage -- plan`,
      },
    );
  });
}
