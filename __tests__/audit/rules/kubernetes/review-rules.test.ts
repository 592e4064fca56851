import { describe } from 'vitest';
import { REVIEW_RULES } from '../../../../audit/rules/kubernetes/review-rules.ts';
import {
  CONFIG_MAP,
  DEPLOYMENT,
  MAIN,
  POD,
  SERVICE,
  TEMPLATE,
} from '../../support/kubernetes-paths.ts';
import { add, addObject, describePlants, set } from '../../support/kubernetes-plants.ts';

const FREE = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'free' } };
const NLB = 'service.beta.kubernetes.io/aws-load-balancer';
const annotate = (name: string, value: string) =>
  set(SERVICE, ['metadata', 'annotations', name], value);

describe('The rules on what the other Kubernetes rules do not know', () => {
  describePlants(REVIEW_RULES, {
    'field-is-reviewed': [
      ['a program at start', set(DEPLOYMENT, `${MAIN}.lifecycle.post_start.0.exec.command`, ['x'])],
      [
        'a header that a probe sends',
        set(DEPLOYMENT, `${MAIN}.readiness_probe.http_get.http_header`, [{ name: 'Host' }]),
      ],
      ['a folder to start in', set(DEPLOYMENT, `${MAIN}.working_dir`, '/tmp')],
      ['a terminal', set(DEPLOYMENT, `${MAIN}.tty`, true)],
      [
        'a gate that nobody opens',
        set(DEPLOYMENT, `${POD}.readiness_gate`, [{ condition_type: 'example.org/open' }]),
      ],
      [
        'a DNS server of others',
        set(DEPLOYMENT, `${POD}.dns_config`, { nameservers: ['198.51.100.53'] }),
      ],
      ['pods of another system', set(DEPLOYMENT, `${POD}.os`, { name: 'windows' })],
      [
        'the password of a registry',
        set(DEPLOYMENT, `${POD}.image_pull_secrets`, [{ name: 'registry' }]),
      ],
      [
        'a volume in memory, which counts as memory',
        set(DEPLOYMENT, `${POD}.volume.0.empty_dir.medium`, 'Memory'),
      ],
      [
        'a volume with a token for the API',
        set(DEPLOYMENT, `${POD}.volume.0`, {
          name: 'tmp',
          projected: { sources: [{ service_account_token: { path: 'token' } }] },
        }),
      ],
      ['the callers of one pod', set(SERVICE, 'spec.session_affinity', 'ClientIP')],
      ['a class without a controller', set(SERVICE, 'spec.load_balancer_class', 'example.org/lb')],
      ['a port of the node', set(SERVICE, 'spec.port.0.node_port', 30080)],
      ['binary data', set(CONFIG_MAP, 'binary_data', { key: 'eA==' })],
      [
        'a kind that no rule looks at',
        addObject('kubernetes_priority_class_v1', 'first', { value: 1000000 }),
      ],
    ],
    'annotation-is-reviewed': [
      ['a slip in a name', annotate(`${NLB}-ssl-certs`, 'x')],
      ['other subnets', annotate(`${NLB}-subnets`, 'subnet-0a1b2c3d')],
      ['further security groups', annotate(`${NLB}-extra-security-groups`, 'sg-0a1b2c3d')],
      ['patience of minutes', annotate(`${NLB}-healthcheck-interval`, '300')],
      [
        'a name elsewhere',
        annotate('external-dns.alpha.kubernetes.io/hostname', 'files.example.org'),
      ],
      [
        'a container from a mesh',
        set(
          DEPLOYMENT,
          [...TEMPLATE.split('.'), 'metadata', 'annotations', 'sidecar.istio.io/inject'],
          'true',
        ),
      ],
      [
        'a pod that keeps its node',
        set(
          DEPLOYMENT,
          [
            ...TEMPLATE.split('.'),
            ...['metadata', 'annotations', 'cluster-autoscaler.kubernetes.io/safe-to-evict'],
          ],
          'false',
        ),
      ],
    ],
    'object-type-is-reviewed': [
      ['a free manifest', add('kubernetes_manifest', 'free', { manifest: FREE })],
      ['a type without version', addObject('kubernetes_config_map', 'old', { data: { KEY: 'x' } })],
    ],
  });
});
