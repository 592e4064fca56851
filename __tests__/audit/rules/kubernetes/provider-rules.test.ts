import { describe } from 'vitest';
import { PROVIDER_RULES } from '../../../../audit/rules/kubernetes/provider-rules.ts';
import { type Change, describePlants } from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

describe('The rules on the Kubernetes provider', () => {
  describePlants(PROVIDER_RULES, {
    'provider-meets-its-cluster': [
      ['a proxy', provider({ proxy_url: 'http://proxy.example.org' })],
      ['another name in the certificate', provider({ tls_server_name: 'example.org' })],
      ['annotations that it does not see', provider({ ignore_annotations: ['.*'] })],
      ['another profile', exec({ env: { AWS_PROFILE: 'somebody' } })],
      [
        'another role',
        (json) => {
          const [block] = blockOf(json).exec as [Json];
          block.args = String(block.args).replace('"get-token"', '"get-token","--role-arn","x"');
        },
      ],

      ['another endpoint', provider({ host: 'https://example.org' })],
      ['no endpoint', provider({ host: undefined })],
      ['no certificate', provider({ cluster_ca_certificate: undefined })],
      [
        'the certificate of another cluster',
        provider({ cluster_ca_certificate: '${base64decode("x")}' }),
      ],
      ['no check', provider({ insecure: true })],
      ['a token', provider({ token: '${var.token}' })],
      ["the machine's kubeconfig", provider({ config_path: '~/.kube/config' })],
      ['no fresh token', provider({ exec: undefined })],
      ['another program', exec({ command: 'aws-iam-authenticator' })],
      ['the token of another cluster', exec({ args: TOKEN_OF_ANOTHER })],
      ['no cluster', exec({ args: ['eks', 'get-token', '--region', 'us-gov-west-1'] })],
      ['another region', regionOf('us-gov-east-1')],
      ['an old version', exec({ api_version: 'client.authentication.k8s.io/v1alpha1' })],
    ],
    'kubernetes-provider-is-pinned': [
      ['no version', required({ version: undefined })],
      ['a version without write-only data', required({ version: '~> 2.30' })],
      ['any later version', required({ version: '>= 2.38' })],
      ['another source', required({ source: 'example/kubernetes' })],
    ],
  });
});

const TOKEN_OF_ANOTHER = [
  ...['eks', 'get-token', '--cluster-name', 'another'],
  ...['--region', 'us-gov-west-1'],
];

function blockOf(json: Json): Json {
  const [block] = (json.provider as Record<string, Json[]>).kubernetes ?? [];
  if (block === undefined) throw new Error('There is no Kubernetes provider');
  return block;
}

function change(block: Json, values: Json): void {
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) delete block[key];
    else block[key] = value;
  }
}

function provider(values: Json): Change {
  return (json) => change(blockOf(json), values);
}

function exec(values: Json): Change {
  return (json) => {
    const [block] = blockOf(json).exec as [Json];
    change(block, values);
  };
}

function regionOf(region: string): Change {
  return (json) => {
    const [block] = blockOf(json).exec as [Json];
    block.args = String(block.args).replace('us-gov-west-1', region);
  };
}

function required(values: Json): Change {
  return (json) => {
    const { required_providers } = json.terraform as { required_providers: Record<string, Json> };
    change(required_providers.kubernetes ?? {}, values);
  };
}
