import type { TerraformProvider, TerraformResource } from 'cdktf';
import { Testing } from 'cdktf';
import { expect } from 'vitest';

/** A class of cdktf's that knows its Terraform type, as its own matchers take it. */
type TerraformClass = { readonly tfResourceType: string };

type Block = Readonly<Record<string, unknown>>;
type Synthesized = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

interface TerraformMatchers<R> {
  /** cdktf's own: a resource of the class. */
  toHaveResource(
    resource: TerraformClass & (abstract new (...args: never[]) => TerraformResource),
  ): R;
  /** cdktf's own: a resource of the class that has the properties. */
  toHaveResourceWithProperties(resource: TerraformClass, properties: Block): R;
  /** cdktf's own: a data source of the class. */
  toHaveDataSource(dataSource: TerraformClass): R;
  /** cdktf's own: a data source of the class that has the properties. */
  toHaveDataSourceWithProperties(dataSource: TerraformClass, properties: Block): R;
  /** cdktf's own: a provider of the class. */
  toHaveProvider(
    provider: TerraformClass & (abstract new (...args: never[]) => TerraformProvider),
  ): R;
  /** A resource at the address `type.name`, with the properties if any are given. */
  toHaveResourceAt(address: string, properties?: unknown): R;
  /** A data source at the address `data.type.name`, with the properties if any are given. */
  toHaveDataSourceAt(address: string, properties?: unknown): R;
  /** A provider by its name, with the properties if any are given. */
  toHaveProviderNamed(name: string, properties?: unknown): R;
  /** An output by its name, with the properties if any are given. */
  toHaveOutputNamed(name: string, properties?: unknown): R;
  /** A variable by its name, with the properties if any are given. */
  toHaveVariableNamed(name: string, properties?: unknown): R;
}

declare module 'vitest' {
  // The parameters are those of vitest's own declaration.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown>
    extends TerraformMatchers<R> {}
}

// cdktf adds its matchers to the global `expect` of Jest.
Object.assign(globalThis, { expect });
Testing.setupJest();

expect.extend({
  toHaveResourceAt(received: string, address: string, properties: unknown = {}) {
    const [type = '', name = ''] = address.split('.');
    return judge(`resource ${address}`, lookUp(received, ['resource', type, name]), properties);
  },
  toHaveDataSourceAt(received: string, address: string, properties: unknown = {}) {
    const [, type = '', name = ''] = address.split('.');
    return judge(`data source ${address}`, lookUp(received, ['data', type, name]), properties);
  },
  toHaveProviderNamed(received: string, name: string, properties: unknown = {}) {
    const blocks = lookUp(received, ['provider', name]);
    return judge(`provider ${name}`, Array.isArray(blocks) ? blocks[0] : blocks, properties);
  },
  toHaveOutputNamed(received: string, name: string, properties: unknown = {}) {
    return judge(`output ${name}`, lookUp(received, ['output', name]), properties);
  },
  toHaveVariableNamed(received: string, name: string, properties: unknown = {}) {
    return judge(`variable ${name}`, lookUp(received, ['variable', name]), properties);
  },
});

function lookUp(synthesized: string, path: readonly string[]): unknown {
  let value: unknown = JSON.parse(synthesized) as Synthesized;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Block)[key];
  }
  return value;
}

function judge(subject: string, block: unknown, properties: unknown) {
  if (block === undefined) {
    return { pass: false, message: () => `there is no ${subject}` };
  }
  const matches = expect.objectContaining(properties as Block).asymmetricMatch(block);
  return {
    pass: matches,
    message: () => `${subject} ${matches ? 'matches' : 'does not match'}`,
    actual: block,
    expected: properties,
  };
}
