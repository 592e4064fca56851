import { OUTPUT_RULES } from '../../../../audit/rules/aws/output-rules.ts';
import { describePlants, type Plant } from '../../support/describe-plants.ts';
import { member } from '../../support/planter.ts';

/** Changes the output that lists the private subnets. */
const subnets =
  (edit: (list: string[], open: string) => unknown): Plant[1] =>
  ({ stackWith, address }) => {
    const outputs = Object.values(member(stackWith('aws_vpc'), 'output')) as { value: unknown }[];
    const id = (where: RegExp) => `\${${address('aws_subnet', where)}.id}`;
    const closed = id(/internal-elb/);
    const output = outputs.find(({ value }) => Array.isArray(value) && value.includes(closed));
    if (output === undefined) throw new Error(`No output lists ${closed}`);
    output.value = edit(output.value as string[], id(/role\/elb/));
  };
const variable =
  (edit: (variable: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) => {
    const [first] = Object.values(member(stackWith('aws_vpc'), 'variable'));
    edit(first as Record<string, unknown>);
  };

describePlants(OUTPUT_RULES, {
  'outputs-list-alike': [
    [
      'the public subnets as the private ones',
      ({ stackWith }) => {
        const lists = Object.values(member(stackWith('aws_vpc'), 'output')) as { value: unknown }[];
        const [first, second] = lists.filter(({ value }) => /aws_subnet/.test(String(value)));
        Object.assign(first ?? {}, { value: second?.value });
      },
    ],

    ['a subnet less', subnets((list) => list.slice(1))],
    ['a subnet twice', subnets((list) => [...list.slice(1), list[1]])],
    ['a public subnet among private ones', subnets((list, open) => [...list.slice(1), open])],
    ['a literal', subnets((list) => [...list.slice(1), 'subnet-0a1b2c3d'])],
    [
      'another attribute',
      subnets((list) => [String(list[0]).replace('.id}', '.arn}'), ...list.slice(1)]),
    ],
  ],
  'variables-are-checked': [
    [
      'no validation',
      variable((one) => {
        delete one.validation;
      }),
    ],
    [
      'a validation of nothing',
      variable((one) => {
        one.validation = [{ condition: '${true}', error_message: 'x' }];
      }),
    ],
    [
      'no type',
      variable((one) => {
        delete one.type;
      }),
    ],
  ],
});
