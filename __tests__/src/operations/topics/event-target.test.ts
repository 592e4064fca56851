import { describe, expect, test } from 'vitest';
import { oneBucket } from '../../../../src/operations/topics/event-target.ts';
import { fileProcessingSettings, listedBucket } from '../../../support/settings.ts';

const one = fileProcessingSettings({ s3_prefixes: ['a/'], s3_suffix: '.csv' });
const several = fileProcessingSettings({
  buckets: [
    listedBucket('letters', { prefixes: ['in/'] }),
    listedBucket('theirs', { account_id: '210987654321' }),
  ],
});

describe('the bucket that is meant', () => {
  test('is the only one of the settings', () => {
    expect(oneBucket(undefined, one)).toMatchObject({ name: 'drop-box', prefixes: ['a/'] });
  });

  test('is the named one of several', () => {
    expect(oneBucket('theirs', several)).toMatchObject({ account: '210987654321' });
    expect(oneBucket('letters', several)).toMatchObject({ prefixes: ['in/'], account: '' });
  });

  test('must be named where there are several', () => {
    expect(() => oneBucket(undefined, several)).toThrow(
      'the settings name several buckets: letters, theirs',
    );
  });

  test('has the prefixes of the only one where the settings do not know it', () => {
    expect(oneBucket('another', one)).toMatchObject({
      ...{ name: 'another', prefixes: ['a/'], suffix: '.csv', createNotifications: false },
    });
  });

  test('has no prefixes where the settings know several others', () => {
    expect(oneBucket('another', several)).toMatchObject({ name: 'another', prefixes: [] });
  });
});
