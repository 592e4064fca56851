import { TerraformElement, TerraformStack } from 'cdktf';
import type { Construct, Node } from 'constructs';
import { CUSTOM_OBJECTS } from '../settings/common-variables.ts';
import { blockPathsOf, hclText } from './hcl-writer.ts';

/** What a stack tells Terraform of resources that changed their address, or are left to themselves. */
interface Refactorings {
  readonly moved: { readonly from: string; readonly to: string }[];
  readonly removed: { readonly from: string; readonly lifecycle: [{ readonly destroy: false }] }[];
}

const REFACTORINGS = new WeakMap<TerraformStack, Refactorings>();

/** Takes over what the state has under another address, of the same type (Terraform, "Refactor modules"). */
export function takeOver(scope: Construct, from: string, to: string): void {
  refactor(scope, ({ moved }) => moved.push({ from, to }));
}

/** Lets Terraform forget what the state has under an address, and not destroy it; one that it never had is harmless. */
export function leaveBehind(scope: Construct, address: string): void {
  refactor(scope, ({ removed }) =>
    removed.push({ from: address, lifecycle: [{ destroy: false }] }),
  );
}

function refactor(scope: Construct, add: (refactorings: Refactorings) => void): void {
  const stack = TerraformStack.of(scope);
  const refactorings = REFACTORINGS.get(stack) ?? { moved: [], removed: [] };
  REFACTORINGS.set(stack, refactorings);
  add(refactorings);
  for (const [block, entries] of Object.entries(refactorings)) {
    if (entries.length > 0) stack.addOverride(block, entries);
  }
}

/** An object of the Kubernetes API, whole. */
export interface CustomObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    /** Left out for an object of the whole cluster. */
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

const CUSTOM = new WeakMap<TerraformStack, readonly CustomObject[]>();

/**
 * Lists a Kubernetes object that Terraform does not make: the provider has no type for it, and its generic one wants the
 * cluster, and the definition of the object's kind, when it plans. It is among the manifests, and the last phase of
 * `manage apply` puts it in place, in the order in which objects are listed here.
 *
 * @param object - what only Terraform knows may be in it as far as an output of the stack gives it
 */
export function listCustomObject(scope: Construct, object: CustomObject): void {
  const stack = TerraformStack.of(scope);
  const objects = [...(CUSTOM.get(stack) ?? []), object];
  CUSTOM.set(stack, objects);
  stack.addOverride(`locals.${CUSTOM_OBJECTS}`, objects);
  // What was put in place is known from the state, so that what is listed no more is taken away.
  const identities = objects.map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
    ...{ apiVersion, kind },
    metadata: { name, ...(namespace && { namespace }) },
  }));
  stack.addOverride(`output.${CUSTOM_OBJECTS}`, {
    description: 'Kubernetes objects that the last phase of manage apply puts in place, as JSON',
    value: JSON.stringify(identities),
  });
}

/**
 * A stack whose resource addresses are part of its interface: the id of a construct is its name in
 * Terraform, however deep it lies, instead of a path with a hash. So a resource can move to another
 * construct without being replaced, and `terraform import` takes the address that the code shows.
 */
export class AddressedStack extends TerraformStack {
  readonly #paths = new Map<string, string>();

  protected override allocateLogicalId(element: TerraformElement | Node): string {
    const node = TerraformElement.isTerraformElement(element) ? element.node : element;
    const address = `${typeOf(element)}.${node.id}`;
    const other = this.#paths.get(address);
    if (other !== undefined && other !== node.path) {
      throw new Error(
        `${address} is both ${other} and ${node.path}; ids must differ within a type`,
      );
    }
    this.#paths.set(address, node.path);
    return node.id;
  }

  /**
   * Saves resolving every element once more than needed: that run is for references between stacks,
   * and our stacks make none, they find each other's resources by name.
   */
  override prepareStack(): void {}

  /** Leaves out the construct paths that cdktf adds to each block: they tell an auditor nothing. */
  override toTerraform(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(super.toTerraform() as Record<string, unknown>).map(([key, block]) => [
        key,
        key === '//' ? block : withoutComments(block),
      ]),
    );
  }

  /**
   * The same in HCL, for `cdktf synth --hcl`. cdktf's own writer loses overrides and defaults that are
   * empty, and leaves quotes unescaped beside an expression, as in every policy.
   */
  override toHclTerraform(): { hcl: string; metadata: Record<string, unknown> } {
    const { '//': metadata, ...configuration } = this.toTerraform();
    const blocks = new Set(
      this.node.findAll().filter(TerraformElement.isTerraformElement).flatMap(blockPathsOf),
    );
    return {
      hcl: hclText(configuration, (path) => blocks.has(path)),
      // The cdktf CLI reads the stack's providers from here.
      metadata: { '//': metadata, terraform: configuration.terraform },
    };
  }
}

function typeOf(element: TerraformElement | Node): string {
  const type = (element as { terraformResourceType?: string }).terraformResourceType;
  return type ?? element.constructor.name;
}

function withoutComments(block: unknown): unknown {
  if (Array.isArray(block)) return block.map(withoutComments);
  if (typeof block !== 'object' || block === null) return block;
  return Object.fromEntries(
    Object.entries(block)
      .filter(([key]) => key !== '//')
      .map(([key, value]) => [key, withoutComments(value)]),
  );
}
