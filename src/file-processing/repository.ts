import { EcrLifecyclePolicy } from '@cdktf/provider-aws/lib/ecr-lifecycle-policy/index.js';
import { EcrRepository } from '@cdktf/provider-aws/lib/ecr-repository/index.js';
import { Construct } from 'constructs';
import { Key } from '../stack/key.ts';
import type { Context } from './context.ts';

/** Images that run somewhere, as `manage` tags them, and releases. */
const KEPT_TAGS = ['deployed-*', 'v*'];

/** A rule must have a number. */
const MORE_THAN_EVER = 9999;

/** The repository of the listener's image. */
export class Repository extends Construct {
  readonly resource: EcrRepository;

  constructor(scope: Construct, context: Context) {
    super(scope, 'repository');
    const { settings } = context;
    const key = new Key(this, {
      context,
      purpose: 'repository',
      description: `Encrypts the images of ${settings.repository_name}`,
    });
    this.resource = new EcrRepository(this, 'file_processing', {
      name: settings.repository_name,
      imageTagMutability: 'IMMUTABLE',
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: [{ encryptionType: 'KMS', kmsKey: key.arn }],
    });
    new EcrLifecyclePolicy(this.resource, 'file_processing', {
      repository: this.resource.name,
      policy: JSON.stringify({
        rules: [
          // What a rule selects, no later one can expire; patterns of one rule must all match, so each has its own.
          ...KEPT_TAGS.map((pattern, index) => ({
            rulePriority: index + 1,
            description: `Keep images that have a tag ${pattern}`,
            selection: {
              tagStatus: 'tagged',
              tagPatternList: [pattern],
              countType: 'imageCountMoreThan',
              countNumber: MORE_THAN_EVER,
            },
            action: { type: 'expire' },
          })),
          {
            rulePriority: KEPT_TAGS.length + 1,
            description: `Keep the newest ${settings.repository_keep_images} images`,
            selection: {
              tagStatus: 'any',
              countType: 'imageCountMoreThan',
              countNumber: settings.repository_keep_images,
            },
            action: { type: 'expire' },
          },
        ],
      }),
    });
  }
}
