import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pushImage } from './push-image.ts';

/** What the build's RUN instructions call, beside Node and npm. */
const PROGRAMS = ['env', 'chmod', 'find', 'ln', 'mkdir', 'rm'];

const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Pushes an image that stands in for Node's own, which can't be fetched everywhere: a Node of its
 * version, npm, a shell and a few programs with their libraries, as an index of both platforms. The
 * other platform has no shell: nothing of it may be run.
 *
 * @param registry - host and port
 * @returns its name in the registry
 */
export async function pushBaseImage(registry: string, folder: string): Promise<string> {
  const root = join(folder, 'base');
  fillRoot(root);
  const programs = archiveOf(root);
  const own = process.arch === 'arm64' ? 'arm64' : 'amd64';
  // Podman takes equal layers for the same image, whatever its platform.
  const platform = (architecture: string) => {
    const mark = join(folder, `base-${architecture}`);
    mkdirSync(join(mark, 'etc'), { recursive: true });
    writeFileSync(join(mark, 'etc/architecture'), `${architecture}\n`);
    // A whiteout (OCI image specification): whoever runs anything of it finds no shell.
    if (architecture !== own) {
      mkdirSync(join(mark, 'bin'));
      writeFileSync(join(mark, 'bin/.wh.sh'), '');
    }
    return [programs, archiveOf(mark)];
  };
  const environment = [
    'PATH=/usr/local/bin:/usr/bin:/bin',
    ...(existsSync(join(root, AUTHORITIES)) ? [`NODE_EXTRA_CA_CERTS=${AUTHORITIES}`] : []),
  ];
  const layers = { amd64: platform('amd64'), arm64: platform('arm64') };
  await pushImage(registry, 'node', 'base', { environment, layers });
  return `${registry}/node:base`;
}

function archiveOf(root: string) {
  const archive = `${root}.tar`;
  execFileSync('tar', ['--directory', root, '--create', '--file', archive, '.']);
  return readFileSync(archive);
}

function fillRoot(root: string): void {
  for (const path of ['bin', 'dev', 'etc', 'proc', 'tmp', 'usr/local/etc', 'usr/local/lib']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  copyProgram(root, realpathSync('/bin/sh'), '/bin/sh');
  for (const name of PROGRAMS) {
    const program = execFileSync('which', [name], { encoding: 'utf8' }).trim();
    copyProgram(root, realpathSync(program), `/usr/bin/${name}`);
  }
  // In a pod the kubelet writes it.
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  // The version that the Dockerfile names, as a test of the Dockerfile holds.
  copyProgram(root, process.execPath, '/usr/local/bin/node');
  copyNpm(root);
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  if (authorities) copy(root, authorities, AUTHORITIES);
}

/** npm, with the registry that this machine's is set up for. */
function copyNpm(root: string): void {
  const npm = (...parameters: string[]) =>
    execFileSync('npm', parameters, { encoding: 'utf8' }).trim();
  copy(root, join(npm('root', '--global'), 'npm'), '/usr/local/lib/npm');
  symlinkSync('../lib/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  const registry = npm('config', 'get', 'registry');
  writeFileSync(join(root, 'usr/local/etc/npmrc'), `registry=${registry}\n`);
}

function copyProgram(root: string, program: string, target: string): void {
  copy(root, program, target);
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' });
  for (const [library] of libraries.matchAll(/\/\S+/g)) copy(root, library, library);
}

function copy(root: string, source: string, target: string): void {
  const path = join(root, target);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) cpSync(source, path, { recursive: true, dereference: true });
}
