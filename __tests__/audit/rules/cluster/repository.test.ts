import { REPOSITORY_RULES } from '../../../../audit/rules/cluster/repository.ts';
import type { Plant } from '../../support/describe-rules.ts';
import { describeRules } from '../../support/describe-rules.ts';

const TYPE = 'aws_ecr_repository';
const lifecycle =
  (
    edit: (
      rule: { selection: Record<string, unknown>; action: Record<string, unknown> } & Record<
        string,
        unknown
      >,
    ) => void,
    at = -1,
  ): Plant[1] =>
  ({ json }) =>
    json('aws_ecr_lifecycle_policy', 'policy', ({ rules }) =>
      edit((rules as never[]).at(at) as never),
    );

describeRules(REPOSITORY_RULES, {
  plants: {
    'images-are-trusted': [
      ['tags that move', ({ set }) => set(TYPE, 'image_tag_mutability', 'MUTABLE')],
      ['the default', ({ drop }) => drop(TYPE, 'image_tag_mutability')],
      ['no scan', ({ set }) => set(TYPE, 'image_scanning_configuration.scan_on_push', false)],
      ['no word on scans', ({ drop }) => drop(TYPE, 'image_scanning_configuration')],
      ['no encryption', ({ drop }) => drop(TYPE, 'encryption_configuration')],
      [
        'encryption of S3',
        ({ set }) => set(TYPE, 'encryption_configuration.encryption_type', 'AES256'),
      ],
      ['no key', ({ drop }) => drop(TYPE, 'encryption_configuration.kms_key')],
      ['images that go with it', ({ set }) => set(TYPE, 'force_delete', true)],
    ],
    'images-are-kept': [
      [
        'no word on tags',
        lifecycle(({ selection }) => {
          delete selection.tagStatus;
        }),
      ],
      [
        'what runs among the others',
        lifecycle(({ selection }) => {
          selection.tagPatternList = ['v*'];
        }, 0),
      ],
      [
        'patterns that must all match',
        lifecycle(({ selection }) => {
          selection.tagPatternList = ['deployed-*', 'v*'];
        }, 0),
      ],
      [
        'few of those that run',
        lifecycle(({ selection }) => {
          selection.countNumber = 30;
        }, 0),
      ],
      [
        'any image before those that run',
        lifecycle((last) => {
          last.rulePriority = 0;
        }),
      ],
      ['no lifecycle', ({ remove }) => remove('aws_ecr_lifecycle_policy')],
      [
        'one image',
        lifecycle(({ selection }) => {
          selection.countNumber = 1;
        }),
      ],
      [
        'a day',
        lifecycle(({ selection }) => {
          selection.countType = 'sinceImagePushed';
          selection.countUnit = 'days';
        }),
      ],
      ['no rule', ({ set }) => set('aws_ecr_lifecycle_policy', 'policy', '{"rules":[]}')],
      [
        'the lifecycle of another repository',
        ({ set }) => set('aws_ecr_lifecycle_policy', 'repository', 'another'),
      ],
    ],
  },
});
