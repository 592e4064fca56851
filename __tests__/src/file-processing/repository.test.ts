import { describe, expect, it } from 'vitest';
import { addresses, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

describe('The image repository', () => {
  const json = synthesizeFileProcessing({
    repository_name: 'etl/file-processing',
    repository_keep_images: 50,
  });

  it('has tags that stay, scans each image, and is encrypted with its own key', () => {
    expect(resourceAt(json, 'aws_ecr_repository.file_processing')).toStrictEqual({
      name: 'etl/file-processing',
      image_tag_mutability: 'IMMUTABLE',
      image_scanning_configuration: { scan_on_push: true },
      encryption_configuration: [
        { encryption_type: 'KMS', kms_key: '${aws_kms_key.repository.arn}' },
      ],
    });
  });

  it('keeps what runs, releases, and the newest of the others', () => {
    const { repository, policy } = resourceAt(json, 'aws_ecr_lifecycle_policy.file_processing');
    expect(repository).toBe('${aws_ecr_repository.file_processing.name}');
    expect(JSON.parse(String(policy))).toStrictEqual({
      rules: [
        ...['deployed-*', 'v*'].map((pattern, index) => ({
          rulePriority: index + 1,
          description: `Keep images that have a tag ${pattern}`,
          selection: {
            tagStatus: 'tagged',
            tagPatternList: [pattern],
            countType: 'imageCountMoreThan',
            countNumber: 9999,
          },
          action: { type: 'expire' },
        })),
        {
          rulePriority: 3,
          description: 'Keep the newest 50 images',
          selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 50 },
          action: { type: 'expire' },
        },
      ],
    });
  });
});

describe('No image repository', () => {
  it('means no key for it, and changes nothing else', () => {
    const all = addresses(synthesizeFileProcessing());
    const without = addresses(synthesizeFileProcessing({ create_repository: false }));
    expect(all.filter((address) => !without.includes(address))).toEqual([
      'aws_ecr_lifecycle_policy.file_processing',
      'aws_ecr_repository.file_processing',
      'aws_kms_alias.repository',
      'aws_kms_key.repository',
    ]);
    expect(all).toEqual(expect.arrayContaining([...without]));
  });
});
