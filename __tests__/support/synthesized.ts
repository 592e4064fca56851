/** Arguments of one block of Terraform JSON. */
export type Block = Readonly<Record<string, unknown>>;

type Blocks = Readonly<Record<string, Readonly<Record<string, Block>>>>;

/** The parts of a stack's Terraform JSON that tests look at. */
export interface SynthesizedStack {
  readonly data?: Blocks;
  readonly locals?: Block;
  readonly moved?: readonly Block[];
  readonly removed?: readonly Block[];
  readonly output: Readonly<Record<string, Block>>;
  readonly provider: { readonly aws: readonly Block[]; readonly kubernetes?: readonly Block[] };
  readonly resource: Blocks;
  readonly terraform: Block;
  readonly variable: Readonly<Record<string, Block>>;
}

/** One statement of a synthesized policy. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Condition?: unknown;
}

/** The resource at an address such as `aws_vpc.main`. */
export function resourceAt(json: SynthesizedStack, address: string): Block {
  const [type = '', name = ''] = address.split('.');
  const block = json.resource[type]?.[name];
  if (block === undefined) throw new Error(`${address} is not among ${addresses(json).join(', ')}`);
  return block;
}

/** Names of the resources of a type. */
export function namesOf(json: SynthesizedStack, type: string): readonly string[] {
  return Object.keys(json.resource[type] ?? {}).sort();
}

/** Addresses of all resources and data sources. */
export function addresses(json: SynthesizedStack): readonly string[] {
  return [...addressesOf(json.resource), ...addressesOf(json.data ?? {}, 'data.')].sort();
}

/** Statements of the policy that a resource has as an argument, `policy` unless told. */
export function statementsAt(
  json: SynthesizedStack,
  address: string,
  argument = 'policy',
): readonly Statement[] {
  const policy = JSON.parse(String(resourceAt(json, address)[argument]));
  return (policy as { Statement: readonly Statement[] }).Statement;
}

/** What a resource waits for by `depends_on`, sorted. */
export function dependenciesOf(json: SynthesizedStack, address: string): readonly string[] {
  return [
    ...((resourceAt(json, address).depends_on as readonly string[] | undefined) ?? []),
  ].sort();
}

function addressesOf(blocks: Blocks, prefix = ''): readonly string[] {
  return Object.entries(blocks).flatMap(([type, named]) =>
    Object.keys(named).map((name) => `${prefix}${type}.${name}`),
  );
}
