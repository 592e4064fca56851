import { contains, parseCidr } from '../../../src/settings/cidr.ts';
import { graphOf } from '../../../src/synthesized/model/model.ts';
import { argumentRule, every, read, referring } from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';
import { isPrivateBlock } from './vpc.ts';

/** The security group of a database that is looked up: it must have one alone. */
const OF_DATABASE =
  /^\$\{one\((tolist\()?data\.aws_(db_instance|rds_cluster)\.[\w-]+\.vpc_security_group(s|_ids)\)+\}$/;

const RULE_TYPES = ['aws_vpc_security_group_ingress_rule', 'aws_vpc_security_group_egress_rule'];

/** Rules on security groups. */
export const SECURITY_GROUP_RULES: readonly Rule[] = [
  rule({
    id: 'default-group-locked',
    subjects: every('aws_vpc'),
    faults: (vpc, { model }) => {
      const groups = referring(model, vpc, 'aws_default_security_group', 'vpc_id');
      return [
        groups.length === 0 && 'its default security group is not managed',
        ...groups.flatMap(({ address, attributes }) =>
          ['ingress', 'egress']
            .filter((name) => !Array.isArray(attributes[name]) || attributes[name].length > 0)
            .map(
              (name) =>
                `${address}: ${name} must be an empty list, so that a plan removes what was added by hand`,
            ),
        ),
      ];
    },
  }),
  argumentRule({
    id: 'ingress-is-bounded',
    faults: (ingress, { model }) => {
      const { text, number } = read(model, ingress);
      const cidr = text('cidr_ipv4');
      const group = text('referenced_security_group_id');
      const prefix = parseCidr(cidr)?.prefix ?? 32;
      return [
        !(number('from_port') >= 1 && number('from_port') === number('to_port')) &&
          `ports ${text('from_port') || '?'} to ${text('to_port') || '?'}: must be one`,
        [cidr, group].filter(Boolean).length !== 1 &&
          'must be from either cidr_ipv4 or referenced_security_group_id',
        cidr !== '' && !isPrivateBlock(cidr) && `cidr_ipv4 ${cidr} is not private (RFC 1918)`,
        cidr !== '' && prefix < 16 && `cidr_ipv4 ${cidr} is larger than any VPC`,
        ['3389', '22', '23'].includes(text('from_port')) &&
          `port ${text('from_port')} is for signing in`,
      ];
    },
  }),
  rule({
    id: 'cluster-ingress-is-api',
    subjects: ({ model }) =>
      model
        .ofType('aws_vpc_security_group_ingress_rule')
        .filter(
          (ingress) => read(model, ingress).target('security_group_id')?.type === 'aws_eks_cluster',
        ),
    faults: (ingress, { model }) => {
      const { number } = read(model, ingress);
      return [
        (number('from_port') !== 443 || number('to_port') !== 443) &&
          `opens ${number('from_port')} to ${number('to_port')}, the API is on 443`,
      ];
    },
  }),
  rule({
    id: 'groups-connect',
    subjects: every(...RULE_TYPES),
    faults: (ingress, { model }) => {
      const { text } = read(model, ingress);
      const [to, from] = [text('security_group_id'), text('referenced_security_group_id')];
      const isGroup = (value: string) =>
        /^sg-[0-9a-f]+$/.test(value) ||
        /security_group_id\}$|^\$\{aws_security_group\.[\w-]+\.id\}$/.test(value) ||
        OF_DATABASE.test(value);
      return [
        !isGroup(to) && `security_group_id is ${to || 'missing'}, not a security group`,
        from !== '' &&
          !isGroup(from) &&
          `referenced_security_group_id is ${from}, not a security group`,
        from !== '' && from === to && 'allows a group to reach itself',
        /^\$\{aws_eks_cluster/.test(to) &&
          /^sg-/.test(from) &&
          'allows an outside group into the cluster',
      ];
    },
  }),
  rule({
    id: 'endpoint-groups-allow-vpc',
    subjects: ({ model }) =>
      model.ofType('aws_security_group').filter((group) =>
        graphOf(model.stackOf(group))
          .users(group.address)
          .some(({ type }) => type === 'aws_vpc_endpoint'),
      ),
    faults: (group, { model }) => {
      const rules = referring(
        model,
        group,
        'aws_vpc_security_group_ingress_rule',
        'security_group_id',
      ).map((ingress) => read(model, ingress));
      const vpc = read(model, group).target('vpc_id');
      const block = parseCidr(vpc === undefined ? '' : read(model, vpc).text('cidr_block'));
      const allowed = rules.some((ingress) => {
        const source = parseCidr(ingress.text('cidr_ipv4'));
        const port = ingress.number('from_port') === 443 && ingress.number('to_port') === 443;
        return port && source !== undefined && block !== undefined && contains(source, block);
      });
      return [
        !allowed && 'does not allow the whole VPC on port 443',
        rules.some((ingress) => ingress.number('from_port') !== 443) &&
          'allows another port than 443',
        ...rules.map((ingress) => {
          const source = parseCidr(ingress.text('cidr_ipv4'));
          const beyond = source !== undefined && block !== undefined && !contains(block, source);
          return beyond && `allows ${ingress.text('cidr_ipv4')}, more than the VPC`;
        }),
      ];
    },
  }),
];
