import { TerraformResource, type TerraformResourceConfig } from 'cdktf';
import type { Construct } from 'constructs';

/** Arguments whose names are data: labels, resources of a container, and the like. */
const MAPS = new Set([
  'annotations',
  'dimensions',
  'labels',
  'limits',
  'match_labels',
  'node_selector',
  'requests',
  'tags',
]);

/** The same of one type: elsewhere a selector is a block, with labels to match in it. */
const MAPS_OF_TYPES: Readonly<Record<string, readonly string[]>> = {
  kubernetes_service_v1: ['selector'],
};

/** Arguments of every resource, which are not the provider's. */
const META_ARGUMENTS = [
  'connection',
  'count',
  'dependsOn',
  'forEach',
  'lifecycle',
  'provider',
  'provisioners',
] as const;

/** What a resource is made from: the provider's type of its arguments. */
export type LightResourceConfig = Pick<
  TerraformResourceConfig,
  'dependsOn' | 'lifecycle' | 'provider'
>;

/**
 * A resource whose provider's own class is large. It takes the arguments that the class would, with their types, and
 * leaves the class out: that of a Kubernetes Deployment, or of a Job, is nearly 5 MB of source, a sixth of the time of a whole
 * synth; those of an autoscaler, a network policy and a launch template are 1 MB, those of databases and a Service 0.2 to
 * 0.3 MB, those of alarms, endpoints and the like 0.1 MB. What they do is to change the case of names.
 */
export class LightResource<Config extends LightResourceConfig> extends TerraformResource {
  readonly #arguments: Readonly<Record<string, unknown>>;
  readonly #maps: ReadonlySet<string>;

  /**
   * @param type - Terraform's name of the resource, such as `kubernetes_deployment_v1`; it begins with its provider's name
   * @param config - its arguments; references and expressions may stand in any of them
   */
  constructor(scope: Construct, id: string, type: string, config: Config) {
    super(scope, id, {
      terraformResourceType: type,
      terraformGeneratorMetadata: { providerName: type.slice(0, type.indexOf('_')) },
      dependsOn: config.dependsOn,
      lifecycle: config.lifecycle,
      provider: config.provider,
    });
    const own = Object.entries(config).filter(
      ([name]) => !(META_ARGUMENTS as readonly string[]).includes(name),
    );
    this.#maps = new Set([...MAPS, ...(MAPS_OF_TYPES[type] ?? [])]);
    this.#arguments = terraformNames(Object.fromEntries(own), this.#maps) as Record<
      string,
      unknown
    >;
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return { ...this.#arguments };
  }

  protected override synthesizeHclAttributes(): Record<string, unknown> {
    return blocksIn(this.#arguments, this.#maps);
  }
}

/** The arguments under the names that they have in Terraform: `matchLabels` is `match_labels`. */
function terraformNames(value: unknown, maps: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => terraformNames(item, maps));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const snakeCase = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [snakeCase, maps.has(snakeCase) ? inner : terraformNames(inner, maps)];
    }),
  );
}

/** The arguments as cdktf has them for HCL: objects that are not maps are blocks. */
function blocksIn(
  object: Readonly<Record<string, unknown>>,
  maps: ReadonlySet<string>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => {
      const items: readonly unknown[] = Array.isArray(value) ? value : [value];
      const isBlock =
        !maps.has(name) && items.some((item) => typeof item === 'object' && item !== null);
      const inner = isBlock
        ? items.map((item) => blocksIn(item as Readonly<Record<string, unknown>>, maps))
        : value;
      return [name, { value: inner, isBlock }];
    }),
  );
}
