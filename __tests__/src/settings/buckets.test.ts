import { expect, it } from 'vitest';
import { bucketSetting, bucketsOf, trustedAccounts } from '../../../src/settings/buckets.ts';
import { fileProcessingSettings, listedBucket } from '../../support/settings.ts';

const OTHER = '210987654321';

it('the variables for one bucket mean one, of the own account', () => {
  const settings = fileProcessingSettings({
    bucket_name: 'drop-box',
    s3_prefixes: ['a/', 'b/'],
    s3_suffix: '.csv',
    create_s3_notifications: true,
  });
  expect(bucketsOf(settings)).toEqual([
    {
      name: 'drop-box',
      prefixes: ['a/', 'b/'],
      suffix: '.csv',
      keyArn: '',
      createNotifications: true,
      account: '',
    },
  ]);
  expect(bucketSetting(settings, 0, 'prefixes')).toBe('s3_prefixes');
});

it('a list of buckets keeps its order, and each what it says', () => {
  const settings = fileProcessingSettings({
    buckets: [
      listedBucket('two', { suffix: '.csv' }),
      listedBucket('one', { account_id: OTHER, prefixes: ['in/'] }),
    ],
  });
  expect(bucketsOf(settings)).toMatchObject([
    { name: 'two', prefixes: ['from_client/'], suffix: '.csv', account: '' },
    { name: 'one', prefixes: ['in/'], suffix: '', account: OTHER },
  ]);
  expect(bucketSetting(settings, 1, 'prefixes')).toBe('buckets[1].prefixes');
});

it('a bucket that names the account of the stack is of no other', () => {
  const buckets = [listedBucket('one', { account_id: OTHER, create_notifications: true })];
  expect(bucketsOf(fileProcessingSettings({ account_id: OTHER, buckets }))).toMatchObject([
    { account: '', createNotifications: true },
  ]);
});

it('accounts of buckets are trusted as those that are said to be, each once', () => {
  const buckets = ['one', 'two'].map((name) => listedBucket(name, { account_id: OTHER }));
  const settings = fileProcessingSettings({ trusted_accounts: ['111111111111'], buckets });
  expect(trustedAccounts(settings)).toEqual(['111111111111', OTHER]);
});
