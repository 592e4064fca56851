import { localStackPython } from './localstack-environment.ts';

/** Installs LocalStack once, so that no test's time includes it. */
export default async function setup(): Promise<void> {
  await localStackPython();
}
