import { expect, it } from 'vitest';
import { defaultTags } from '../../../src/stack/aws-provider.ts';

it('names component, environment and tool, and lets the settings have the last word', () => {
  expect(defaultTags('dev', 'file-processing', { Environment: 'Dev', Team: 'etl' })).toStrictEqual({
    Component: 'file-processing',
    Environment: 'Dev',
    ManagedBy: 'terraform',
    Team: 'etl',
  });
});
