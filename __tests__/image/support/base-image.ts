import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Podman } from './podman.ts';

/** What the build's RUN instructions call, beside Node and npm. */
const PROGRAMS = ['env', 'chmod', 'ln', 'mkdir'];

const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Pushes an image that stands in for Node's own, which can't be fetched everywhere: this machine's
 * Node 24, npm, a shell and a few programs with their libraries, as an index of both platforms. The
 * programs of the other platform are this machine's too: nothing of it is run.
 *
 * @returns its name in the registry
 */
export async function pushBaseImage(
  { podman }: Podman,
  registry: string,
  folder: string,
): Promise<string> {
  const root = join(folder, 'base');
  fillRoot(root);
  const variables = [
    'PATH=/usr/local/bin:/usr/bin:/bin',
    ...(existsSync(join(root, AUTHORITIES)) ? [`NODE_EXTRA_CA_CERTS=${AUTHORITIES}`] : []),
  ];
  const changes = variables.flatMap((variable) => ['--change', `ENV=${variable}`]);
  const name = `${registry}/node:base`;
  await podman('manifest', 'create', name);
  for (const architecture of ['amd64', 'arm64']) {
    const image = `localhost/base:${architecture}`;
    const archive = join(folder, `base-${architecture}.tar`);
    // Podman takes equal layers for the same image, whatever its platform.
    writeFileSync(join(root, 'etc/architecture'), `${architecture}\n`);
    execFileSync('tar', ['--directory', root, '--create', '--file', archive, '.']);
    await podman('import', '--quiet', '--arch', architecture, ...changes, archive, image);
    await podman('manifest', 'add', name, `containers-storage:${image}`);
  }
  await podman('manifest', 'push', '--all', '--rm', name, `docker://${name}`);
  return name;
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
