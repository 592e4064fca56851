import { App, Testing } from 'cdktf';
import { FoundationNetworkStack } from '../../../src/foundation-network/stack.ts';
import type { FoundationNetworkSettings } from '../../../src/settings/foundation-network-variables.ts';
import { foundationNetworkSettings } from '../../support/settings.ts';
import type { SynthesizedStack } from '../../support/synthesized.ts';

/** Text of the stack's Terraform JSON: default settings, except for the overrides. */
export function synthesizeText(
  overrides: Partial<FoundationNetworkSettings> = {},
  environment = 'etl-playground',
): string {
  const settings = foundationNetworkSettings(overrides);
  return Testing.synth(
    new FoundationNetworkStack(new App(), 'foundation-network', { environment, settings }),
  );
}

/** The stack's Terraform JSON: default settings, except for the overrides. */
export function synthesizeFoundationNetwork(
  overrides: Partial<FoundationNetworkSettings> = {},
  environment?: string,
): SynthesizedStack {
  return JSON.parse(synthesizeText(overrides, environment)) as SynthesizedStack;
}
