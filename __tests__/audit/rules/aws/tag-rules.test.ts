import { TAG_RULES } from '../../../../audit/rules/aws/tag-rules.ts';
import { describePlants, type Plant } from '../../support/describe-plants.ts';
import { member } from '../../support/planter.ts';

const tags =
  (edit: (tags: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) => {
    const [provider] = member(stackWith('aws_vpc'), 'provider').aws as unknown as Record<
      string,
      unknown
    >[];
    const blocks = provider?.default_tags as { tags: Record<string, unknown> }[] | undefined;
    edit(blocks?.[0]?.tags ?? {});
  };

describePlants(TAG_RULES, {
  'default-tags': [
    [
      'another owner in one stack',
      tags((all) => {
        all.Owner = 'somebody';
      }),
    ],
    [
      'no environment',
      tags((all) => {
        delete all.Environment;
      }),
    ],
    [
      'no component',
      tags((all) => {
        delete all.Component;
      }),
    ],
    [
      'no origin',
      tags((all) => {
        delete all.ManagedBy;
      }),
    ],
    [
      'an empty component',
      tags((all) => {
        all.Component = '';
      }),
    ],
    [
      'another environment',
      tags((all) => {
        all.Environment = 'another';
      }),
    ],
    [
      'no owner in one stack',
      tags((all) => {
        delete all.Owner;
      }),
    ],
    [
      'no tags at all',
      ({ stackWith }) => {
        const [provider] = member(stackWith('aws_vpc'), 'provider').aws as unknown as Record<
          string,
          unknown
        >[];
        delete provider?.default_tags;
      },
    ],
  ],
  'tags-not-overridden': [
    [
      'the same tag in other letters',
      ({ set }) => set('aws_sqs_queue', 'tags', { environment: 'another' }),
    ],

    [
      'another environment on a network',
      ({ set }) => set('aws_vpc', 'tags.Environment', 'another'),
    ],
    ['another origin on a key', ({ set }) => set('aws_kms_key', 'tags', { ManagedBy: 'hand' })],
  ],
  'launched-resources-tagged': [
    [
      'volumes without tags',
      ({ change }) =>
        change('aws_launch_template', 'tag_specifications', (list) =>
          (list as { resource_type: string }[]).filter(
            ({ resource_type }) => resource_type !== 'volume',
          ),
        ),
    ],
    [
      'instances without their owner',
      ({ change }) =>
        change('aws_launch_template', 'tag_specifications', (list) => {
          delete Object((list as Record<string, unknown>[])[0]?.tags).Owner;
          return list;
        }),
    ],
    ['no tags', ({ drop }) => drop('aws_launch_template', 'tag_specifications')],
  ],
});
