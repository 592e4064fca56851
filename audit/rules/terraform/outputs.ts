import { decodeKeyFilter, encodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import { referencesIn } from '../../../src/synthesized/model/expression.ts';
import { blocksOf, type Resource, type StackModel } from '../../../src/synthesized/model/model.ts';
import { canonical, statementsOfRole, topicsOfOthers } from '../../policy/policies.ts';
import { parseJson } from '../../policy/policy-document.ts';
import { roleOfServiceAccount } from '../identity/service-accounts.ts';
import { isDeadLetterQueue, isOfOthers } from '../messaging/queues.ts';
import { bucketsIn, isHttp, listenersOf, servers } from '../readers/listeners.ts';
import { podsOf } from '../readers/pods.ts';
import { isAutoscalerRole, isPublic, listOf, outputsOf, read } from '../readers/resources.ts';
import { type Audited, type Faults, type Rule, rule, shown } from '../rule.ts';
import outputs from './outputs.json' with { type: 'json' };

/** Where an output of a stack is judged. */
interface Place {
  readonly audited: Audited;
  readonly stack: StackModel;
}

/** What an output may be, each in its canonical spelling; undefined where the JSON does not tell. */
type Expected = (place: Place) => readonly string[] | undefined;

/** An attribute of the resources or data sources of some types, of those that fit. */
function attribute(
  types: Readonly<Record<string, string>>,
  fits: (resource: Resource, place: Place) => boolean = () => true,
  otherwise?: readonly string[],
): Expected {
  return (place) => {
    const { stack } = place;
    const found = [...stack.resources, ...stack.data]
      .filter(({ type }) => type in types)
      .filter((resource) => fits(resource, place))
      .map(({ type, address }) => canonical(stack, `\${${address}.${types[type]}}`));
    return found.length > 0 ? found : otherwise;
  };
}

const role = (fits: (resource: Resource, place: Place) => boolean) =>
  attribute({ aws_iam_role: 'arn' }, fits);

/** Roles of the pods that do some work. */
const rolesOf = (kind: 'server' | 'job', { audited, stack }: Place) =>
  (kind === 'server'
    ? servers(audited).map(({ pod }) => pod)
    : podsOf(audited).filter((pod) => pod.kind === 'Job')
  )
    .filter((pod) => pod.stack === stack.name)
    .map((pod) => roleOfServiceAccount(audited, pod));

/** Whether a role may read the master password, by which a Job makes the database. */
const readsSecret = (resource: Resource, { audited }: Place) =>
  statementsOfRole(audited.model, resource).some(({ statement }) =>
    statement.actions.includes('secretsmanager:GetSecretValue'),
  );

/** The security groups that databases of a stack are behind. */
const isGroupOfDatabase = ({ address }: Resource, { stack }: Place) =>
  stack.resources
    .filter(({ type }) => type in outputs.database_identifier)
    .flatMap(({ attributes }) => listOf(attributes.vpc_security_group_ids))
    .some((id) => stack.target(id)?.address === address);

/** What each output is, by its name, which others read it by: an attribute of outputs.json, or of one resource of several. */
const EXPECTED: Readonly<Record<string, Expected>> = {
  ...Object.fromEntries(
    Object.entries<Readonly<Record<string, string>>>(outputs).map(([name, types]) => [
      name,
      attribute(types),
    ]),
  ),
  service_account_role_arn: role((one, place) => rolesOf('server', place).includes(one)),
  cluster_autoscaler_role_arn: role(isAutoscalerRole),
  database_bootstrap_role_arn: role(
    (one, place) => rolesOf('job', place).includes(one) && readsSecret(one, place),
  ),
  database_migrate_role_arn: role(
    (one, place) => rolesOf('job', place).includes(one) && !readsSecret(one, place),
  ),
  sns_topic_arn: (place) =>
    attribute({ aws_sns_topic: 'arn' })(place) ?? topicsOfOthers(place.stack),
  dead_letter_queue_url: attribute({ aws_sqs_queue: 'url' }, (queue, { audited }) =>
    isDeadLetterQueue(audited.model, queue),
  ),
  queue_url: attribute(
    { aws_sqs_queue: 'url' },
    (queue, { audited: { model } }) =>
      !isDeadLetterQueue(model, queue) && !isOfOthers(model, queue),
    [''],
  ),
  repository_url: attribute({ aws_ecr_repository: 'repository_url' }, undefined, ['']),
  image: ({ stack }) => [canonical(stack, '${var.image}')],
  namespace: ({ audited, stack }) => {
    const pods = podsOf(audited).filter((pod) => pod.stack === stack.name);
    return pods.length > 0 ? pods.map(({ namespace }) => namespace) : undefined;
  },
  sns_endpoint_url: ({ audited, stack }) => {
    const configured = audited.settings?.[stack.name]?.sns_endpoint_url;
    return configured === undefined ? undefined : [String(configured)];
  },
  database_security_group_id: attribute({ aws_security_group: 'id' }, isGroupOfDatabase),
};

/** What each output lists, all of it. */
const LISTED: Readonly<Record<string, Expected>> = {
  public_subnet_ids: attribute({ aws_subnet: 'id' }, (subnet, { audited }) =>
    isPublic(audited.model, subnet),
  ),
  private_subnet_ids: attribute(
    { aws_subnet: 'id' },
    (subnet, { audited }) => !isPublic(audited.model, subnet),
  ),
  nat_gateway_public_ips: attribute({ aws_nat_gateway: 'public_ip' }),
  availability_zones: (place) => {
    const zones = attribute({ aws_subnet: 'availability_zone' })(place);
    return zones && [...new Set(zones)];
  },
};

/** What is wrong with a value that should be one of some, or list all of them. */
function valueFaults(name: string, value: unknown, place: Place): Faults {
  const { stack } = place;
  const listed = LISTED[name]?.(place);
  if (listed !== undefined) {
    const values = listOf(value).map((item) => canonical(stack, item));
    return [
      ...values.filter((one) => !listed.includes(one)).map((one) => `lists ${one || 'nothing'}`),
      ...listed.filter((one) => !values.includes(one)).map((one) => `does not list ${one}`),
    ];
  }
  const expected = EXPECTED[name]?.(place);
  const own = canonical(stack, value);
  return [
    expected !== undefined &&
      !expected.includes(own) &&
      `is ${own || 'empty'}; what it is named after is ${[...new Set(expected)].map((one) => one || 'not there').join(' or ') || 'not there'}`,
  ];
}

/** The command has to be for the cluster, the region and the role of the stack. */
function commandFaults(value: unknown, { stack }: Place): Faults {
  const text = canonical(stack, value);
  const after = (flag: string) => new RegExp(`${flag} ([^\\s$]+)`).exec(text)?.[1] ?? '';
  const clusters = [...stack.resources, ...stack.data]
    .filter(({ type }) => type === 'aws_eks_cluster')
    .map(({ attributes }) => canonical(stack, attributes.name));
  const [role] = blocksOf(blocksOf(stack.json.provider?.aws)[0]?.assume_role);
  const assumed = canonical(stack, role?.role_arn);
  return [
    !text.startsWith('aws eks update-kubeconfig ') && `runs ${text.split(' --')[0]}`,
    clusters.length > 0 &&
      !clusters.includes(after('--name')) &&
      `is for the cluster ${after('--name')}, the stack's is ${clusters.join(', ')}`,
    after('--region') !== stack.region &&
      `is for the region ${after('--region')}, the stack is in ${stack.region}`,
    after('--role-arn') !== assumed &&
      `signs in as ${after('--role-arn') || 'whoever runs it'}, the stack as ${assumed || 'whoever runs it'}`,
  ];
}

/** The name of a load balancer is that of a Service or Ingress of the stack, where one takes messages. */
function hostFaults(value: unknown, { stack }: Place): Faults {
  const makers = stack.resources.filter(
    ({ type, attributes }) =>
      /^kubernetes_ingress/.test(type) ||
      (/^kubernetes_service(_v1)?$/.test(type) &&
        JSON.stringify(attributes.spec).includes('"LoadBalancer"')),
  );
  const named = referencesIn(value).map(({ address }) => stack.at(address));
  const isOf = named.length > 0 && named.every((one) => one && makers.includes(one));
  return [
    makers.length > 0 && !isOf && `is ${shown(value)}, not the name of ${makers[0]?.address}`,
    makers.length === 0 && value !== '' && `is ${shown(value)}, and there is no load balancer`,
  ];
}

interface Asked {
  readonly bucketPolicy?: { readonly Statement?: readonly { readonly Principal?: unknown }[] };
  readonly notifications?: {
    readonly TopicConfigurations?: readonly {
      readonly TopicArn?: string;
      readonly Filter?: {
        readonly Key?: { readonly FilterRules?: readonly { Name?: string; Value?: string }[] };
      };
    }[];
  };
}

/** What owners of buckets are asked to set has to be for the listener's role, topic, buckets and prefixes. */
function ownersFaults(value: unknown, place: Place): Faults {
  const { audited, stack } = place;
  const asked = parseJson(canonical(stack, value));
  if (typeof asked !== 'object' || asked === null) return [`is ${shown(value)}, not JSON`];
  const buckets = listenersOf(audited)
    .filter((listener) => listener.stack === stack.name)
    .flatMap(({ setting }) => bucketsIn(setting));
  const roles = EXPECTED.service_account_role_arn?.(place) ?? [];
  const topics = EXPECTED.sns_topic_arn?.(place) ?? [];
  return Object.entries(asked as Readonly<Record<string, Asked>>).flatMap(
    ([bucket, { bucketPolicy, notifications }]): Faults => {
      const known = buckets.filter(({ name }) => name === bucket);
      const configurations = notifications?.TopicConfigurations ?? [];
      const filters = configurations.flatMap(({ Filter }) => Filter?.Key?.FilterRules ?? []);
      const principals = (bucketPolicy?.Statement ?? []).map(({ Principal }) =>
        String(Object(Principal).AWS ?? Principal),
      );
      const decoded = (text = '') => decodeKeyFilter(text);
      return [
        buckets.length > 0 && known.length === 0 && `asks for ${bucket}, which nobody reads`,
        ...principals
          .filter((principal) => roles.length > 0 && !roles.includes(principal))
          .map((principal) => `lets ${principal} into ${bucket}, the pods are ${roles.join(', ')}`),
        ...configurations
          .filter(({ TopicArn = '' }) => topics.length > 0 && !topics.includes(TopicArn))
          .map(
            ({ TopicArn }) => `tells ${TopicArn} of ${bucket}, the topic is ${topics.join(', ')}`,
          ),
        ...filters
          .filter(({ Value = '' }) => encodeKeyFilter(decoded(Value)) !== Value)
          .map(({ Value }) => `filter ${Value} is not percent-encoded, as S3 wants it`),
        ...filters
          .filter(
            ({ Name, Value }) =>
              known.length > 0 &&
              Name?.toLowerCase() === 'prefix' &&
              !known.some(({ prefixes }) => prefixes.includes(decoded(Value))),
          )
          .map(({ Value }) => `filter ${Value} is not a prefix of the listener's in ${bucket}`),
      ];
    },
  );
}

/** Rules on outputs. */
export const OUTPUT_RULES: readonly Rule[] = [
  rule({
    id: 'outputs-say-what-is',
    subjects: ({ model }) => outputsOf(model),
    faults: ({ stack: stackName, name, value: { value } }, audited) => {
      const stack = audited.model.stackOf({ stack: stackName });
      const place = { audited, stack };
      const subscriptions = stack.resources.filter(
        ({ type, attributes }) =>
          type === 'aws_sns_topic_subscription' && isHttp(attributes.protocol),
      );
      return [
        ...valueFaults(name, value, place),
        ...(name === 'kubeconfig_command' ? commandFaults(value, place) : []),
        ...(name === 'load_balancer_hostname' ? hostFaults(value, place) : []),
        ...(name === 'for_bucket_owners' ? ownersFaults(value, place) : []),
        ...subscriptions
          .map((one) => read(audited.model, one).text('endpoint'))
          .map(
            (endpoint) =>
              name === 'sns_endpoint_url' &&
              !endpoint.startsWith(canonical(stack, value) || 'https') &&
              `is ${shown(value)}, and SNS posts to ${endpoint}`,
          ),
      ];
    },
  }),
];
