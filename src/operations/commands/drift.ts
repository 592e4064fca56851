import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { Argument } from 'commander';
import { loadEnvironment } from '../../settings/environment.ts';
import { varOption } from '../command-options.ts';
import type { CommonOptions, Operation, OperationContext } from '../operation.ts';
import { EXIT, type ExitCode, OperationError } from '../operation-error.ts';
import { type Drift, driftedCopy, isAgainstSettings } from '../terraform/drifted-copy.ts';
import { type OpenStack, openStack } from '../terraform/open-stack.ts';
import { managedResources } from '../terraform/plan-json.ts';
import { requirePlannable } from '../terraform/preconditions.ts';
import { withPlan } from '../terraform/review.ts';
import { addressesOf, isKubernetes, STACK_NAMES, type StackName } from '../terraform/stacks.ts';

/** As `terraform plan -detailed-exitcode`. */
const HAS_CHANGES = 2;

/** Options of `drift`. */
export interface DriftOptions {
  readonly var: Readonly<Record<string, string>>;
  readonly awsOnly: boolean;
  readonly out: string;
}

/** A drift, and the stack that it is in. */
interface StackDrift extends Drift {
  readonly stack: StackName;
}

/** `manage drift`: what AWS has is judged by the rules of the audit. */
export const drift: Operation<DriftOptions> = {
  name: 'drift',
  summary: "judge what has changed since the deploy by the audit's rules; exit code as for plan",
  describe: (command) =>
    command
      .addArgument(new Argument('[environment]', 'folder below environments/'))
      .addOption(varOption())
      .option(
        '--aws-only',
        'leave out the objects in the cluster, whose API need not be reachable',
        false,
      )
      .option('--out <dir>', 'folder for the copy and its reports', 'drift-report')
      .addHelpText(
        'after',
        '\nReports go to <out>/<environment>/: drift.json, cdktf.out (the copy that was judged) and audit/.\n',
      ),
  execute: async (context, options, operand) => {
    const named = { ...options, environment: operand ?? options.environment };
    return await judgeDrift(context, named);
  },
};

async function judgeDrift(
  context: OperationContext,
  options: DriftOptions & CommonOptions,
): Promise<ExitCode> {
  const folder = resolve(context.root, options.out, options.environment);
  const copy = join(folder, 'cdktf.out');
  rmSync(folder, { recursive: true, force: true });
  // Before Terraform is asked, which takes minutes.
  makeFolder(copy);
  const drifts: StackDrift[] = [];
  for (const name of stacksOf(context, options.environment)) {
    const stack = await openStack(context, { ...options, variables: options.var }, name);
    const found = await driftOf(context, stack, options);
    const target = join(copy, 'stacks', name);
    makeFolder(target);
    copyFileSync(join(stack.folder, '../../manifest.json'), join(copy, 'manifest.json'));
    writeFileSync(join(target, 'cdk.tf.json'), `${JSON.stringify(found.json, undefined, 2)}\n`);
    drifts.push(...found.drifts.map((one) => ({ stack: name, ...one })));
  }
  const notes = notesOf(drifts, options);
  const audited = await audit(context, options.environment, copy, join(folder, 'audit'), notes);
  const report = {
    environment: options.environment,
    at: context.clock.now().toISOString(),
    awsOnly: options.awsOnly,
    notes,
    drifts,
    green: audited.green,
    findings: audited.findings,
  };
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  writeFileSync(join(folder, 'drift.json'), text);
  context.stdout.write(options.json ? text : textOf(report, relative(context.root, folder)));
  return drifts.some(isAgainstSettings) ? HAS_CHANGES : EXIT.ok;
}

/** The stacks that the environment has, in the order of their deploys. */
function stacksOf(context: OperationContext, name: string): readonly StackName[] {
  const { foundationNetwork, postgresOnDemand } = loadEnvironment(
    context.root,
    name,
    context.clock.now(),
  );
  const has: Readonly<Record<StackName, boolean>> = {
    'foundation-network': foundationNetwork !== undefined,
    'postgres-on-demand': postgresOnDemand !== undefined,
    'file-processing': true,
  };
  return STACK_NAMES.filter((stack) => has[stack]);
}

async function driftOf(
  context: OperationContext,
  stack: OpenStack,
  { awsOnly }: DriftOptions,
): Promise<Pick<ReturnType<typeof driftedCopy>, 'json' | 'drifts'>> {
  const json = stack.json as Readonly<Record<string, unknown>>;
  const state = await stack.terraform.state();
  const held = managedResources(state).map(({ address }) => address);
  if (held.length === 0) {
    const undeployed = { kind: 'missing', is: 'not there', wanted: 'there' } as const;
    // Nothing of it is there, so there is nothing of it in the copy either.
    const { '//': metadata, terraform, variable, provider } = json;
    const { aws } = (provider ?? {}) as { readonly aws?: unknown };
    const empty = { '//': metadata, terraform, variable, provider: { aws } };
    return { json: empty, drifts: [{ address: stack.name, argument: '', ...undeployed }] };
  }
  const targets = awsOnly ? addressesOf(stack.json).filter((it) => !isKubernetes(it)) : [];
  // What is there is only read: nothing of it can do harm.
  await requirePlannable(context, stack, targets, {
    allowClusterReplacement: true,
    allowMessageLoss: true,
  });
  context.stderr.write(`Refreshing ${stack.name} ...\n`);
  return await withPlan(stack, { targets, quiet: true, always: true }, async ({ json: plan }) =>
    driftedCopy(json, plan, state),
  );
}

function notesOf(all: readonly StackDrift[], { awsOnly }: DriftOptions): readonly string[] {
  const drifts = all.filter(isAgainstSettings);
  return [
    drifts.length === 0
      ? 'The JSON is that of the settings: what is deployed does not differ from it.'
      : 'The JSON is a copy, with what is deployed wherever that differs from the settings.',
    ...(awsOnly
      ? [
          'AWS only (--aws-only): the cluster was not asked; its objects appear as the settings have them.',
        ]
      : []),
    ...drifts
      .filter(({ kind }) => kind === 'not judged' || kind === 'foreign')
      .map(({ stack, address, argument }) => `Not judged: ${stack}/${address} ${argument}`.trim()),
  ];
}

/** What `npm run audit -- --json` says, as far as it is looked at. */
interface Audited {
  readonly green: boolean;
  readonly findings: readonly {
    readonly severity: string;
    readonly rule: string;
    readonly place: string;
    readonly message: string;
  }[];
}

/** Infrastructure does not know the audit: its program is started, as the operator would. */
async function audit(
  context: OperationContext,
  environment: string,
  copy: string,
  out: string,
  notes: readonly string[],
): Promise<Audited> {
  const { code, stdout, stderr } = await context.run(
    'npm',
    [
      ...['run', '--silent', 'audit', '--', '--from', copy, '--environment', environment],
      ...['--only-rules', '--without-accepted', '--json', '--out', out, '--note', ...notes],
    ],
    { cwd: context.root },
  );
  if (code > 1) {
    throw new OperationError(`npm run audit ended with ${code}:\n${stderr}${stdout}`.trimEnd(), {
      next: `npm run audit -- --from ${copy} --only-rules shows it alone`,
    });
  }
  const [result] = JSON.parse(stdout) as readonly Audited[];
  return result ?? { green: false, findings: [] };
}

function textOf(
  {
    drifts,
    findings,
    notes,
  }: {
    readonly drifts: readonly StackDrift[];
    readonly findings: Audited['findings'];
    readonly notes: readonly string[];
  },
  folder: string,
): string {
  return [
    ...(drifts.some(isAgainstSettings) ? [] : ['Nothing drifted.']),
    ...drifts
      .filter(({ kind }) => kind !== 'computed')
      .map(({ stack, address, argument, kind, is, wanted }) =>
        `${kind}  ${stack}/${address} ${argument}`
          .trimEnd()
          .concat(`\n  is      ${is}\n  wanted  ${wanted}`),
      ),
    '',
    ...findings.map(
      ({ severity, rule, place, message }) => `${severity}  ${rule}  ${place}\n  ${message}`,
    ),
    findings.length === 0
      ? 'Audit of what is deployed: green.'
      : `Audit of what is deployed: red, ${findings.length} findings.`,
    ...notes.map((note) => `Note: ${note}`),
    `Reports: ${folder}`,
    '',
  ].join('\n');
}
