import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Runner } from '../../src/operations/runner.ts';
import type { CustomObject } from '../../src/stack/addressed-stack.ts';

/** What a played Terraform starts from. */
export interface PlayedTerraformProps {
  /** Values of everything that the stack manages, by address; they are known at once. */
  readonly resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Addresses that Terraform forgets, and does not destroy, where they are not managed any more. @default none */
  readonly forgotten?: readonly string[];
  /** Addresses in the state. @default none */
  readonly held?: readonly string[];
  /** Values of what is in the state and not managed any more, by address. @default none */
  readonly values?: PlayedTerraformProps['resources'];
  /** Number of the apply that fails, from 1; it makes its first resource. @default none does */
  readonly failingApply?: number;
  /** Values that an import finds, by address. @default those of `resources` */
  readonly imported?: PlayedTerraformProps['resources'];
  /** Whether every plan changes something, as with a setting that AWS does not keep. @default false */
  readonly drifts?: boolean;
  /** Kubernetes objects that the stack lists and Terraform does not make. @default none */
  readonly custom?: readonly CustomObject[];
  /** Those that it listed when it was last applied. @default none */
  readonly heldCustom?: readonly CustomObject[];
  /** @default file-processing */
  readonly stack?: string;
}

/** npm and terraform, played where no Kubernetes provider is at hand. */
export interface PlayedTerraform {
  readonly run: Runner;
  /** Every run of terraform that plans, applies or imports, without its plan file. */
  readonly commands: readonly string[];
  /** Everything on any command line. */
  readonly commandLines: () => string;
  readonly held: () => readonly string[];
}

/** Planned actions by address. */
type PlannedStep = Readonly<Record<string, 'create' | 'delete' | 'forget'>>;

/**
 * Plays `npm run synth` and terraform on one stack: a plan creates what the state lacks and takes away what is not
 * managed any more, or destroys what it holds, within its targets (not what they refer to), and an apply does so.
 */
export function playedTerraform(props: PlayedTerraformProps): PlayedTerraform {
  const { resources, drifts = false, forgotten = [] } = props;
  const held = new Set(props.held ?? []);
  const valuesOfHeld = { ...resources, ...props.values };
  const plans = new Map<string, PlannedStep>();
  const commands: string[] = [];
  const lines: string[] = [];
  let applies = 0;
  let custom = props.heldCustom ?? [];

  const plan = (parameters: readonly string[]): number => {
    const after = (flag: string) =>
      parameters.filter((text) => text.startsWith(flag)).map((text) => text.slice(flag.length));
    const targets = after('-target=');
    const isIn = (address: string) => targets.length === 0 || targets.includes(address);
    const destroys = parameters.includes('-destroy');
    const gone = [...held].filter((address) => isIn(address) && (destroys || !resources[address]));
    const made = Object.keys(resources).filter(
      (address) => isIn(address) && !destroys && (drifts || !held.has(address)),
    );
    const away = (address: string) => (forgotten.includes(address) ? 'forget' : 'delete');
    const step: PlannedStep = Object.fromEntries([
      ...gone.map((address) => [address, away(address)]),
      ...made.map((address) => [address, 'create']),
    ]);
    plans.set(after('-out=')[0] ?? '', step);
    return Object.keys(step).length === 0 ? 0 : 2;
  };
  const apply = (file: string): number => {
    applies += 1;
    const steps = Object.entries(plans.get(file) ?? {});
    const fails = applies === props.failingApply;
    if (!fails) custom = props.custom ?? [];
    for (const [address, action] of fails ? steps.slice(0, 1) : steps) {
      if (action === 'create') held.add(address);
      else held.delete(address);
    }
    return fails ? 1 : 0;
  };
  const show = (file: string): string => {
    return JSON.stringify({
      resource_changes: Object.entries(plans.get(file) ?? {}).map(([address, action]) => ({
        address,
        type: address.split('.')[0],
        change: {
          actions: [action],
          before: action === 'create' ? null : (valuesOfHeld[address] ?? {}),
          after: null,
        },
      })),
    });
  };

  const run: Runner = async (program, parameters, options = {}) => {
    lines.push([program, ...parameters].join(' '));
    const done = (code: number, stdout = '') => ({ code, stdout, stderr: '' });
    if (program === 'npm') {
      writeStack(
        String(options.env?.CDKTF_OUTPUT),
        Object.keys(resources),
        props.stack,
        props.custom,
      );
      return done(0);
    }
    if (program !== 'terraform') throw new Error(`${program} was run`);
    const [, command = '', ...rest] = parameters;
    const last = rest.at(-1) ?? '';
    const told = rest.filter((text) => /^-(target|destroy|var=image)/.test(text));
    if (command === 'plan') commands.push([command, ...told].join(' '));
    if (command === 'apply') commands.push(command);
    switch (command) {
      case 'init':
        return done(0);
      case 'plan':
        return done(plan(rest));
      case 'apply':
        return done(apply(last));
      case 'show':
        return done(0, show(last));
      case 'import': {
        const address = rest.at(-2) ?? '';
        commands.push(`import ${last}`);
        Object.assign(valuesOfHeld, { [address]: props.imported?.[address] ?? {} });
        held.add(address);
        return done(0);
      }
      case 'state':
        if (rest[0] === 'rm') {
          commands.push(`state rm ${last}`);
          held.delete(last);
          return done(0);
        }
        return done(0, stateOf([...held], valuesOfHeld, custom));
      case 'output':
        return done(0, '{}');
      default:
        throw new Error(`terraform ${command} was run`);
    }
  };
  return { run, commands, commandLines: () => lines.join('\n'), held: () => [...held] };
}

function stateOf(
  held: readonly string[],
  values: PlayedTerraformProps['resources'],
  custom: readonly CustomObject[],
): string {
  if (held.length === 0) return '';
  const resources = held.map((address) => {
    const [type, name] = address.split('.');
    return { mode: 'managed', type, name, instances: [{ attributes: values[address] ?? {} }] };
  });
  const outputs =
    custom.length === 0
      ? {}
      : { outputs: { custom_objects: { value: JSON.stringify(custom), type: 'string' } } };
  return JSON.stringify({ version: 4, ...outputs, resources });
}

/** Writes the file that the synthesis of a stack would. */
/** What a Secret is made of says which variable has to be given. */
const SECRET = { data_wo: { DB_PASSWORD: '${var.db_password}' } };

function writeStack(
  output: string,
  addresses: readonly string[],
  stack = 'file-processing',
  custom: readonly CustomObject[] = [],
): void {
  const resource: Record<string, Record<string, object>> = {};
  for (const address of addresses) {
    const [type = '', name = ''] = address.split('.');
    const written = type === 'kubernetes_secret_v1' ? SECRET : {};
    resource[type] = { ...resource[type], [name]: written };
  }
  const folder = join(output, 'stacks', stack);
  mkdirSync(folder, { recursive: true });
  const variable = { image: {}, db_password: { sensitive: true } };
  writeFileSync(
    join(folder, 'cdk.tf.json'),
    JSON.stringify({ resource, variable, locals: { custom_objects: custom } }),
  );
}
