import { describe, expect, it } from 'vitest';
import { buildCommands, digestIn } from '../../../../src/operations/image/build-commands.ts';

const BUILD = {
  image: 'r.example.gov/app:1',
  platforms: ['linux/amd64', 'linux/arm64'],
  arguments: { REVISION: 'abc' },
  folder: '/tmp/image-x1',
};
const DIGEST = `sha256:${'b'.repeat(64)}`;

const SOURCE = '--file listener/Dockerfile --build-arg REVISION=abc';
const PLATFORMS = '--platform linux/amd64,linux/arm64';
const LIST = 'localhost/file-processing:image-x1';

const commandsOf = (tool: 'docker' | 'podman') =>
  Array.from(
    buildCommands(tool, BUILD, (file) => `sha256:what ${file} holds\n`),
    (command) => command.join(' '),
  );

describe('the commands of a build', () => {
  it('are one of docker', () => {
    expect(commandsOf('docker')).toEqual([
      `buildx build ${SOURCE} ${PLATFORMS} --tag r.example.gov/app:1 --metadata-file /tmp/image-x1/digest --push .`,
    ]);
  });

  it('are three of podman: what runs is built once, and the list is one that no other build has', () => {
    expect(commandsOf('podman')).toEqual([
      `build --format docker ${SOURCE} --platform local --target build --iidfile /tmp/image-x1/stage .`,
      `build --format docker ${SOURCE} ${PLATFORMS} --build-context build=container-image://what /tmp/image-x1/stage holds --manifest ${LIST} .`,
      `manifest push --all --rm --digestfile /tmp/image-x1/digest ${LIST} docker://r.example.gov/app:1`,
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
