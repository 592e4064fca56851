import { expressionsIn, referencesIn } from '../../../src/synthesized/model/expression.ts';
import { blocksOf, valueAt } from '../../../src/synthesized/model/model.ts';
import { canonical } from '../../policy/arn.ts';
import { type Rule, rule } from '../rule.ts';
import { shown, when } from './faults.ts';

/** Arguments that hold credentials in clear text, or take them from the machine. */
const STATIC = ['token', 'password', 'username', 'client_key', 'client_certificate'];
const FROM_MACHINE = ['config_path', 'config_paths', 'config_context'];
const CREDENTIALS = [...STATIC, ...FROM_MACHINE];
const KNOWN = ['cluster_ca_certificate', 'exec', 'host', 'insecure'];
const FLAGS = ['--cluster-name', '--output', '--profile', '--region'];

/** Whoever signs in to another cluster deploys there. */
export const providerMeetsItsCluster: Rule = rule({
  id: 'provider-meets-its-cluster',
  title: "The Kubernetes provider signs in to the stack's own cluster, and checks its certificate",
  reason:
    'Endpoint, certificate and token of different clusters fail, or deploy into the wrong one; without the check anybody in between gets the token; a token in the configuration ends after 15 minutes.',
  control: 'SC-23',
  severity: 'high',
  subjects: ({ model }) =>
    model.stacks.flatMap(({ name, json }) =>
      blocksOf(json.provider?.kubernetes).map((provider, index) => ({
        stack: name,
        address: index === 0 ? 'provider.kubernetes' : `provider.kubernetes[${index}]`,
        provider,
      })),
    ),
  faults: ({ stack, provider }, { model }) => {
    const own = model.stackOf({ stack });
    const cluster = (value: unknown) =>
      referencesIn(value).find(({ address }) => own.at(address)?.type === 'aws_eks_cluster');
    const host = cluster(provider.host);
    const authority = cluster(provider.cluster_ca_certificate);
    const [exec] = blocksOf(provider.exec);
    const args = argumentsOf(exec?.args);
    const after = (flag: string) => args[args.indexOf(flag) + 1];
    const named = (flag: string) => (args.includes(flag) ? canonical(own, after(flag)) : undefined);
    const name = host && canonical(own, own.at(host.address)?.attributes.name);
    return [
      ...when(
        host === undefined || host.attribute !== 'endpoint',
        `its host ${shown(provider.host)} is not the endpoint of a cluster of this stack`,
      ),
      ...when(
        authority === undefined || authority.address !== host?.address,
        'cluster_ca_certificate is not that of the cluster that it talks to',
      ),
      ...when(
        provider.insecure === true || provider.insecure === 'true',
        'insecure: it checks no certificate',
      ),
      ...CREDENTIALS.filter((argument) => provider[argument] !== undefined).map(
        (argument) => `${argument} goes before a fresh token of the cluster`,
      ),
      ...Object.keys(provider)
        .filter((argument) => !KNOWN.includes(argument) && !CREDENTIALS.includes(argument))
        .map((argument) => `${argument} changes where it deploys, or what it sees`),
      ...Object.keys(exec ?? {})
        .filter((argument) => !['api_version', 'args', 'command'].includes(argument))
        .map((argument) => `exec has ${argument}, by which it may sign in as somebody else`),
      ...args
        .filter((word) => word.startsWith('--') && !FLAGS.includes(word))
        .map((word) => `exec has ${word}, by which it may sign in as somebody else`),
      ...when(exec === undefined, 'has no exec that fetches a fresh token'),
      ...when(
        exec !== undefined && !(exec.command === 'aws' && args.includes('get-token')),
        'exec must run aws eks get-token',
      ),
      ...when(
        exec !== undefined && name !== undefined && named('--cluster-name') !== name,
        `its token is for ${shown(named('--cluster-name'))}, the cluster is ${name}`,
      ),
      ...when(
        exec !== undefined && named('--region') !== own.region,
        `its token is asked for in ${shown(named('--region'))}, the stack is in ${own.region}`,
      ),
      ...when(
        exec !== undefined &&
          !/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(String(exec.api_version)),
        `exec has api_version ${shown(exec?.api_version)}`,
      ),
    ];
  },
});

/** Providers that are not pinned are whatever is newest. */
export const providerIsPinned: Rule = rule({
  id: 'kubernetes-provider-is-pinned',
  title: 'The Kubernetes provider is pinned to a version that knows write-only data',
  reason:
    'Versions before 2.36 have no data_wo, so a password lands in the state; a new major version changes what is sent.',
  control: 'CM-2',
  severity: 'medium',
  subjects: ({ model }) =>
    model.stacks
      .filter(({ json }) => blocksOf(json.provider?.kubernetes).length > 0)
      .map(({ name }) => ({ stack: name, address: 'terraform.required_providers.kubernetes' })),
  faults: ({ stack }, { model }) => {
    const [required] = blocksOf(
      valueAt(model.stackOf({ stack }).json.terraform, 'required_providers.kubernetes'),
    );
    const version = String(required?.version ?? '');
    const [, minor] =
      /^~>\s*2\.(\d+)(\.\d+)?$/.exec(version) ?? /^(?:=\s*)?2\.(\d+)\.\d+$/.exec(version) ?? [];
    return [
      ...when(
        required?.source !== 'hashicorp/kubernetes',
        `its source is ${shown(required?.source)}, must be hashicorp/kubernetes`,
      ),
      ...when(
        minor === undefined || Number(minor) < 36,
        `its version is ${shown(version || undefined)}, must be ~> 2.36 or later of the same major version`,
      ),
    ];
  },
});

/** The words of an argument list: a list, or an expression that joins some. */
function argumentsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'string') return [];
  return expressionsIn(value).flatMap((expression) =>
    [...expression.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word),
  );
}

/** Rules on the provider that makes the objects. */
export const PROVIDER_RULES: readonly Rule[] = [providerMeetsItsCluster, providerIsPinned];
