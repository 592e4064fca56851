import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  imageRepository,
  REPOSITORY_ADDRESSES,
} from '../../../../src/operations/image/image-repository.ts';
import { ROOT } from '../../../support/run-main.ts';

const SETTINGS = { create_repository: true, repository_name: 'file-processing', image: '' };

describe('the repository of an image', () => {
  it("is the stack's own", () => {
    expect(imageRepository(undefined, SETTINGS)).toEqual({ own: true, name: 'file-processing' });
  });

  it('is the one that is given, before all', () => {
    expect(imageRepository('r.example.gov/app', SETTINGS)).toEqual({
      own: false,
      uri: 'r.example.gov/app',
    });
  });

  it('is that of the image that is set, where the stack makes none', () => {
    const image = `r.example.gov/app:1@sha256:${'c'.repeat(64)}`;
    expect(imageRepository(undefined, { ...SETTINGS, create_repository: false, image })).toEqual({
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
