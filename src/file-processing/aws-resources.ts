import { DataAwsCallerIdentity } from '@cdktf/provider-aws/lib/data-aws-caller-identity/index.js';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import {
  bucketPublishesWithKey,
  logsUseKey,
  ruleSendsWithKey,
  topicSendsWithKey,
} from '../policies/key-policies.ts';
import { hasEndpoint, hasQueue, usesEventBridge } from '../settings/file-processing/delivery.ts';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import { leaveBehind } from '../stack/addressed-stack.ts';
import { Key } from '../stack/key.ts';
import { NetworkLookup } from '../stack/network-lookup.ts';
import { AddOns } from './add-ons.ts';
import { Alarms } from './alarms.ts';
import { notifyOfNewObjects } from './bucket-notification.ts';
import { forBucketOwners } from './bucket-owners.ts';
import {
  Cluster,
  type ClusterAttributes,
  clusterLogGroupName,
  existingCluster,
} from './cluster.ts';
import { ClusterAccess } from './cluster-access.ts';
import { bucketOwners, type Context, contextOf } from './context.ts';
import type { FoundDatabase } from './database-lookup.ts';
import { EventRule, ruleSenders } from './event-rule.ts';
import { allowNodes, allowOperators } from './ingress-rules.ts';
import { Irsa } from './irsa.ts';
import { Nodes } from './node-group.ts';
import { DeadLetterQueue, DeliveryQueue } from './queue.ts';
import { Repository } from './repository.ts';
import { subscribeEndpoint, subscribeQueue } from './subscription.ts';
import { deliveryLogGroupNames, type EventTopic, ExistingTopic, Topic, topicArn } from './topic.ts';
import type { DatabaseJobsProps } from './workload/database-jobs.ts';

/** What the AWS resources are made from. */
export interface AwsResourcesProps {
  readonly settings: FileProcessingSettings;
  /** Default tags of the stack. */
  readonly tags: Readonly<Record<string, string>>;
  /** Of the database's master user, with `database = "on_demand"`. */
  readonly masterSecret?: FoundDatabase['masterSecret'];
}

/**
 * Everything of file-processing that is not a Kubernetes object: cluster, role of the listener, topic,
 * queues, notifications, repository. Whoever deploys the Kubernetes objects by GitOps uses this
 * construct alone, and calls `subscribe` once the endpoint answers.
 */
export class AwsResources extends Construct {
  readonly cluster: ClusterAttributes;
  readonly irsa: Irsa;
  readonly topic: EventTopic;
  readonly deadLetterQueue: DeadLetterQueue;
  /** Only with `delivery = "sqs"`, and while both ways are open. */
  readonly queue?: DeliveryQueue;
  /** The queue's subscription. */
  readonly queueSubscription?: ITerraformDependable;
  /** Only with `node_autoscaler`. */
  readonly autoscalerRoleArn?: string;
  /** Only with `create_repository`. */
  readonly repository?: Repository;
  /** What other accounts have to set for their buckets, as JSON; undefined where none owns any. */
  readonly forBucketOwners?: string | undefined;
  /** What anything in the cluster depends on: the way in, nodes to run on, and the add-ons; nothing of a cluster of others. */
  readonly clusterReady: readonly ITerraformDependable[];

  /** What the Jobs that prepare a database on demand need. */
  readonly databaseJobs?: DatabaseJobsProps;

  readonly #settings: FileProcessingSettings;

  constructor(scope: Construct, { settings, tags, masterSecret }: AwsResourcesProps) {
    super(scope, 'aws-resources');
    this.#settings = settings;
    const account = new DataAwsCallerIdentity(this, 'current').accountId;
    const context = contextOf(settings, account, tags);
    const logsKeyArn = this.#logsKeyArn(context);
    const eventsKey = this.#eventsKey(context);

    [this.cluster, this.clusterReady] = settings.create_cluster
      ? this.#ownCluster(context, logsKeyArn)
      : [existingCluster(this, settings.cluster_name), []];

    this.topic = settings.existing_topic_arn
      ? new ExistingTopic(this, settings.existing_topic_arn)
      : new Topic(this, { context, keyArn: eventsKey.arn, logsKeyArn });
    const queueProps = { context, keyArn: eventsKey.arn, topicArn: this.topic.arn };
    this.deadLetterQueue = new DeadLetterQueue(this, queueProps);
    if (hasQueue(settings)) {
      const deadLetterArn = this.deadLetterQueue.resource.arn;
      const rules = ruleSenders(context);
      this.queue = new DeliveryQueue(this, { ...queueProps, deadLetterArn, rules });
      const { topic, deadLetterQueue, queue } = this;
      this.queueSubscription = subscribeQueue(this, { settings, topic, deadLetterQueue, queue });
    } else {
      // What waits in the queue of before is neither deleted nor watched: manage queue-delete does the rest.
      leaveBehind(this, 'aws_sqs_queue.deliveries');
    }
    const rule =
      this.queue && usesEventBridge(settings)
        ? new EventRule(this, { context, queue: this.queue, keyArn: eventsKey.arn })
        : undefined;
    this.irsa = new Irsa(this, {
      context,
      cluster: this.cluster,
      topicArn: this.topic.arn,
      queues: {
        arns: [
          (this.queue ?? this.deadLetterQueue).resource.arn,
          ...(rule ? [rule.undelivered.arn] : []),
        ],
        keyArn: eventsKey.arn,
      },
    });
    this.forBucketOwners = forBucketOwners(context, {
      roleArn: this.irsa.roleArn,
      topicArn: this.topic.arn,
    });
    if (settings.node_autoscaler === 'cluster-autoscaler') {
      this.autoscalerRoleArn = this.irsa.forAutoscaler();
    }
    new Alarms(this, {
      context,
      ...(this.topic.ownName && { topicName: this.topic.ownName }),
      deadLetterQueueName: this.deadLetterQueue.resource.name,
      ...(this.queue && { deliveryQueueName: this.queue.resource.name }),
      ...(rule && { undeliveredQueueName: rule.undelivered.name }),
    });

    notifyOfNewObjects(this, settings, { topic: this.topic, rule });
    if (settings.create_repository) this.repository = new Repository(this, context);
    const databaseRule =
      settings.db_security_group_id &&
      allowNodes(this, settings, settings.node_security_group_id || this.cluster.securityGroupId);
    // As long as there is no image there are no Jobs, unless others deploy them.
    const hasJobs = settings.image !== '' || !settings.manage_kubernetes;
    if (masterSecret && databaseRule && hasJobs) {
      const { dependsOn, ...jobs } = this.irsa.forDatabaseJobs(masterSecret);
      this.databaseJobs = { ...jobs, dependsOn: [...dependsOn, databaseRule] };
    }
  }

  #ownCluster(
    context: Context,
    logsKeyArn: string,
  ): readonly [cluster: ClusterAttributes, ready: readonly ITerraformDependable[]] {
    const { settings } = context;
    const subnetIds = new NetworkLookup(this, settings).privateSubnetIds;
    const { resource: cluster, attributes } = new Cluster(this, {
      context,
      subnetIds,
      logsKeyArn,
    });
    const access = new ClusterAccess(this, context, cluster);
    const addOns = new AddOns(this, { settings, cluster });
    const nodes = new Nodes(this, {
      context,
      cluster,
      subnetIds,
      dependsOn: addOns.beforeNodes(),
    });
    const operators = allowOperators(this, settings, attributes.securityGroupId);
    const afterNodes = addOns.afterNodes(nodes.groups[0]);
    return [attributes, [...operators, ...access.associations, ...nodes.groups, ...afterNodes]];
  }

  /** Subscribes the endpoint, if there is one yet, after what must be up for it to confirm. */
  subscribe(dependsOn: readonly ITerraformDependable[]): void {
    const { topic, deadLetterQueue, irsa } = this;
    const settings = this.#settings;
    if (hasEndpoint(settings) && settings.sns_endpoint_url) {
      subscribeEndpoint(this, {
        settings,
        topic,
        deadLetterQueue,
        dependsOn: [irsa.deliveryRight, ...dependsOn],
      });
    }
  }

  /** ARN of the key of the stack's log groups; empty where it has none. */
  #logsKeyArn(context: Context): string {
    const { create_cluster, cluster_name, existing_topic_arn } = context.settings;
    const ownTopic = existing_topic_arn === '';
    const names = [
      ...(create_cluster ? [clusterLogGroupName(cluster_name)] : []),
      ...(ownTopic ? deliveryLogGroupNames(context) : []),
    ];
    if (names.length === 0) return '';
    const owners = [create_cluster && 'the cluster', ownTopic && 'the deliveries'].filter(Boolean);
    return new Key(this, {
      context,
      purpose: 'logs',
      description: `Encrypts the log group${ownTopic ? 's' : ''} of ${owners.join(' and of ')}`,
      users: [logsUseKey(context, names)],
    }).arn;
  }

  #eventsKey(context: Context): Key {
    const ownTopic = context.settings.existing_topic_arn === '';
    return new Key(this, {
      context,
      purpose: 'events',
      description: ownTopic
        ? 'Encrypts the messages about new files, in the topic and in the queues'
        : 'Encrypts the messages about new files in the queues',
      users: [
        ...(ownTopic ? bucketOwners(context).map(bucketPublishesWithKey) : []),
        topicSendsWithKey(topicArn(context)),
        ...ruleSenders(context).map(ruleSendsWithKey),
      ],
    });
  }
}
