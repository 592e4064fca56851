import type { Checkout, StackName } from './checkout.ts';
import { type AwsOfTest, type Terraform, terraformIn } from './terraform.ts';

/** Terraform in both stacks of an environment. */
export interface Stacks {
  readonly network: Terraform;
  readonly processing: Terraform;
  /** Removes what was written outside the checkout. */
  close(): Promise<void>;
}

/**
 * Synthesizes an environment of a checkout and initializes Terraform in both of its stacks.
 *
 * @param outputFolder - below the checkout; @default `cdktf.out`
 */
export async function openStacks(
  checkout: Checkout,
  environment: string,
  emulator: AwsOfTest,
  outputFolder?: string,
): Promise<Stacks> {
  await checkout.synthesize(environment, outputFolder);
  const open = (stack: StackName) =>
    terraformIn(checkout.stackFolder(stack, outputFolder), { aws: emulator });
  const network = open('foundation-network');
  const processing = open('file-processing');
  await Promise.all([network.init(), processing.init()]);
  return {
    network,
    processing,
    close: async () => {
      await Promise.all([network.close(), processing.close()]);
    },
  };
}
