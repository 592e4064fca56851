import { checkovProgram } from './checkov.ts';

/** Installs checkov once, so that no test's time includes it. */
export default async function setup(): Promise<void> {
  await checkovProgram();
}
