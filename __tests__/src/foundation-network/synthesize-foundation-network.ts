import { App, Testing } from 'cdktf';
import { FoundationNetworkStack } from '../../../src/foundation-network/stack.ts';
import type { FoundationNetworkSettings } from '../../../src/settings/foundation-network-variables.ts';
import { foundationNetworkSettings } from '../../support/settings.ts';

type Blocks = Readonly<Record<string, Readonly<Record<string, Block>>>>;

/** Arguments of one block of Terraform JSON. */
export type Block = Readonly<Record<string, unknown>>;

/** The parts of the stack's Terraform JSON that tests look at. */
export interface FoundationNetworkJson {
  readonly data?: Blocks;
  readonly output: Readonly<Record<string, Block>>;
  readonly provider: { readonly aws: readonly Block[] };
  readonly resource: Blocks;
  readonly terraform: Block;
  readonly variable: Readonly<Record<string, Block>>;
}

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
): FoundationNetworkJson {
  return JSON.parse(synthesizeText(overrides, environment)) as FoundationNetworkJson;
}

/** The resource at an address such as `aws_vpc.main`. */
export function resourceAt(json: FoundationNetworkJson, address: string): Block {
  const [type = '', name = ''] = address.split('.');
  const block = json.resource[type]?.[name];
  if (block === undefined) throw new Error(`${address} is not among ${addresses(json).join(', ')}`);
  return block;
}

/** Names of the resources of a type. */
export function namesOf(json: FoundationNetworkJson, type: string): readonly string[] {
  return Object.keys(json.resource[type] ?? {}).sort();
}

/** Addresses of all resources and data sources. */
export function addresses(json: FoundationNetworkJson): readonly string[] {
  return [...addressesOf(json.resource), ...addressesOf(json.data ?? {}, 'data.')].sort();
}

function addressesOf(blocks: Blocks, prefix = ''): readonly string[] {
  return Object.entries(blocks).flatMap(([type, named]) =>
    Object.keys(named).map((name) => `${prefix}${type}.${name}`),
  );
}
