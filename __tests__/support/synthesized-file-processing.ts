import { App, Testing } from 'cdktf';
import { FileProcessingStack } from '../../src/file-processing/stack.ts';
import type { FileProcessingSettings } from '../../src/settings/file-processing-variables.ts';
import { fileProcessingSettings } from './settings.ts';
import type { SynthesizedStack } from './synthesized.ts';

/** The account of the stack, which only Terraform knows. */
export const ACCOUNT = '${data.aws_caller_identity.current.account_id}';

/** An image by its digest. */
export const IMAGE = `registry.example/file-processing@sha256:${'ab'.repeat(32)}`;

/** Text of the stack's Terraform JSON: the bucket `drop-box` and defaults, except for the overrides. */
export function synthesizeText(
  overrides: Partial<FileProcessingSettings> = {},
  environment = 'etl-playground',
): string {
  const settings = fileProcessingSettings(overrides);
  return Testing.synth(
    new FileProcessingStack(new App(), 'file-processing', { environment, settings }),
  );
}

/** The stack's Terraform JSON: the bucket `drop-box` and defaults, except for the overrides. */
export function synthesizeFileProcessing(
  overrides: Partial<FileProcessingSettings> = {},
  environment?: string,
): SynthesizedStack {
  return JSON.parse(synthesizeText(overrides, environment)) as SynthesizedStack;
}

/** The master user's secret of a database on demand, and the key that encrypts it. */
export const MASTER_SECRET = {
  arn: `arn:aws-us-gov:secretsmanager:us-gov-west-1:${ACCOUNT}:secret:rds!db-1-AbCdEf`,
  keyArn: `arn:aws-us-gov:kms:us-gov-west-1:${ACCOUNT}:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d`,
};

/** The stack's Terraform JSON with a database on demand, which has the id `db-ABC` and the user `listener`. */
export function synthesizeOnDemand(
  overrides: Partial<FileProcessingSettings> = {},
): SynthesizedStack {
  const checked = fileProcessingSettings({ database: 'on_demand', image: IMAGE, ...overrides });
  const stack = new FileProcessingStack(new App(), 'file-processing', {
    environment: 'etl-playground',
    settings: { ...checked, db_name: 'files', db_user: 'listener', db_iam_auth: true },
    findDatabase: () => ({
      settings: {
        db_host: 'db.abc.us-gov-west-1.rds.amazonaws.com',
        db_resource_id: 'db-ABC',
        db_security_group_id: 'sg-0a1b2c3d',
      },
      masterSecret: MASTER_SECRET,
    }),
  });
  return JSON.parse(Testing.synth(stack)) as SynthesizedStack;
}
