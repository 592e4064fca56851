import { expect, it } from 'vitest';
import { parsePlatforms } from '../../../../src/operations/image/platforms.ts';

it.each([
  ['linux/amd64', ['linux/amd64']],
  ['linux/amd64, linux/arm64', ['linux/amd64', 'linux/arm64']],
  ['linux/arm64,linux/arm64', ['linux/arm64']],
])('%s is read', (text, expected) => {
  expect(parsePlatforms(text)).toEqual(expected);
});

it('names every platform that is unknown', () => {
  expect(() => parsePlatforms('linux/amd64,windows/amd64,')).toThrow(
    "--platform: 'windows/amd64', '' is not supported; linux/amd64, linux/arm64 or both are",
  );
});
