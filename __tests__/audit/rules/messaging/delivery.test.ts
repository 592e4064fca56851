import { DELIVERY_RULES } from '../../../../audit/rules/messaging/delivery.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { CONFIG_MAP, DEPLOYMENT, INGRESS, SERVICE } from '../../support/kubernetes-paths.ts';
import {
  addObject,
  addTwin,
  all,
  alter,
  argumentOf,
  type Change,
  drop,
  remove,
  set,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const _NOTIFICATION = 'aws_s3_bucket_notification';
const SUBSCRIPTION = 'aws_sns_topic_subscription';
const setting = (name: string, value: string): Change => set(CONFIG_MAP, `data.${name}`, value);

function addResource(json: Json, type: string, block: Json): void {
  const resources = json.resource as Record<string, Json>;
  resources[type] = { ...resources[type], added: block };
}

function reportsBelow(json: Json): void {
  const prefixes = String(argumentOf(json, CONFIG_MAP, 'data.S3_PREFIXES'));
  setting('REPORT_PREFIX', `${prefixes.split(',')[0]}reports/`)(json);
}

function deadLetters(json: Json): void {
  addTwin('aws_sqs_queue')(json);
  setting('SQS_QUEUE_URL', '${aws_sqs_queue.twin.url}')(json);
}

function metricsOnly(json: Json): void {
  const name = argumentOf(json, DEPLOYMENT, 'spec.template.spec.container.0.port.1.name');
  set(SERVICE, 'spec.port.0.target_port', name)(json);
}

/** A Service in front of the pods, which a listener with a queue does not need. */
function serviceOfType(type: string): Change {
  return (json) => {
    const selector = argumentOf(json, DEPLOYMENT, 'spec.selector.match_labels');
    const target_port = argumentOf(json, DEPLOYMENT, 'spec.template.spec.container.0.port.0.name');
    addObject(SERVICE, 'another', { spec: { type, selector, port: [{ port: 443, target_port }] } })(
      json,
    );
  };
}

function groupOfCluster(json: Json): string {
  const [name = ''] = Object.keys((json.resource as Record<string, Json>).aws_eks_cluster ?? {});
  return `\${aws_eks_cluster.${name}.vpc_config[0].cluster_security_group_id}`;
}

describeRules(DELIVERY_RULES, {
  objects: {
    'listener-trusts-its-topic': [
      [
        'the topic of another account',
        setting('SNS_TOPIC_ARNS', 'arn:aws-us-gov:sns:us-gov-west-1:210987654321:a-topic'),
      ],
      [
        'another topic of the stack',
        all(
          (json) => addResource(json, 'aws_sns_topic', { name: 'another' }),
          setting('SNS_TOPIC_ARNS', '${aws_sns_topic.added.arn}'),
        ),
      ],
      [
        'one topic more',
        alter(
          CONFIG_MAP,
          'data.SNS_TOPIC_ARNS',
          (arn) => `${arn},arn:aws-us-gov:sns:us-gov-west-1:210987654321:a-topic`,
        ),
      ],
    ],
    'listener-settings-match-stack': [
      [
        'a database of another region',
        setting('DB_HOST', 'etl.abcdefghijkl.us-gov-east-1.rds.amazonaws.com'),
      ],
      [
        'a database of another partition',
        setting('DB_HOST', 'etl.abcdefghijkl.us-gov-west-1.rds.amazonaws.com.cn'),
      ],
      [
        'a port that the group of the database keeps shut',
        (json) =>
          addResource(json, 'aws_vpc_security_group_ingress_rule', {
            security_group_id: 'sg-0a1b2c3d',
            referenced_security_group_id: groupOfCluster(json),
            from_port: 5433,
            to_port: 5433,
            ip_protocol: 'tcp',
          }),
      ],

      ['another region', setting('AWS_REGION', 'us-gov-east-1')],
      ['reports below a prefix', reportsBelow],
    ],
    'listener-fetches-from-its-queue': [
      ['no queue', drop(CONFIG_MAP, 'data.SQS_QUEUE_URL'), 'queue'],
      ['a literal', setting('SQS_QUEUE_URL', 'https://sqs.example.org/1/other'), 'queue'],
      ['the dead-letter queue', deadLetters, 'queue'],
      ['no subscription', remove(SUBSCRIPTION), 'queue'],
    ],
    'deliveries-reach-the-listener': [
      ['no Service', remove(SERVICE)],
      ['a Service within the cluster', set(SERVICE, 'spec.type', 'ClusterIP')],
      ['a Service of the metrics', metricsOnly],
      ['no Ingress', remove(INGRESS), 'alb'],
      ['a Service that selects others', set(SERVICE, 'spec.selector', { other: 'pods' }), 'nginx'],
      ['no queue', drop(CONFIG_MAP, 'data.SQS_QUEUE_URL'), 'queue'],
    ],
    'connections-fit-the-endpoint': [
      ['idle clients of a load balancer', setting('KEEP_ALIVE_SECONDS', '65')],
      ['the default behind a load balancer', drop(CONFIG_MAP, 'data.KEEP_ALIVE_SECONDS')],
      ['connections that close before their proxy', setting('KEEP_ALIVE_SECONDS', '60'), 'alb'],
      ['a limit for nodes', setting('MAX_CONNECTIONS_PER_ADDRESS', '50')],
      ['a limit for a proxy', setting('MAX_CONNECTIONS_PER_ADDRESS', '50'), 'nginx'],
    ],
    'queue-needs-no-endpoint': [
      ['a load balancer', serviceOfType('LoadBalancer'), 'queue'],
      ['a port of every node', serviceOfType('NodePort'), 'queue'],
    ],
    'subscription-matches-endpoint': [
      ['another path', alter(SUBSCRIPTION, 'endpoint', (url) => `${url}sns`)],
      ['another port', set(SUBSCRIPTION, 'endpoint', 'https://files.example.gov:8443/')],
      ['plain http', set(SUBSCRIPTION, 'endpoint', 'http://files.example.gov/')],
      ['another host', set(SUBSCRIPTION, 'endpoint', 'https://other.example.gov/'), 'alb'],
      ['another host of the Ingress', set(INGRESS, 'spec.rule.0.host', 'other.gov'), 'nginx'],
      ['no listener', remove(DEPLOYMENT)],
    ],
  },
  buckets: {
    'listener-settings-match-stack': [
      [
        'reports below a key prefix of one of the buckets',
        ({ json, set }) => {
          json('kubernetes_config_map_v1', 'data.S3_BUCKETS', (list) => {
            Object.assign((list as unknown as object[])[1] ?? {}, { prefixes: ['late/'] });
          });
          set('kubernetes_config_map_v1', 'data.REPORT_PREFIX', 'late/reports/');
        },
      ],
    ],
  },
});
