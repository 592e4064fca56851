import { describe, expect, it } from 'vitest';
import {
  ecrRepository,
  parseImageReference,
  requireTag,
} from '../../../../src/operations/image/image-reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('an image reference', () => {
  it.each([
    ['file-processing', { repository: 'file-processing' }],
    ['file-processing:1', { repository: 'file-processing', tag: '1' }],
    ['127.0.0.1:5000/team/app', { repository: '127.0.0.1:5000/team/app' }],
    ['127.0.0.1:5000/app:v1', { repository: '127.0.0.1:5000/app', tag: 'v1' }],
    [`r.example.gov/app@${DIGEST}`, { repository: 'r.example.gov/app', digest: DIGEST }],
    [
      `r.example.gov/app:1@${DIGEST}`,
      { repository: 'r.example.gov/app', tag: '1', digest: DIGEST },
    ],
  ])('is taken apart: %s', (text, expected) => {
    expect(parseImageReference(text)).toEqual(expected);
  });

  it.each([
    '',
    'App',
    'app:',
    'app@sha256:1',
    `app@${DIGEST}@${DIGEST}`,
    'https://r.example.gov/app',
    'app:-x',
    'a b',
  ])("is refused: '%s'", (text) => {
    expect(() => parseImageReference(text)).toThrow('is no image');
  });
});

describe('a tag', () => {
  it('is given back', () => {
    expect(requireTag('v1.2_3-x')).toBe('v1.2_3-x');
  });

  it.each(['', '.x', '-x', 'a/b', 'x'.repeat(129)])("is refused: '%s'", (tag) => {
    expect(() => requireTag(tag)).toThrow('is no tag');
  });
});

describe('a repository of Amazon ECR', () => {
  it.each([
    ['123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/team/app', 'us-gov-west-1', 'team/app'],
    ['123456789012.dkr.ecr-fips.us-gov-east-1.amazonaws.com/app', 'us-gov-east-1', 'app'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app', 'cn-north-1', 'app'],
  ])('is known: %s', (repository, region, name) => {
    expect(ecrRepository(repository)).toEqual({
      registryId: '123456789012',
      host: repository.split('/')[0],
      region,
      name,
    });
  });

  it.each([
    'file-processing',
    'r.example.gov/app',
    '123456789012.dkr.ecr.us-gov-west-1.amazonaws.com.example.org/app',
    '12345.dkr.ecr.us-gov-west-1.amazonaws.com/app',
  ])('is none: %s', (repository) => {
    expect(ecrRepository(repository)).toBeUndefined();
  });
});
