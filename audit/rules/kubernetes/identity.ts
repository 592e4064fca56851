import type { Resource } from '../../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../../src/synthesized/views/kubernetes-object.ts';
import type { Audited } from '../rule.ts';
import { objectsIn, type Pod } from './pods.ts';

/** Annotation by which EKS gives the pods of a ServiceAccount an IAM role (Amazon EKS User Guide). */
export const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn';

/** The ServiceAccount of a pod. */
export function serviceAccountOf(audited: Audited, pod: Pod): KubernetesObject | undefined {
  return objectsIn(audited, pod.namespace, 'ServiceAccount').find(
    ({ manifest }) => manifest.metadata.name === pod.spec.serviceAccountName,
  );
}

/** The IAM role of a pod, by IRSA or by pod identity; undefined where the stack makes none. */
export function roleOfServiceAccount(audited: Audited, pod: Pod): Resource | undefined {
  const account = serviceAccountOf(audited, pod);
  const stack = audited.model.stackOf(pod);
  const annotated = stack.target(account?.manifest.metadata.annotations?.[ROLE_ANNOTATION]);
  const associated = audited.model
    .ofType('aws_eks_pod_identity_association')
    .filter((association) => association.stack === pod.stack)
    .find(
      ({ attributes }) =>
        stack.resolve(attributes.namespace) === pod.namespace &&
        stack.resolve(attributes.service_account) === pod.spec.serviceAccountName,
    );
  const role = annotated ?? stack.target(associated?.attributes.role_arn);
  return role?.type === 'aws_iam_role' ? role : undefined;
}
