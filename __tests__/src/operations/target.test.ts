import { describe, expect, test } from 'vitest';
import type { AwsTarget } from '../../../src/operations/aws-clients.ts';
import { targetOf } from '../../../src/operations/target.ts';
import { SettingsError } from '../../../src/settings/finding.ts';
import { operationContext } from '../../support/manage.ts';

const DEFAULTS = { environment: 'etl-playground', json: false };

/** The target, and what its clients were made for. */
function resolve(options: { readonly region?: string; readonly profile?: string } = {}) {
  const asked: AwsTarget[] = [];
  const standard = operationContext();
  const context = {
    ...standard,
    aws: (target: AwsTarget) => {
      asked.push(target);
      return standard.aws(target);
    },
  };
  const { region, profile } = targetOf(context, { ...DEFAULTS, ...options });
  return { region, profile, asked };
}

describe('region and profile', () => {
  test('come from the tfvars', () => {
    expect(resolve()).toMatchObject({ region: 'us-gov-west-1', profile: 'etl-playground' });
  });

  test('may be given, an empty profile too', () => {
    expect(resolve({ region: 'us-gov-east-1', profile: '' })).toMatchObject({
      region: 'us-gov-east-1',
      profile: '',
    });
  });

  test('are what the clients are made for', () => {
    const { asked } = resolve({ region: 'us-gov-east-1' });
    expect(asked).toStrictEqual([{ region: 'us-gov-east-1', profile: 'etl-playground' }]);
  });

  test('a region that is none is refused', () => {
    expect(() => resolve({ region: 'moon' })).toThrow('--region moon is not a region');
  });
});

test('an environment that does not exist is named', () => {
  expect(() => targetOf(operationContext(), { ...DEFAULTS, environment: 'prod' })).toThrow(
    SettingsError,
  );
});
