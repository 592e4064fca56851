import { EcrLifecyclePolicy } from '@cdktf/provider-aws/lib/ecr-lifecycle-policy/index.js';
import { EcrRepository } from '@cdktf/provider-aws/lib/ecr-repository/index.js';
import { Construct } from 'constructs';
import { Key } from '../stack/key.ts';
import type { Context } from './context.ts';

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
          {
            rulePriority: 1,
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
