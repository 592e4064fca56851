import { describe, expect, it } from 'vitest';
import type { FileProcessingSettings } from '../../../../src/settings/file-processing-variables.ts';
import { synthesizeFileProcessing } from '../../../support/synthesized-file-processing.ts';
import { DATABASE, IMAGE, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const SIGN_IN: Partial<FileProcessingSettings> = {
  ...DATABASE,
  image: IMAGE,
  console: true,
  console_variables: {
    CONSOLE_ORIGIN: 'https://deliveries.example.gov',
    CONSOLE_OIDC_ISSUER: 'https://login.example.gov:8443/realms/etl',
    CONSOLE_OIDC_CLIENT_ID: 'file-processing',
    CONSOLE_GRANTS: '[{"group":"data-team","rights":["look"]}]',
  },
};
const { resources } = synthesizeWorkload({ ...DATABASE, console: true });
const signIn = synthesizeFileProcessing(SIGN_IN);
const at = (type: string) => resources[`${type}.console`];
const policyOf = (settings: Partial<FileProcessingSettings>) =>
  synthesizeWorkload({ ...DATABASE, console: true, ...settings }).resources[
    'kubernetes_network_policy_v1.console'
  ];

describe('the console in the cluster', () => {
  it('is off by default, and needs an image', () => {
    for (const settings of [{}, { console: true, image: '' }]) {
      const { resources: without } = synthesizeWorkload({ ...DATABASE, ...settings });
      expect(Object.keys(without).filter((name) => /console/.test(name))).toEqual([]);
    }
  });

  it('runs beside the listener, in pods that no Service or policy of the listener is for', () => {
    const deployment = at('kubernetes_deployment_v1');
    expect(deployment).toHaveProperty('spec.selector.match_labels', {
      app: 'file-processing-console',
    });
    expect(deployment).toHaveProperty(
      'spec.template.metadata.labels.app',
      'file-processing-console',
    );
    expect(deployment).toHaveProperty('spec.template.spec.container.0.args', ['console']);
    expect(deployment).toHaveProperty(
      'depends_on',
      expect.arrayContaining([
        'kubernetes_deployment_v1.sns_listener',
        'kubernetes_network_policy_v1.console',
      ]),
    );
  });

  it('is known in the cluster alone, by a Service of its own', () => {
    expect(at('kubernetes_service_v1')).toMatchObject({
      spec: {
        type: 'ClusterIP',
        selector: { app: 'file-processing-console' },
        port: [{ port: 80, target_port: 'console' }],
      },
    });
    expect(Object.keys(resources).filter((name) => /ingress/.test(name))).toEqual([]);
  });

  it('is called by nobody whom the settings do not name', () => {
    const policy = at('kubernetes_network_policy_v1');
    expect(policy).toHaveProperty('spec.policy_types', ['Ingress', 'Egress']);
    expect(policy).toHaveProperty('spec.ingress', []);
    const named = policyOf({ console_clients: ['ingress-nginx', '10.20.0.0/24'] });
    expect(named).toHaveProperty('spec.ingress', [
      {
        from: [
          {
            namespace_selector: {
              match_labels: { 'kubernetes.io/metadata.name': 'ingress-nginx' },
            },
          },
          { ip_block: { cidr: '10.20.0.0/24' } },
        ],
        ports: [{ port: '8070', protocol: 'TCP' }],
      },
    ]);
  });

  it('reaches a provider that is on a port of its own', () => {
    const policy = policyOf(SIGN_IN);
    expect(policy).toHaveProperty(
      'spec.egress',
      expect.arrayContaining([
        { to: [{ ip_block: { cidr: '0.0.0.0/0' } }], ports: [{ port: '8443', protocol: 'TCP' }] },
      ]),
    );
  });

  it('has no Secret where nobody signs in', () => {
    expect(at('kubernetes_secret_v1')).toBeUndefined();
    expect(JSON.stringify(at('kubernetes_deployment_v1'))).not.toContain('SECRET');
  });

  it('has its secret by a write-only argument, and a plan without it is refused', () => {
    const { resource, variable } = signIn as {
      resource: Record<string, Record<string, Readonly<Record<string, unknown>>>>;
      variable: Record<string, unknown>;
    };
    const secret = resource.kubernetes_secret_v1?.console;
    expect(secret).toMatchObject({
      data_wo: { CONSOLE_OIDC_CLIENT_SECRET: '${var.console_secret}' },
      data_wo_revision: '${var.console_secret_revision}',
    });
    expect(secret).toHaveProperty(
      'lifecycle.precondition.0.error_message',
      expect.stringContaining('TF_VAR_console_secret'),
    );
    expect(variable.console_secret).toMatchObject({
      sensitive: true,
      ephemeral: true,
      default: null,
    });
    const pod = JSON.stringify(resource.kubernetes_deployment_v1?.console);
    expect(pod).toContain('/etc/file-processing/console/CONSOLE_OIDC_CLIENT_SECRET');
  });

  it.each([
    ['alone', { console_variables: {} }, ['CONSOLE_TOKENS'], '${var.console_tokens_revision}'],
    [
      'beside the secret, by a number that rises with either',
      {},
      ['CONSOLE_OIDC_CLIENT_SECRET', 'CONSOLE_TOKENS'],
      '${var.console_secret_revision + var.console_tokens_revision}',
    ],
  ] as const)('has the tokens of scripts %s', (_, settings, names, revision) => {
    const { resource, variable } = synthesizeFileProcessing({
      ...{ ...SIGN_IN, console_tokens_revision: 2 },
      ...settings,
    }) as {
      resource: Record<string, Record<string, Readonly<Record<string, unknown>>>>;
      variable: Record<string, unknown>;
    };
    const secret = resource.kubernetes_secret_v1?.console;
    expect(secret?.data_wo).toMatchObject({ CONSOLE_TOKENS: '${var.console_tokens}' });
    expect(Object.keys(secret?.data_wo ?? {})).toEqual(names);
    expect(secret?.data_wo_revision).toEqual(revision);
    expect(JSON.stringify(secret?.lifecycle)).toContain('TF_VAR_console_tokens');
    expect(variable.console_tokens).toMatchObject({ sensitive: true, ephemeral: true });
    const pod = JSON.stringify(resource.kubernetes_deployment_v1?.console);
    for (const name of names) expect(pod).toContain(`/etc/file-processing/console/${name}`);
    expect(pod).toContain('/etc/file-processing/console');
  });
});
