import type { HandoverOptions } from '../../src/operations/terraform/load-balancer-handover.ts';
import type { OpenStack } from '../../src/operations/terraform/open-stack.ts';
import type { StateJson } from '../../src/operations/terraform/plan-json.ts';
import type { FileProcessingSettings } from '../../src/settings/file-processing-variables.ts';
import { fileProcessingSettings } from './settings.ts';

/** Class of the AWS Load Balancer Controller. */
export const CLASS = 'service.k8s.aws/nlb';

/** The state of a stack whose Service has a load balancer. */
export function stateWithService(name: string | undefined, loadBalancerClass = ''): StateJson {
  if (name === undefined) return {};
  const attributes = {
    metadata: [{ name }],
    spec: [{ type: 'LoadBalancer', load_balancer_class: loadBalancerClass }],
  };
  const service = { mode: 'managed' as const, type: 'kubernetes_service_v1', name: 'sns_listener' };
  return { resources: [{ ...service, instances: [{ attributes }] }] };
}

/** A stack whose state holds a Service by its name; Terraform is played. */
export function stackWithService(
  overrides: Partial<FileProcessingSettings>,
  held: { name: string | undefined; readonly loadBalancerClass?: string },
  imports: { readonly fail?: boolean } = {},
) {
  const commands: string[] = [];
  let { name, loadBalancerClass = '' } = held;
  const settings = fileProcessingSettings(overrides);
  const terraform = {
    state: async () => stateWithService(name, loadBalancerClass),
    removeFromState: async (address: string) => {
      commands.push(`state rm ${address}`);
      name = undefined;
    },
    importResource: async (address: string, id: string) => {
      commands.push(`import ${address} ${id}`);
      if (imports.fail && id.endsWith('-2')) throw new Error('the API does not answer');
      name = id.split('/')[1];
      loadBalancerClass = settings.load_balancer_class;
    },
  };
  const stack = { name: 'file-processing', environment: 'etl-playground', settings, terraform };
  return { stack: stack as unknown as OpenStack, commands, held: () => name };
}

/** Options of a handover that asks nobody. */
export const HANDOVER: HandoverOptions = {
  environment: 'etl-playground',
  profile: '',
  json: false,
  autoApprove: true,
  wait: 30,
};
