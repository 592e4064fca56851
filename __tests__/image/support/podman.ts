import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../support/run-program.ts';

/** A podman whose images and settings lie in a folder of the test's own. */
export interface Podman {
  /** Environment in which any podman is this one. */
  readonly environment: NodeJS.ProcessEnv;
  /**
   * @returns standard output, without the line end
   * @throws Error with what podman said when it ends with another code than 0
   */
  readonly podman: (...parameters: readonly string[]) => Promise<string>;
}

/**
 * Podman as root and without a daemon. Builds run in a chroot, so that neither systemd nor cgroups
 * are needed.
 *
 * @param registry - host and port of a registry that speaks plain HTTP
 */
export function openPodman(folder: string, registry: string): Podman {
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  mkdirSync(folder, { recursive: true });
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    CONTAINERS_STORAGE_CONF: file(
      'storage.conf',
      `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/images"\nrunroot = "${folder}/run"\n`,
    ),
    CONTAINERS_REGISTRIES_CONF: file(
      'registries.conf',
      `[[registry]]\nlocation = "${registry}"\ninsecure = true\n`,
    ),
    CONTAINERS_CONF: file(
      'containers.conf',
      `[engine]\ntmp_dir = "${folder}/tmp"\nevents_logger = "none"\ncgroup_manager = "cgroupfs"\n`,
    ),
    REGISTRY_AUTH_FILE: file('auth.json', '{}'),
    BUILDAH_ISOLATION: 'chroot',
  };
  const podman = async (...parameters: readonly string[]) => {
    const { exitCode, stdout, stderr } = await run('podman', parameters, { environment });
    if (exitCode === 0) return stdout.trim();
    throw new Error(`podman ${parameters.join(' ')} ended with ${exitCode}:\n${stderr}`);
  };
  return { environment, podman };
}
