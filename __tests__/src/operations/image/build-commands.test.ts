import { describe, expect, it } from 'vitest';
import {
  addBuildArgument,
  buildCommands,
  containerTool,
  digestIn,
  parsePlatforms,
  rdsCaBundleUrl,
  requirePlatformsOf,
} from '../../../../src/operations/image/build-commands.ts';
import { nodeGroupsOf } from '../../../../src/settings/check-nodes.ts';
import { fileProcessingSettings } from '../../../support/settings.ts';

describe('CONTAINER_TOOL', () => {
  it.each([
    [undefined, 'docker'],
    ['', 'docker'],
    ['docker', 'docker'],
    ['podman', 'podman'],
  ])('CONTAINER_TOOL %j is %s', (name, tool) => {
    expect(containerTool(name)).toBe(tool);
  });

  it('nothing else is run', () => {
    expect(() => containerTool('rm')).toThrow("CONTAINER_TOOL is 'rm'; docker or podman is needed");
  });
});

describe('--platform', () => {
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
});

describe('platforms and nodes', () => {
  const [first] = nodeGroupsOf(fileProcessingSettings());
  const arm = { ...first, amiType: 'AL2023_ARM_64_STANDARD' };

  it.each([
    ['both for both', [first, arm], ['linux/amd64', 'linux/arm64']],
    ['that of the nodes', [arm], ['linux/arm64']],
    [
      'nodes that no pod of ours comes to',
      [first, { ...arm, taints: ['a=b:NoSchedule'] }],
      ['linux/amd64'],
    ],
  ] as const)('fit: %s', (_, groups, platforms) => {
    expect(() => requirePlatformsOf(groups, platforms)).not.toThrow();
  });

  it('do not fit where nodes are of another processor', () => {
    expect(() => requirePlatformsOf([first, arm], ['linux/amd64'])).toThrow(
      '--platform: linux/amd64 lacks linux/arm64, which nodes are (ami_type)',
    );
  });
});

describe('--build-arg', () => {
  it('adds to those before; a value may hold =', () => {
    expect(addBuildArgument('NODE_IMAGE=a@b=c', { A: '1' })).toStrictEqual({
      A: '1',
      NODE_IMAGE: 'a@b=c',
    });
  });

  it('takes an empty value', () => {
    expect(addBuildArgument('RDS_CA_BUNDLE_URL=')).toStrictEqual({ RDS_CA_BUNDLE_URL: '' });
  });

  it.each(['NODE_IMAGE', '=x', 'a-b=c', ''])("refuses '%s'", (text) => {
    expect(() => addBuildArgument(text)).toThrow('--build-arg must be NAME=value');
  });

  it.each(['DB_PASSWORD=marker', 'npm_token=marker', 'CLIENT_SECRET=marker'])(
    'refuses a secret and does not repeat it',
    (text) => {
      expect(() => addBuildArgument(text)).toThrow(/^--build-arg \w+ would put a secret into/);
      expect(() => addBuildArgument(text)).not.toThrow('marker');
    },
  );
});

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
  ] as const)('of %s is not found in %j', (tool, text) => {
    expect(digestIn(tool, text)).toBeUndefined();
  });
});
