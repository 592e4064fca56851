import { spawnSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { defineKinds } from './definitions.ts';

/** How a test file finds the run's control plane. */
export type ControlPlaneAddress = Omit<ControlPlane, 'log' | 'stop' | 'restartApiServer'>;

declare module 'vitest' {
  export interface ProvidedContext {
    controlPlane: ControlPlaneAddress;
  }
}

/** One control plane for a whole vitest run; each test file has namespaces of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (spawnSync('kubectl', ['version', '--client']).error) {
    throw new Error(
      'kubectl was not found on PATH: install it (https://kubernetes.io/docs/tasks/tools)',
    );
  }
  const { log: _, restartApiServer: __, stop, ...address } = await startControlPlane();
  await defineKinds(address.kubeconfig).catch(async (error) => {
    await stop();
    throw error;
  });
  project.provide('controlPlane', address);
  return stop;
}
