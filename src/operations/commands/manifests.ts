import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { modelOf, type StackModel } from '../../synthesized/model/model.ts';
import { readSynthesizedStacks } from '../../synthesized/synthesized-stack.ts';
import { appliedObjectsOf } from '../../synthesized/views/kubernetes-manifests.ts';
import { fill, placeholdersOf } from '../../synthesized/views/placeholders.ts';
import {
  filesOf,
  isWithheld,
  writeFiles,
} from '../../synthesized/views/write-synthesized-views.ts';
import { yamlOf } from '../../synthesized/views/yaml.ts';
import { placeholderValues } from '../manifests/placeholder-values.ts';
import type { CommonOptions, Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { openStack } from '../terraform/open-stack.ts';
import { DEFAULT_STACK } from '../terraform/stacks.ts';
import { outputFolderOf } from '../terraform/synthesize.ts';

interface Options {
  readonly outputsFile?: string;
  readonly from?: string;
  readonly set: Readonly<Record<string, string>>;
  readonly output?: string;
}

/** `manage manifests`: the Kubernetes objects with Terraform's outputs in the placeholders' place. */
export const manifests: Operation<Options> = {
  name: 'manifests',
  summary: "write the Kubernetes manifests with Terraform's outputs filled in",
  describe: (command) =>
    command
      .option(
        '-o, --output <folder>',
        'folder to write, with a kustomization: a new one, or one from an earlier run (default: standard output)',
      )
      .option(
        '--outputs-file <file>',
        'the output of terraform output -json (default: ask Terraform)',
      )
      .option('--from <folder>', 'synthesized folder; together with --outputs-file')
      .addOption(setOption())
      .addHelpText(
        'after',
        `
Try it:  npm run manage -- manifests -o manifests && kubectl apply --server-side -k manifests
A Secret whose data is not in the JSON is left out: its file says how to make it.`,
      ),
  execute: async (context, options) => {
    if (options.output !== undefined) refuseFolderOfOthers(options.output);
    const { stack, outputs } = await sourceOf(context, options);
    const objects = appliedObjectsOf(stack);
    const placeholders = placeholdersOf(stack, objects);
    const values = placeholderValues(placeholders, objects, { outputs, given: options.set });
    const valueFor = (expression: string) => values.get(expression) ?? '';
    if (options.output !== undefined) {
      writeFiles(options.output, filesOf(objects, valueFor));
      context.stderr.write(`${objects.length} objects are in ${options.output}\n`);
      return EXIT.ok;
    }
    const withheld = objects.filter(isWithheld);
    for (const { manifest } of withheld) {
      context.stderr.write(`left out, make it by hand: Secret ${manifest.metadata.name}\n`);
    }
    const filled = objects
      .filter((object) => !isWithheld(object))
      .map(({ manifest }) => fill(manifest, valueFor));
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: filled }, undefined, 2)}\n`
        : filled.map(yamlOf).join('---\n'),
    );
    return EXIT.ok;
  },
};

async function sourceOf(context: OperationContext, options: Options & CommonOptions) {
  const { outputsFile, from } = options;
  if (outputsFile !== undefined) {
    const folder = from ?? resolve(context.root, outputFolderOf(options.environment, context.env));
    return { stack: stackIn(folder), outputs: await outputsIn(outputsFile) };
  }
  if (from !== undefined) {
    throw new OperationError('--from needs --outputs-file', { code: EXIT.usage });
  }
  const { folder, terraform } = await openStack(context, options, DEFAULT_STACK);
  const found = await terraform.outputs();
  return { stack: stackIn(join(folder, '../..')), outputs: valuesOf(found) };
}

function stackIn(folder: string): StackModel {
  const { stacks } = modelOf(readSynthesizedStacks(folder));
  const stack = stacks.find(({ name }) => name === DEFAULT_STACK);
  if (stack === undefined) {
    throw new OperationError(`${folder} has no stack ${DEFAULT_STACK}`, { code: EXIT.usage });
  }
  return stack;
}

async function outputsIn(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return valuesOf(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new OperationError(`${file} can't be read as outputs: ${(cause as Error).message}`, {
      next: `make it by terraform -chdir=cdktf.out/stacks/${DEFAULT_STACK} output -json`,
      code: EXIT.usage,
      cause,
    });
  }
}

function valuesOf(
  outputs: Readonly<Record<string, { readonly value?: unknown }>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
}

function setOption(): Option {
  return new Option('--set <name=value>', 'value of a placeholder (repeatable)')
    .default({}, 'none')
    .argParser((text: string, before: Readonly<Record<string, string>> = {}) => {
      const [, name, value] = text.match(/^([A-Z0-9_]+)=(.+)$/s) ?? [];
      if (name === undefined || value === undefined) {
        throw new InvalidArgumentError('NAME=VALUE is needed, such as SNS_TOPIC_ARN=arn:...');
      }
      return { ...before, [name]: value };
    });
}

/**
 * Refuses a folder that holds anything but what an earlier run wrote: writing into it removes the
 * manifests that are there no more, and must remove nothing else.
 *
 * @throws OperationError (EXIT.refused) that names what is in the way
 */
function refuseFolderOfOthers(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) {
    throw new OperationError(`--output ${folder} is not a folder`, { code: EXIT.usage });
  }
  const entries = readdirSync(folder, { withFileTypes: true });
  const other = entries.find((entry) => !entry.isFile() || !entry.name.endsWith('.yaml'));
  const ours = entries.some(({ name }) => name === 'kustomization.yaml');
  if (entries.length === 0 || (ours && other === undefined)) return;
  const what = other === undefined ? 'no kustomization.yaml' : other.name;
  throw new OperationError(
    `--output ${folder} holds more than manifests of an earlier run (${what})`,
    { next: 'name a folder that is empty or not there yet', code: EXIT.refused },
  );
}
