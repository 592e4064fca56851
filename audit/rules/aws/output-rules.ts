import { type Reference, referenceOf } from '../../../src/synthesized/model/expression.ts';
import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { faultsOf, listOf, neighbours } from './attributes.ts';
import { isPublic } from './public-subnet.ts';

interface Output {
  readonly stack: string;
  readonly address: string;
  readonly value: unknown;
}

/** Outputs that list resources. */
export const outputsListAlike: Rule = rule({
  id: 'outputs-list-alike',
  title: 'An output that lists resources lists all of one kind, each once',
  reason:
    'Others put load balancers, nodes and allow-lists where an output says: a private subnet among the public ones, or a NAT gateway less, is noticed far from here.',
  control: 'CM-8',
  severity: 'medium',
  subjects: ({ model }) =>
    model.stacks.flatMap(({ name, json }) =>
      Object.entries(json.output ?? {})
        .map(([key, { value }]): Output => ({ stack: name, address: `output.${key}`, value }))
        .filter(({ value }) => Array.isArray(value) && value.some((item) => referenceOf(item))),
    ),
  faults: ({ stack, address, value }, { model }) => {
    const references = listOf(value).map(referenceOf);
    const known = references.filter((reference) => reference !== undefined);
    const resources = known.map(({ address }) => model.stackOf({ stack }).at(address));
    const [first] = resources;
    const alike = resources.every((resource) => resource?.type === first?.type);
    return [
      ...faultsOf(
        [known.length < references.length, 'has a literal among references'],
        [
          !alike || new Set(known.map(({ attribute }) => attribute)).size > 1,
          'lists different things',
        ],
        [new Set(known.map(spell)).size < known.length, 'lists one thing twice'],
        [
          Object.entries(model.stackOf({ stack }).json.output ?? {}).some(
            ([name, other]) =>
              `output.${name}` !== address && JSON.stringify(other.value) === JSON.stringify(value),
          ),
          'lists what another output lists',
        ],
      ),
      ...(alike && first !== undefined ? missing(model, first, resources) : []),
    ];
  },
});

/** Inputs that Terraform checks before it does anything. */
export const variablesAreChecked: Rule = rule({
  id: 'variables-are-checked',
  title: 'Every variable has a type, and every text is validated',
  reason:
    'A variable is set on a command line: what is mistyped there is otherwise found by AWS, half way through.',
  control: 'SI-10',
  severity: 'low',
  subjects: ({ model }) =>
    model.stacks.flatMap(({ name, json }) =>
      Object.entries(json.variable ?? {}).map(([key, variable]) => ({
        stack: name,
        address: `var.${key}`,
        variable,
      })),
    ),
  faults: ({ address, variable }) => {
    const conditions = listOf(variable.validation).map((validation) =>
      String(Object(validation).condition),
    );
    return faultsOf(
      [
        !['string', 'number', 'bool'].includes(String(variable.type)),
        `type is ${String(variable.type)}`,
      ],
      [
        variable.type === 'string' &&
          variable.sensitive !== true &&
          !conditions.some((condition) => condition.includes(address)),
        'has no validation of its value',
      ],
    );
  },
});

function spell({ address, attribute }: Reference): string {
  return `${address}.${attribute}`;
}

/** Resources of the same kind that are left out, or of another kind among them. */
function missing(
  model: Model,
  first: Resource,
  resources: readonly (Resource | undefined)[],
): readonly string[] {
  const kind = (resource: Resource) =>
    resource.type === 'aws_subnet' && isPublic(model, resource) === isPublic(model, first);
  const same = neighbours(model, first, first.type).filter(
    (resource) => resource.type !== 'aws_subnet' || kind(resource),
  );
  return [
    ...same
      .filter((resource) => !resources.includes(resource))
      .map(({ address }) => `leaves ${address} out`),
    ...resources
      .filter((resource) => resource !== undefined && !same.includes(resource))
      .map((resource) => `lists ${resource?.address} among others of its kind`),
  ];
}

/** Rules on what goes in and out of a stack. */
export const OUTPUT_RULES: readonly Rule[] = [outputsListAlike, variablesAreChecked];
