import { describe, expect, it } from 'vitest';
import { buildCommands, digestIn } from '../../../../src/operations/image/build-commands.ts';

const BUILD = {
  image: 'r.example.gov/app:1',
  platforms: ['linux/amd64', 'linux/arm64'],
  arguments: { REVISION: 'abc' },
  digestFile: '/tmp/image-digest-x1/digest',
};
const DIGEST = `sha256:${'b'.repeat(64)}`;

const COMMON =
  '--file listener/Dockerfile --platform linux/amd64,linux/arm64 --build-arg REVISION=abc';
const LIST = 'localhost/file-processing:image-digest-x1';

describe('the commands of a build', () => {
  it('are one of docker', () => {
    expect(buildCommands('docker', BUILD).map((command) => command.join(' '))).toEqual([
      `buildx build ${COMMON} --tag r.example.gov/app:1 --metadata-file /tmp/image-digest-x1/digest --push .`,
    ]);
  });

  it('are two of podman, by a list that no other build has', () => {
    expect(buildCommands('podman', BUILD).map((command) => command.join(' '))).toEqual([
      `build --format docker ${COMMON} --manifest ${LIST} .`,
      `manifest push --all --rm --digestfile /tmp/image-digest-x1/digest ${LIST} docker://r.example.gov/app:1`,
    ]);
  });
});

describe('the digest', () => {
  it("is found in docker's metadata", () => {
    const metadata = JSON.stringify({ 'containerimage.digest': DIGEST, 'image.name': 'x' });
    expect(digestIn('docker', metadata)).toBe(DIGEST);
  });

  it("is podman's file", () => {
    expect(digestIn('podman', `${DIGEST}\n`)).toBe(DIGEST);
  });

  it.each([
    ['docker', ''],
    ['docker', '{}'],
    ['docker', '{"containerimage.digest":"latest"}'],
    ['podman', ''],
    ['podman', 'sha256:1'],
  ] as const)('of %s is not to be had from %j', (tool, text) => {
    expect(digestIn(tool, text)).toBeUndefined();
  });
});
