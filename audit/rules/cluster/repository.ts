import { graphOf, valueAt } from '../../../src/synthesized/model/model.ts';
import { parseJson } from '../../policy/policy-document.ts';
import { argumentRule, every, listOf } from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';

/** Images that the last releases are made of. */
const FEWEST_IMAGES = 5;

/** Whether a rule of a lifecycle keeps every image with such a tag: what it selects, no later one expires. */
function keeps(entry: unknown, pattern: string): boolean {
  const [only, ...others] = listOf(valueAt(entry, 'selection.tagPatternList'));
  return (
    only === pattern &&
    others.length === 0 &&
    valueAt(entry, 'selection.countType') === 'imageCountMoreThan' &&
    Number(valueAt(entry, 'selection.countNumber')) >= 1000
  );
}

const priorityOf = (entry: unknown) => Number(valueAt(entry, 'rulePriority'));

/** Rules on image repositories. */
export const REPOSITORY_RULES: readonly Rule[] = [
  argumentRule({ id: 'images-are-trusted' }),
  rule({
    id: 'images-are-kept',
    subjects: every('aws_ecr_repository'),
    faults: (repository, { model }) => {
      const policies = graphOf(model.stackOf(repository))
        .users(repository.address)
        .filter(({ type }) => type === 'aws_ecr_lifecycle_policy');
      if (policies.length === 0) return ['has no lifecycle policy'];
      return policies.flatMap((policy) => {
        const rules = listOf(valueAt(parseJson(policy.attributes.policy), 'rules'));
        return [
          rules.length === 0 && `${policy.address} cannot be read`,
          rules.length > 0 &&
            !rules.some((entry) => keeps(entry, 'deployed-*')) &&
            `${policy.address} expires what runs: none of its rules keeps deployed-*`,
          ...rules
            .filter((entry) => valueAt(entry, 'selection.tagStatus') === 'any')
            .filter((any) => rules.some((entry) => priorityOf(entry) > priorityOf(any)))
            .map(
              (any) => `${policy.address}: rule ${priorityOf(any)} for any image must be the last`,
            ),
          ...rules.flatMap((entry) => {
            const selection = valueAt(entry, 'selection');
            const at = (name: string) => valueAt(selection, name);
            const untagged = at('tagStatus') === 'untagged';
            return [
              !untagged &&
                at('countType') !== 'imageCountMoreThan' &&
                `${policy.address}: ${String(at('countType'))} deletes what is deployed for long`,
              !(Number(at('countNumber')) >= (untagged ? 1 : FEWEST_IMAGES)) &&
                `${policy.address}: countNumber is ${String(at('countNumber'))}, must be at least ${FEWEST_IMAGES}`,
              !['any', 'untagged', 'tagged'].includes(String(at('tagStatus'))) &&
                `${policy.address}: tagStatus is ${String(at('tagStatus'))}`,
              valueAt(entry, 'action.type') !== 'expire' &&
                `${policy.address}: action must be expire`,
            ];
          }),
        ];
      });
    },
  }),
];
