import { randomBytes } from 'node:crypto';
import { COMMANDS, SERVE } from '@file-processing/contract/listener-interface.ts';
import type { KubernetesObject, Manifest } from '../../synthesized/views/kubernetes-manifests.ts';
import { yamlOf } from '../../synthesized/views/yaml.ts';
import { secondsOption, waitOption } from '../command-options.ts';
import { selectorOf } from '../job/job-isolation.ts';
import { commandObjects, type MountedFiles } from '../job/job-objects.ts';
import { type Kubectl, kubectlFor } from '../kubernetes/kubectl.ts';
import { type Deployment, listenerDeployment } from '../kubernetes/rollout-deployment.ts';
import {
  type EndSignal,
  type Operation,
  type OperationContext,
  SIGNAL_EXIT_CODES,
} from '../operation.ts';
import { EXIT, type ExitCode, OperationError } from '../operation-error.ts';
import { type Target, targetOf } from '../target.ts';

/** How a command of the listener is run in the cluster. */
export interface ExecOptions {
  /** From the start until the Job is stopped as failed, in seconds. */
  readonly deadline: number;
  /** Until its pod has started, in seconds. */
  readonly wait: number;
  /** Where its log goes: to standard output, or to standard error. @default 'stream' */
  readonly output?: 'stream' | 'progress';
  /** Files that are mounted for it, by a ConfigMap that goes with the Job. @default none */
  readonly files?: MountedFiles;
}

/** How long a command may run where nobody says otherwise, in seconds. */
export const EXEC_DEADLINE_SECONDS = 3600;

/** From its end until Kubernetes removes a Job that this process could not delete, in seconds. */
const TTL_SECONDS = 3600;

/** What the API may take to answer again before a Job is left to itself, in seconds. */
const LOST_SECONDS = 60;

/** Between looks at a pod whose log has ended before it. */
const BETWEEN_LOOKS_MS = 1_000;

/** `manage exec`: runs a command of the listener's program in the cluster, as the listener. */
export const exec: Operation<ExecOptions & { readonly dryRun: boolean }> = {
  name: 'exec',
  summary: "run a command of the listener's program in the cluster, with its identity, as a Job",
  describe: (command) =>
    command
      .argument('<command...>', "the listener's command and its options, after --")
      .addOption(
        secondsOption(
          '--deadline <seconds>',
          'until it is stopped as failed',
          EXEC_DEADLINE_SECONDS,
        ),
      )
      .addOption(waitOption('how long its pod may take to start'))
      .option('--dry-run', 'write the Job, do not run it', false)
      .addHelpText(
        'after',
        `
Such as:  npm run --silent manage -- exec -- runs list --verdict failed
The Job has image, ServiceAccount, settings, Secret and network policy of the Deployment that
runs. Its output is shown as it comes, errors too, and it is deleted at the end. Ctrl-C ends it:
the command gets SIGTERM.
Exit code: that of the command (file-processing --help); 64, 69 and 77 may also be of this one.`,
      ),
  execute: async (context, options, ...args) => {
    const command = args.filter((argument) => argument !== undefined);
    checkCommand(command);
    const target = targetOf(context, options);
    if (!options.dryRun) return await runInJob(context, target, command, options);
    const kubectl = await kubectlFor(context, target);
    try {
      const manifests = await manifestsOf(kubectl, target, command, options);
      context.stdout.write(
        options.json
          ? `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, undefined, 2)}\n`
          : manifests.map(yamlOf).join('---\n'),
      );
      return EXIT.ok;
    } finally {
      kubectl.dispose();
    }
  },
};

function checkCommand([name = '']: readonly string[]): void {
  const known = COMMANDS.filter((command) => command !== SERVE);
  if (known.includes(name)) return;
  throw new OperationError(
    name === SERVE
      ? `${SERVE} runs until a signal: it is what the Deployment does`
      : `${JSON.stringify(name)} is not a command of the listener`,
    { next: `one of ${known.join(', ')} is needed`, code: EXIT.usage },
  );
}

/**
 * Runs a command of the listener's program as a Job with what the deployed listener has, shows its output and deletes
 * the Job. A signal that comes meanwhile ends the command by SIGTERM.
 *
 * @returns the exit code of the command; that of the signal where one came
 * @throws OperationError where it could not be run, or its end could not be seen
 */
export async function runInJob(
  context: OperationContext,
  target: Target,
  args: readonly string[],
  options: ExecOptions,
): Promise<ExitCode> {
  const kubectl = await kubectlFor(context, target);
  let signal: EndSignal | undefined;
  const release = context.onSignal((one) => {
    signal ??= one;
  });
  try {
    const manifests = await manifestsOf(kubectl, target, args, options);
    return await new RunningJob(context, kubectl, manifests, options, () => signal).run();
  } finally {
    release();
    kubectl.dispose();
  }
}

async function manifestsOf(
  kubectl: Kubectl,
  { environment }: Target,
  args: readonly string[],
  { deadline, files }: ExecOptions,
): Promise<readonly Manifest[]> {
  const { service_account_name } = environment.fileProcessing;
  const kinds = 'deployments,services,networkpolicies,poddisruptionbudgets';
  const { items } = await read<{ readonly items: readonly Manifest[] }>(kubectl, [
    ...['get', kinds, '--output', 'json'],
  ]);
  const deployments = items.filter(({ kind }) => kind === 'Deployment');
  const { metadata } = listenerDeployment(
    deployments as unknown as readonly Deployment[],
    service_account_name,
  );
  const deployment = deployments.find((one) => one.metadata.name === metadata.name);
  const podLabels: Readonly<Record<string, string>> =
    deployment?.spec.template.metadata.labels ?? {};
  // The namespace may be shared: what selects other pods, or all, is not the listener's.
  const own = items.filter((item) => {
    const selector = Object.entries(selectorOf(item));
    const selects = selector.every(([label, value]) => podLabels[label] === value);
    return item === deployment || (item.kind !== 'Deployment' && selector.length > 0 && selects);
  });
  return commandObjects(
    own.map((manifest): KubernetesObject => ({ stack: '', address: '', manifest })),
    {
      name: `${metadata.name.slice(0, 40)}-exec-${randomBytes(4).toString('hex')}`,
      args,
      deadlineSeconds: deadline,
      ttlSeconds: TTL_SECONDS,
      ...(files && { files }),
    },
  );
}

/** What is asked of a pod (Kubernetes API, Pod). */
interface JobPod {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly conditions?: readonly { readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
        readonly running?: object;
        readonly terminated?: { readonly exitCode: number; readonly reason?: string };
      };
    }[];
  };
}

/** One Job of ours: made, followed to its end, deleted. */
class RunningJob {
  readonly #context: OperationContext;
  readonly #kubectl: Kubectl;
  readonly #manifests: readonly Manifest[];
  readonly #name: string;
  /** Others may have put more containers into its pod. */
  readonly #container: string;
  readonly #options: ExecOptions;
  readonly #signal: () => EndSignal | undefined;
  /** It can't be seen any more, and may go on: it is not deleted. */
  #lost = false;

  constructor(
    context: OperationContext,
    kubectl: Kubectl,
    manifests: readonly Manifest[],
    options: ExecOptions,
    signal: () => EndSignal | undefined,
  ) {
    const job = manifests.find(({ kind }) => kind === 'Job');
    this.#context = context;
    this.#kubectl = kubectl;
    this.#manifests = manifests;
    this.#name = job?.metadata.name ?? '';
    this.#container = job?.spec.template.spec.containers[0].name ?? '';
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<ExitCode> {
    try {
      await this.#make();
      const pod = await this.#started(this.#options.wait);
      if (pod !== undefined) {
        const code = await this.#followed(pod);
        if (code !== undefined) return code;
      }
      return await this.#interrupted(pod);
    } finally {
      if (!this.#lost) await this.#delete();
    }
  }

  async #make(): Promise<void> {
    // kubectl goes on with a list behind what was refused, and a pod without its policy reaches everything.
    const isJob = ({ kind }: Manifest) => kind === 'Job';
    await this.#apply(this.#manifests.filter((one) => !isJob(one)));
    await this.#apply(this.#manifests.filter(isJob));
  }

  async #apply(items: readonly Manifest[]): Promise<void> {
    if (items.length === 0 || this.#signal() !== undefined) return;
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const { code, stderr } = await this.#kubectl.inNamespace(
      ['apply', '--server-side', '--field-manager=manage', '--force-conflicts', '--filename', '-'],
      { input },
    );
    if (code !== 0 && this.#signal() === undefined) {
      throw new OperationError(`kubectl apply: ${stderr.trim()}`, {
        next: 'npm run manage -- doctor; who runs it needs the right to make Jobs, NetworkPolicies and ConfigMaps in the namespace',
      });
    }
  }

  /** @returns undefined when a signal came before */
  async #started(seconds: number): Promise<JobPod | undefined> {
    const { clock, stderr } = this.#context;
    let told = '';
    for (let waited = 0; this.#signal() === undefined; waited++) {
      const pod = await this.#pod();
      const { running, terminated } = this.#stateOf(pod);
      if (running !== undefined || terminated !== undefined) return pod;
      const reason = this.#waitingFor(pod);
      if (waited >= seconds) {
        const events = pod === undefined ? await this.#lastWarning() : undefined;
        throw new OperationError(
          `no pod of Job ${this.#name} has started within ${seconds} s: ${events ?? reason}`,
          { next: 'npm run manage -- rollout shows the state of the listener itself' },
        );
      }
      if (reason !== told) stderr.write(`Waiting for the pod of Job ${this.#name}: ${reason}\n`);
      told = reason;
      await clock.sleep(1_000);
    }
    return undefined;
  }

  /** Shows the log until the command has ended. @returns undefined when a signal came before */
  async #followed(pod: JobPod): Promise<ExitCode | undefined> {
    const { clock, stderr } = this.#context;
    let since: string | undefined;
    while (this.#signal() === undefined) {
      const shown = await this.#showLog(pod, since);
      since = clock.now().toISOString();
      // The kubelet reports the end of a container a moment after that of its log.
      const now = await this.#pod();
      const { terminated, running } = this.#stateOf(now);
      if (terminated !== undefined) {
        const { exitCode, reason } = terminated;
        const why = reason === 'Error' || reason === undefined ? '' : ` (${reason})`;
        if (exitCode !== 0) stderr.write(`The command ended with ${exitCode}${why}.\n`);
        return exitCode;
      }
      if (running === undefined) {
        if (this.#signal() !== undefined) return undefined;
        throw new OperationError(`${await this.#end()}; how its command ended is not known`, {
          next: 'check whether it did its work before you run it again',
        });
      }
      if (shown !== 0 && this.#signal() === undefined) {
        stderr.write('The log was interrupted and continues; some lines may be missing.\n');
      }
      await clock.sleep(BETWEEN_LOOKS_MS);
    }
    return undefined;
  }

  /** Ends the command by deleting its Job, and shows what it says to that. */
  async #interrupted(pod: JobPod | undefined): Promise<ExitCode> {
    const signal = this.#signal() ?? 'SIGTERM';
    this.#context.stderr.write(
      `${signal}: Job ${this.#name} is deleted, its command gets SIGTERM\n`,
    );
    const since = this.#context.clock.now().toISOString();
    await this.#delete();
    if (pod !== undefined) await this.#showLog(pod, since);
    await this.#kubectl.inNamespace([
      ...['wait', '--for=delete', `job/${this.#name}`, `--timeout=${LOST_SECONDS}s`],
    ]);
    return SIGNAL_EXIT_CODES[signal];
  }

  /** @returns the exit code of kubectl */
  async #showLog({ metadata }: JobPod, since: string | undefined): Promise<number> {
    const { code } = await this.#kubectl.inNamespace(
      [
        ...['logs', metadata.name, '--container', this.#container, '--follow'],
        ...(since === undefined ? [] : [`--since-time=${since}`]),
      ],
      { output: this.#options.output ?? 'stream' },
    );
    return code;
  }

  /** The pod of the Job; undefined where there is none. */
  async #pod(): Promise<JobPod | undefined> {
    const { clock } = this.#context;
    const selector = `batch.kubernetes.io/job-name=${this.#name}`;
    for (let waited = 0; ; waited++) {
      try {
        const { items } = await read<{ readonly items: readonly JobPod[] }>(this.#kubectl, [
          ...['get', 'pods', '--selector', selector, '--output', 'json'],
        ]);
        return items[0];
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        if (this.#signal() !== undefined) return undefined;
        if (waited < LOST_SECONDS) {
          await clock.sleep(1_000);
          continue;
        }
        this.#lost = true;
        throw new OperationError(
          `Job ${this.#name} can no longer be followed, but goes on: ${error.message}`,
          {
            next: `kubectl logs --follow job/${this.#name}; it is removed ${TTL_SECONDS / 60} minutes after its end`,
            code: EXIT.unavailable,
          },
        );
      }
    }
  }

  /** What the Job says of its end, where its pod is gone. */
  async #end(): Promise<string> {
    const { code, stdout } = await this.#kubectl.inNamespace([
      ...['get', 'job', this.#name, '--output', 'json'],
    ]);
    const conditions: readonly { type: string; message?: string }[] =
      code === 0 ? (JSON.parse(stdout).status?.conditions ?? []) : [];
    const failed = conditions.find(({ type }) => type.startsWith('Fail'));
    const reason = failed?.message ?? 'somebody deleted it, or its node is gone';
    return `the pod of Job ${this.#name} is gone: ${reason}`;
  }

  async #lastWarning(): Promise<string | undefined> {
    const { code, stdout } = await this.#kubectl.inNamespace([
      ...['get', 'events', '--field-selector', `involvedObject.name=${this.#name},type=Warning`],
      ...['--output', 'json'],
    ]);
    if (code !== 0) return undefined;
    const { items } = JSON.parse(stdout) as { readonly items: readonly { message?: string }[] };
    return items.at(-1)?.message;
  }

  async #delete(): Promise<void> {
    const hasFiles = this.#manifests.some(({ kind }) => kind === 'ConfigMap');
    const parameters = [
      ...['delete', hasFiles ? 'job,configmap' : 'job', this.#name, '--ignore-not-found'],
      ...['--cascade=foreground', '--wait=false'],
    ];
    let result = await this.#kubectl.inNamespace(parameters);
    // Ctrl-C may have ended kubectl.
    if (result.code !== 0) result = await this.#kubectl.inNamespace(parameters);
    if (result.code === 0) return;
    this.#context.stderr.write(
      `warning: Job ${this.#name} could not be deleted (${result.stderr.trim()}); Kubernetes removes it ${TTL_SECONDS / 60} minutes after its end\n`,
    );
  }

  #stateOf(pod: JobPod | undefined) {
    const statuses = pod?.status?.containerStatuses ?? [];
    return statuses.find(({ name }) => name === this.#container)?.state ?? {};
  }

  #waitingFor(pod: JobPod | undefined): string {
    if (pod === undefined) return 'there is none yet';
    const { reason, message } = this.#stateOf(pod).waiting ?? {};
    const said = [reason, message].filter(Boolean).join(': ');
    const unmet = pod.status?.conditions?.find((one) => one.status === 'False' && one.message);
    return said || (unmet?.message ?? 'it is being placed');
  }
}

async function read<T>(kubectl: Kubectl, parameters: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await kubectl.inNamespace(parameters);
  if (code === 0) return JSON.parse(stdout) as T;
  throw new OperationError(`kubectl ${parameters.slice(0, 2).join(' ')}: ${stderr.trim()}`, {
    next: 'npm run manage -- doctor',
    code: EXIT.unavailable,
  });
}
