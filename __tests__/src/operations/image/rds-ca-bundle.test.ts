import { expect, it } from 'vitest';
import { rdsCaBundleUrl } from '../../../../src/operations/image/rds-ca-bundle.ts';

it.each([
  [
    'us-gov-east-1',
    'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/us-gov-east-1/us-gov-east-1-bundle.pem',
  ],
  ['us-west-2', 'https://truststore.pki.rds.amazonaws.com/us-west-2/us-west-2-bundle.pem'],
  [
    'cn-northwest-1',
    'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/cn-northwest-1/cn-northwest-1-bundle.pem',
  ],
])('%s has its bundle in the trust store of its partition', (region, url) => {
  expect(rdsCaBundleUrl(region)).toBe(url);
});
