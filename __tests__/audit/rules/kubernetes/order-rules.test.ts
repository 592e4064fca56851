import { describe } from 'vitest';
import { ORDER_RULES } from '../../../../audit/rules/kubernetes/order-rules.ts';
import {
  AUTOSCALER,
  CONFIG_MAP,
  DEPLOYMENT,
  NAMESPACE,
  POLICY,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
  TEMPLATE,
} from '../../support/kubernetes-paths.ts';
import {
  all,
  alter,
  type Change,
  describePlants,
  drop,
  set,
} from '../../support/kubernetes-plants.ts';

const SUBSCRIPTION = 'aws_sns_topic_subscription';

/** Without what begins with a text among what a resource waits for. */
const notFor = (type: string, ...prefixes: readonly string[]): Change =>
  alter(type, 'depends_on', (addresses: readonly string[]) =>
    addresses.filter((address) => !prefixes.some((prefix) => address.startsWith(prefix))),
  );

describe('The rules on order', () => {
  describePlants(ORDER_RULES, {
    'object-waits-for-the-cluster': [
      ['a namespace that waits for nothing', drop(NAMESPACE, 'depends_on')],
      ['a namespace that does not wait for nodes', notFor(NAMESPACE, 'aws_eks_')],
      [
        'a namespace that does not wait for its way in',
        notFor(NAMESPACE, 'aws_vpc_security_group'),
      ],
      ['a namespace that does not wait for an add-on', notFor(NAMESPACE, 'aws_eks_addon')],
      ['a Service that waits for nothing', drop(SERVICE, 'depends_on')],
    ],
    'pod-waits-for-what-it-uses': [
      ['an object before its namespace', notFor(POLICY, NAMESPACE)],
      ['an autoscaler before its target', notFor(AUTOSCALER, DEPLOYMENT)],
      ['pods before their account', notFor(DEPLOYMENT, SERVICE_ACCOUNT)],
      ['pods before their Secret', notFor(DEPLOYMENT, SECRET)],
      ['pods before their policy', notFor(DEPLOYMENT, POLICY)],
      [
        'pods before their settings',
        all(
          notFor(DEPLOYMENT, CONFIG_MAP),
          set(DEPLOYMENT, `${TEMPLATE}.metadata.annotations`, {}),
        ),
      ],
    ],
    'subscription-waits-for-the-listener': [
      ['a subscription before the pods', notFor(SUBSCRIPTION, DEPLOYMENT)],
      ['a subscription before the Service', notFor(SUBSCRIPTION, SERVICE)],
      ['a subscription that waits for nothing', drop(SUBSCRIPTION, 'depends_on')],
      ['a subscription before the Ingress', notFor(SUBSCRIPTION, 'kubernetes_ingress'), 'alb'],
    ],
    'load-balancer-is-waited-for': [
      ['no waiting', set(SERVICE, 'wait_for_load_balancer', false)],
      ['a minute', set(SERVICE, 'timeouts.create', '1m')],
    ],
  });
});
