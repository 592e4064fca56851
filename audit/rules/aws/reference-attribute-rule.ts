import { type Reference, referenceOf } from '../../../src/synthesized/model/expression.ts';
import { parseJson } from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';

/** What an argument or a key takes of a resource, by its name; the first that fits counts. */
const TAKEN: readonly (readonly [name: RegExp, attributes: readonly string[]])[] = [
  [/^principal_arn$/, ['arn', 'principal_arn']],
  [/^(kms_key_id|kms_key|log_destination|alarm_actions|ok_actions)$/, ['arn']],
  [/^(kms_master_key_id|target_key_id|key_id)$/, ['arn', 'id', 'key_id']],
  [/(^|[_-])arns?$|Arns?$/i, ['arn']],
  [/^(Resource|Federated)$/, ['arn']],
  [/^(cluster_name|role)$/, ['id', 'name']],
  [/^repository$/, ['id', 'name']],
  [/_url$/i, ['id', 'url', 'repository_url', 'issuer', 'endpoint']],
  [/security_group_ids?$/, ['id', 'cluster_security_group_id', 'default_security_group_id']],
  [/^allocation_id$/, ['allocation_id', 'id']],
  [/(^|_)ids?$/, ['id', 'ids']],
];

/** Attributes of AWS resources, of which many look alike. */
export const referenceHasItsAttribute: Rule = rule({
  id: 'reference-has-its-attribute',
  title: 'An argument takes of a resource what it needs: its ARN, id, name or URL',
  reason:
    'The name where an ARN is due, or the id of another thing of the same resource, is a valid reference that the plan takes, and that AWS refuses half way or takes for something else.',
  control: 'CM-3',
  severity: 'high',
  subjects: ({ model }) => model.resources,
  faults: ({ stack, attributes }, { model }) => {
    const { at } = model.stackOf({ stack });
    const { depends_on: _, lifecycle: __, ...own } = attributes;
    return takenIn(own, '').flatMap(({ name, reference }) => {
      const [, fitting] = TAKEN.find(([pattern]) => pattern.test(name)) ?? [];
      const type = at(reference.address)?.type;
      const attribute = reference.attribute.split('.').at(-1) ?? '';
      return fitting === undefined || !type?.startsWith('aws_') || fitting.includes(attribute)
        ? []
        : [
            `${name} is ${attribute || 'all'} of ${reference.address}, must be ${fitting.join(' or ')}`,
          ];
    });
  },
});

interface Taken {
  readonly name: string;
  readonly reference: Reference;
}

/** References that are all of a value, with the name of the argument or key that they are the value of. */
function takenIn(value: unknown, name: string): readonly Taken[] {
  if (typeof value === 'string') {
    const reference = referenceOf(value);
    if (reference !== undefined) return [{ name, reference }];
    const document = value.startsWith('{') ? parseJson(value) : undefined;
    return document === undefined ? [] : takenIn(document, name);
  }
  if (Array.isArray(value)) return value.flatMap((item) => takenIn(item, name));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => takenIn(below, key));
}
