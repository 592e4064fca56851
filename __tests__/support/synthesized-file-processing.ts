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
