import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ecrRepository,
  imageRepository,
  parseImageReference,
  REPOSITORY_ADDRESSES,
  requireTag,
} from '../../../../src/operations/image/image-reference.ts';
import { ROOT } from '../../../support/run-main.ts';

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
    expect(() => parseImageReference(text)).toThrow('is not an image');
  });
});

describe('a tag', () => {
  it('is given back', () => {
    expect(requireTag('v1.2_3-x')).toBe('v1.2_3-x');
  });

  it.each(['', '.x', '-x', 'a/b', 'x'.repeat(129)])("is refused: '%s'", (tag) => {
    expect(() => requireTag(tag)).toThrow('is not a tag');
  });
});

describe('a repository of Amazon ECR', () => {
  it.each([
    ['123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/team/app', 'us-gov-west-1', 'team/app'],
    ['123456789012.dkr.ecr-fips.us-gov-east-1.amazonaws.com/app', 'us-gov-east-1', 'app'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app', 'cn-north-1', 'app'],
  ])('is known: %s', (repository, region, name) => {
    expect(ecrRepository(repository)).toStrictEqual({
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

const SETTINGS = { create_repository: true, repository_name: 'file-processing', image: '' };

describe('the repository of an image', () => {
  it("is the stack's own", () => {
    expect(imageRepository(undefined, SETTINGS)).toStrictEqual({
      own: true,
      name: 'file-processing',
    });
  });

  it('is the one that is given, before all', () => {
    expect(imageRepository('r.example.gov/app', SETTINGS)).toStrictEqual({
      own: false,
      uri: 'r.example.gov/app',
    });
  });

  it('is that of the image that is set, where the stack makes none', () => {
    const image = `r.example.gov/app:1@sha256:${'c'.repeat(64)}`;
    expect(
      imageRepository(undefined, { ...SETTINGS, create_repository: false, image }),
    ).toStrictEqual({
      own: false,
      uri: 'r.example.gov/app',
    });
  });

  it('is asked for where nothing says which', () => {
    expect(() => imageRepository(undefined, { ...SETTINGS, create_repository: false })).toThrow(
      'create_repository is false and image is empty: no repository is known',
    );
  });

  it('has neither tag nor digest', () => {
    expect(() => imageRepository('r.example.gov/app:1', SETTINGS)).toThrow(
      '--repository r.example.gov/app:1 must be without tag and digest',
    );
  });
});

it('the addresses of the repository are those of the stack', () => {
  const golden = join(ROOT, '__tests__/golden/etl-playground.file-processing.addresses.txt');
  expect(readFileSync(golden, 'utf8').split('\n')).toEqual(
    expect.arrayContaining([...REPOSITORY_ADDRESSES]),
  );
});
