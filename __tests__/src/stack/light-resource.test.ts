import {
  CloudwatchEventTarget,
  type CloudwatchEventTargetConfig,
} from '@cdktf/provider-aws/lib/cloudwatch-event-target/index.js';
import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import { DbInstance, type DbInstanceConfig } from '@cdktf/provider-aws/lib/db-instance/index.js';
import {
  DefaultSecurityGroup,
  type DefaultSecurityGroupConfig,
} from '@cdktf/provider-aws/lib/default-security-group/index.js';
import {
  EksNodeGroup,
  type EksNodeGroupConfig,
} from '@cdktf/provider-aws/lib/eks-node-group/index.js';
import {
  LaunchTemplate,
  type LaunchTemplateConfig,
} from '@cdktf/provider-aws/lib/launch-template/index.js';
import { RdsCluster, type RdsClusterConfig } from '@cdktf/provider-aws/lib/rds-cluster/index.js';
import {
  RdsClusterInstance,
  type RdsClusterInstanceConfig,
} from '@cdktf/provider-aws/lib/rds-cluster-instance/index.js';
import {
  S3BucketNotification,
  type S3BucketNotificationConfig,
} from '@cdktf/provider-aws/lib/s3-bucket-notification/index.js';
import { VpcEndpoint, type VpcEndpointConfig } from '@cdktf/provider-aws/lib/vpc-endpoint/index.js';
import {
  DeploymentV1,
  type DeploymentV1Config,
} from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import {
  IngressV1,
  type IngressV1Config,
} from '@cdktf/provider-kubernetes/lib/ingress-v1/index.js';
import {
  PodDisruptionBudgetV1,
  type PodDisruptionBudgetV1Config,
} from '@cdktf/provider-kubernetes/lib/pod-disruption-budget-v1/index.js';
import {
  ServiceV1,
  type ServiceV1Config,
} from '@cdktf/provider-kubernetes/lib/service-v1/index.js';
import { type TerraformResource, Testing } from 'cdktf';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { AddressedStack } from '../../../src/stack/addressed-stack.ts';
import { blockPathsOf } from '../../../src/stack/hcl-writer.ts';
import { LightResource } from '../../../src/stack/light-resource.ts';

/** Every form of argument: blocks, lists of blocks, maps whose keys must stay, empty blocks, expressions. */
const deployment: DeploymentV1Config = {
  metadata: {
    name: 'listener',
    labels: { camelCase: 'stays' },
    annotations: { 'a.b/cD': 'stays' },
  },
  waitForRollout: true,
  timeouts: { create: '15m' },
  spec: {
    replicas: '2',
    selector: { matchLabels: { appName: 'listener' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '1' } },
    template: {
      metadata: { labels: { appName: 'listener' } },
      spec: {
        automountServiceAccountToken: false,
        nodeSelector: { 'kubernetes.io/arch': 'arm64', nodeGroup: 'large' },
        imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
        topologySpreadConstraint: [
          { topologyKey: 'zone', maxSkew: 1, labelSelector: [{ matchLabels: { appName: 'x' } }] },
        ],
        container: [
          {
            name: 'listener',
            image: '${var.image}',
            args: ['serve'],
            resources: { requests: { cpuTime: '1' }, limits: { memory: '1Gi' } },
            port: [{ containerPort: 8080, name: 'http' }],
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
          },
        ],
        volume: [{ name: 'tmp', emptyDir: {} }],
      },
    },
  },
  dependsOn: [],
  lifecycle: { ignoreChanges: ['spec[0].replicas'] },
};

const launchTemplate: LaunchTemplateConfig = {
  name: 'nodes',
  updateDefaultVersion: true,
  metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 2 },
  blockDeviceMappings: [{ deviceName: '/dev/xvda', ebs: { encrypted: 'true', volumeSize: 20 } }],
  monitoring: { enabled: true },
  tagSpecifications: [{ resourceType: 'instance', tags: { Name: 'nodes', costCenter: '7' } }],
};

const instance: DbInstanceConfig = {
  identifier: 'db',
  instanceClass: 'db.t4g.micro',
  multiAz: true,
  vpcSecurityGroupIds: ['sg-1'],
  enabledCloudwatchLogsExports: ['postgresql'],
  performanceInsightsRetentionPeriod: 7,
  lifecycle: { ignoreChanges: ['db_name'] },
};

const nodeGroup: EksNodeGroupConfig = {
  clusterName: 'cluster',
  nodeRoleArn: 'arn:aws:iam::123456789012:role/nodes',
  subnetIds: ['subnet-1'],
  labels: { nodePool: 'large' },
  taint: [{ key: 'files', value: 'large', effect: 'NO_SCHEDULE' }],
  scalingConfig: { minSize: 1, maxSize: 3, desiredSize: 2 },
  launchTemplate: { id: 'lt-1', version: '1' },
};

const eventTarget: CloudwatchEventTargetConfig = {
  rule: 'new-objects',
  arn: 'arn:aws:sqs:us-east-1:123456789012:files',
  deadLetterConfig: { arn: 'arn:aws:sqs:us-east-1:123456789012:undelivered' },
};

const ingress: IngressV1Config = {
  metadata: { name: 'listener', annotations: { 'alb.ingress.kubernetes.io/targetType': 'ip' } },
  waitForLoadBalancer: true,
  spec: {
    ingressClassName: 'alb',
    rule: [
      {
        host: 'files.example.gov',
        http: {
          path: [{ path: '/', backend: { service: { name: 'listener', port: { name: 'http' } } } }],
        },
      },
    ],
    tls: [{ hosts: ['files.example.gov'] }],
  },
};

const clusterInstance: RdsClusterInstanceConfig = {
  clusterIdentifier: 'db',
  engine: 'aurora-postgresql',
  instanceClass: 'db.serverless',
  performanceInsightsEnabled: true,
};

const cluster: RdsClusterConfig = {
  clusterIdentifier: 'db',
  engine: 'aurora-postgresql',
  serverlessv2ScalingConfiguration: { minCapacity: 0.5, maxCapacity: 2 },
  iamDatabaseAuthenticationEnabled: true,
};

const alarm: CloudwatchMetricAlarmConfig = {
  alarmName: 'stuck-messages',
  comparisonOperator: 'GreaterThanThreshold',
  threshold: 0,
  evaluationPeriods: 3,
  dimensions: { QueueName: 'dead-letters' },
  alarmActions: ['arn:aws:sns:us-east-1:123456789012:on-call'],
  okActions: [],
};

const defaultSecurityGroup: DefaultSecurityGroupConfig = {
  vpcId: 'vpc-1',
  tags: { Name: 'locked' },
};

const notification: S3BucketNotificationConfig = {
  bucket: 'drop',
  eventbridge: true,
  topic: [
    { id: 'one', topicArn: 'arn', events: ['s3:ObjectCreated:*'], filterPrefix: 'from_client/' },
    { topicArn: 'arn', events: ['s3:ObjectCreated:*'], filterSuffix: '.csv' },
  ],
};

const endpoint: VpcEndpointConfig = {
  vpcId: 'vpc-1',
  vpcEndpointType: 'Interface',
  serviceName: 'com.amazonaws.us-gov-west-1.sqs',
  privateDnsEnabled: false,
  subnetIds: ['subnet-1'],
  securityGroupIds: ['${aws_security_group.endpoints.id}'],
  tags: { Name: 'sqs' },
};

const disruptionBudget: PodDisruptionBudgetV1Config = {
  metadata: { name: 'listener', namespace: 'files', labels: { app: 'listener' } },
  spec: { maxUnavailable: '1', selector: { matchLabels: { app: 'listener' } } },
};

const service: ServiceV1Config = {
  metadata: { name: 'listener', annotations: { 'a.b/cD': 'stays' } },
  waitForLoadBalancer: true,
  timeouts: { create: '15m' },
  spec: {
    type: 'LoadBalancer',
    selector: { appName: 'stays' },
    port: [{ name: 'https', port: 443, targetPort: 'http', protocol: 'TCP' }],
  },
};

type Create = (scope: Construct) => TerraformResource;

const CASES: readonly (readonly [type: string, ours: Create, provider: Create])[] = [
  [
    'kubernetes_deployment_v1',
    (scope) => new LightResource(scope, 'one', 'kubernetes_deployment_v1', deployment),
    (scope) => new DeploymentV1(scope, 'one', deployment),
  ],
  [
    'aws_launch_template',
    (scope) => new LightResource(scope, 'one', 'aws_launch_template', launchTemplate),
    (scope) => new LaunchTemplate(scope, 'one', launchTemplate),
  ],
  [
    'aws_db_instance',
    (scope) => new LightResource(scope, 'one', 'aws_db_instance', instance),
    (scope) => new DbInstance(scope, 'one', instance),
  ],
  [
    'aws_rds_cluster',
    (scope) => new LightResource(scope, 'one', 'aws_rds_cluster', cluster),
    (scope) => new RdsCluster(scope, 'one', cluster),
  ],
  [
    'aws_rds_cluster_instance',
    (scope) => new LightResource(scope, 'one', 'aws_rds_cluster_instance', clusterInstance),
    (scope) => new RdsClusterInstance(scope, 'one', clusterInstance),
  ],
  [
    'aws_eks_node_group',
    (scope) => new LightResource(scope, 'one', 'aws_eks_node_group', nodeGroup),
    (scope) => new EksNodeGroup(scope, 'one', nodeGroup),
  ],
  [
    'aws_cloudwatch_event_target',
    (scope) => new LightResource(scope, 'one', 'aws_cloudwatch_event_target', eventTarget),
    (scope) => new CloudwatchEventTarget(scope, 'one', eventTarget),
  ],
  [
    'kubernetes_ingress_v1',
    (scope) => new LightResource(scope, 'one', 'kubernetes_ingress_v1', ingress),
    (scope) => new IngressV1(scope, 'one', ingress),
  ],
  [
    'aws_cloudwatch_metric_alarm',
    (scope) => new LightResource(scope, 'one', 'aws_cloudwatch_metric_alarm', alarm),
    (scope) => new CloudwatchMetricAlarm(scope, 'one', alarm),
  ],
  [
    'aws_default_security_group',
    (scope) => new LightResource(scope, 'one', 'aws_default_security_group', defaultSecurityGroup),
    (scope) => new DefaultSecurityGroup(scope, 'one', defaultSecurityGroup),
  ],
  [
    'aws_s3_bucket_notification',
    (scope) => new LightResource(scope, 'one', 'aws_s3_bucket_notification', notification),
    (scope) => new S3BucketNotification(scope, 'one', notification),
  ],
  [
    'aws_vpc_endpoint',
    (scope) => new LightResource(scope, 'one', 'aws_vpc_endpoint', endpoint),
    (scope) => new VpcEndpoint(scope, 'one', endpoint),
  ],
  [
    'kubernetes_pod_disruption_budget_v1',
    (scope) =>
      new LightResource(scope, 'one', 'kubernetes_pod_disruption_budget_v1', disruptionBudget),
    (scope) => new PodDisruptionBudgetV1(scope, 'one', disruptionBudget),
  ],
  [
    'kubernetes_service_v1',
    (scope) => new LightResource(scope, 'one', 'kubernetes_service_v1', service),
    (scope) => new ServiceV1(scope, 'one', service),
  ],
];

function synthesized(create: Create) {
  const stack = new AddressedStack(Testing.app(), 'test');
  const resource = create(stack);
  return {
    json: JSON.parse(Testing.synth(stack)).resource,
    blocks: new Set(blockPathsOf(resource)),
    address: `${resource.terraformResourceType}.${resource.friendlyUniqueId}`,
  };
}

describe.each(CASES)('%s without the class of its provider', (_, create, createByProvider) => {
  const ours = synthesized(create);
  const provider = synthesized(createByProvider);

  it("has the JSON of the provider's own class", () => {
    expect(ours.json).toStrictEqual(provider.json);
  });

  it("has the blocks of the provider's own class, for HCL", () => {
    expect(ours.blocks).toStrictEqual(provider.blocks);
  });

  it("has the address of the provider's own class", () => {
    expect(ours.address).toBe(provider.address);
  });
});
