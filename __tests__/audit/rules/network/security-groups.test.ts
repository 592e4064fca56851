import { SECURITY_GROUP_RULES } from '../../../../audit/rules/network/security-groups.ts';
import { describeRules } from '../../support/describe-rules.ts';

const TYPE = 'aws_vpc_security_group_ingress_rule';
const API = /aws_eks_cluster.*443/;
const DATABASE = /referenced_security_group_id/;
const ENDPOINTS = /aws_security_group\./;

describeRules(SECURITY_GROUP_RULES, {
  plants: {
    'default-group-locked': [
      ['a default group that nobody manages', ({ remove }) => remove('aws_default_security_group')],
      [
        'a default group of another network',
        ({ set }) => set('aws_default_security_group', 'vpc_id', 'vpc-0a1b2c3d'),
      ],
      [
        'a way in',
        ({ set }) =>
          set('aws_default_security_group', 'ingress', [
            { protocol: '-1', from_port: 0, to_port: 0 },
          ]),
      ],
      ['a way out', ({ set }) => set('aws_default_security_group', 'egress', [{ protocol: '-1' }])],
      ['nothing said of ways in', ({ drop }) => drop('aws_default_security_group', 'ingress')],
    ],
    'ingress-is-bounded': [
      ['everybody', ({ set }) => set(TYPE, 'cidr_ipv4', '0.0.0.0/0', API)],
      ['everybody by IPv6', ({ set }) => set(TYPE, 'cidr_ipv6', '::/0', API)],
      ['a public address', ({ set }) => set(TYPE, 'cidr_ipv4', '203.0.113.0/24', API)],
      ['all of 10', ({ set }) => set(TYPE, 'cidr_ipv4', '10.0.0.0/8', API)],
      ['every protocol', ({ set }) => set(TYPE, 'ip_protocol', '-1', DATABASE)],
      ['every port', ({ set }) => set(TYPE, 'to_port', 65535, DATABASE)],
      ['no port', ({ drop }) => drop(TYPE, 'from_port', DATABASE)],
      [
        'SSH',
        ({ set }) => {
          set(TYPE, 'from_port', 22, DATABASE);
          set(TYPE, 'to_port', 22, DATABASE);
        },
      ],
      ['nobody', ({ drop }) => drop(TYPE, 'referenced_security_group_id', DATABASE)],
      ['no description', ({ drop }) => drop(TYPE, 'description')],
      [
        'the database for everybody',
        ({ set, drop }) => {
          set(TYPE, 'cidr_ipv4', '0.0.0.0/0', DATABASE);
          drop(TYPE, 'referenced_security_group_id', DATABASE);
        },
      ],
    ],
    'cluster-ingress-is-api': [
      [
        'the kubelet',
        ({ set }) => {
          set(TYPE, 'to_port', 10250, API);
          set(TYPE, 'from_port', 10250, /aws_eks_cluster.*10250/);
        },
      ],
      ['a range from the API on', ({ set }) => set(TYPE, 'to_port', 32767, API)],
    ],
    'groups-connect': [
      [
        'a group into itself',
        ({ set }) => set(TYPE, 'referenced_security_group_id', 'sg-0a1b2c3d4e5f67890', DATABASE),
      ],
      [
        'the two swapped',
        ({ change }) => {
          let cluster: unknown;
          change(
            TYPE,
            'referenced_security_group_id',
            (group) => {
              cluster = group;
              return 'sg-0a1b2c3d4e5f67890';
            },
            DATABASE,
          );
          change(TYPE, 'security_group_id', () => cluster, DATABASE);
        },
      ],
      [
        'the first group of a database that may have several',
        ({ set }) =>
          set(
            TYPE,
            'security_group_id',
            '${data.aws_db_instance.database.vpc_security_groups[0]}',
            DATABASE,
          ),
      ],
      [
        'a role in place of a group',
        ({ set }) => set(TYPE, 'security_group_id', '${aws_eks_cluster.this.arn}', DATABASE),
      ],
    ],
    'endpoint-groups-allow-vpc': [
      ['nobody', ({ remove }) => remove(TYPE, ENDPOINTS)],
      ['one subnet', ({ set }) => set(TYPE, 'cidr_ipv4', '10.20.0.0/24', ENDPOINTS)],
      [
        'another port',
        ({ set }) => {
          set(TYPE, 'from_port', 80, ENDPOINTS);
          set(TYPE, 'to_port', 80, ENDPOINTS);
        },
      ],
      ['more than the network', ({ set }) => set(TYPE, 'cidr_ipv4', '10.0.0.0/8', ENDPOINTS)],
      ['another group', ({ set }) => set(TYPE, 'security_group_id', 'sg-0a1b2c3d', ENDPOINTS)],
    ],
  },
});
