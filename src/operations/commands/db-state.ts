import { InvalidArgumentError } from 'commander';
import { waitOption, withConsentOptions } from '../command-options.ts';
import {
  type DatabaseTarget,
  databaseTarget,
  requireDatabase,
  waitForStatus,
} from '../database/database.ts';
import type { CommonOptions, Operation, OperationContext } from '../operation.ts';
import { EXIT, type ExitCode, OperationError } from '../operation-error.ts';
import { textTable } from '../text-table.ts';

interface WaitOptions {
  /** Seconds. */
  readonly wait: number;
}

interface StopOptions extends WaitOptions {
  readonly autoApprove: boolean;
  readonly dryRun: boolean;
}

/** What AWS does by itself to a database that is stopped. */
const SEVEN_DAYS =
  'AWS starts it again after seven days, and bills its storage and backups until then; db-stop stops it anew.\n';

/** `manage db-start`: starts the database on demand. */
export const dbStart: Operation<WaitOptions> = {
  name: 'db-start',
  summary: 'start the database on demand, and wait for it',
  describe: (command) => command.addOption(waitOption('how long the start may take')),
  execute: async (context, options) => {
    const target = await databaseTarget(context, options);
    return await move(context, options, target, {
      wanted: 'available',
      underWay: 'starting',
      from: 'stopped',
      act: target.api.start,
    });
  },
};

/** `manage db-stop`: stops the database on demand. */
export const dbStop: Operation<StopOptions> = {
  name: 'db-stop',
  summary: 'stop the database on demand, and wait for it; AWS starts it again after seven days',
  describe: (command) =>
    withConsentOptions(command)
      .addOption(waitOption('how long the stop may take'))
      .addHelpText(
        'after',
        `
Meanwhile the listener accepts nothing: SNS tries again for as long as its retries say, then
messages go to the dead-letter queue; with delivery = "sqs" they wait in the queue.
An instance keeps its address and its size. An Aurora cluster stops with all its instances.
${SEVEN_DAYS}`,
      ),
  execute: async (context, options) => {
    const target = await databaseTarget(context, options);
    const code = await move(context, options, target, {
      wanted: 'stopped',
      underWay: 'stopping',
      from: 'available',
      act: target.api.stop,
      question: `Stop ${target.identifier}? The listener accepts no messages until it is started.`,
      dryRun: options.dryRun,
      autoApprove: options.autoApprove,
    });
    if (!options.dryRun) context.stderr.write(SEVEN_DAYS);
    return code;
  },
};

interface Move {
  readonly wanted: string;
  readonly underWay: string;
  /** The one status that it starts from. */
  readonly from: string;
  readonly act: () => Promise<void>;
  readonly question?: string;
  readonly dryRun?: boolean;
  readonly autoApprove?: boolean;
}

/** Moves the database from one status to another, and says nothing has to be done where that is so. */
async function move(
  context: OperationContext,
  options: WaitOptions & CommonOptions,
  target: DatabaseTarget,
  { wanted, underWay, from, act, question, dryRun = false, autoApprove = true }: Move,
): Promise<ExitCode> {
  const { api, identifier } = target;
  const { status } = await requireDatabase(target);
  if (status !== wanted && status !== underWay && status !== from) {
    throw new OperationError(`${identifier} is ${status}; it must be ${from}`, {
      next: 'wait until AWS is done with it, then run the command again',
      code: EXIT.refused,
    });
  }
  const changes = status === from;
  if (changes && !dryRun) {
    if (question !== undefined && !autoApprove) await requireYes(context, question);
    await act();
  }
  if (status !== wanted && !dryRun) {
    const ask = async () => (await api.find(identifier))?.status;
    await waitForStatus(context, identifier, ask, wanted, options.wait);
  }
  const report = { identifier, status: dryRun ? status : wanted, changed: changes && !dryRun };
  if (options.json) context.stdout.write(`${JSON.stringify(report)}\n`);
  const done = changes ? 'now' : 'already';
  context.stderr.write(
    dryRun
      ? `Dry run: ${identifier} is ${status}, and stays so.\n`
      : `${identifier} is ${done} ${wanted}.\n`,
  );
  return EXIT.ok;
}

/** @throws OperationError (EXIT.refused) */
export async function requireYes({ confirm }: OperationContext, question: string): Promise<void> {
  if (await confirm(question)) return;
  throw new OperationError('declined; nothing was changed', {
    next: '--auto-approve goes on without asking',
    code: EXIT.refused,
  });
}

interface SnapshotOptions extends WaitOptions {
  readonly list: boolean;
}

/** `manage db-snapshot`: makes a snapshot of the database on demand, or lists them. */
export const dbSnapshot: Operation<SnapshotOptions> = {
  name: 'db-snapshot',
  summary: 'create a snapshot of the database on demand, and wait until it is complete',
  describe: (command) =>
    command
      .argument('[name]', 'its name (default: the name of the database, and the time)', checkName)
      .option('--list', 'list the snapshots of the database, create none', false)
      .addOption(waitOption('how long it may take')),
  execute: async (context, options, operand) => {
    const target = await databaseTarget(context, options);
    if (options.list) return await listSnapshots(context, options, target);
    const { api, identifier } = target;
    const { status } = await requireDatabase(target);
    if (status !== 'available') {
      throw new OperationError(
        `${identifier} is ${status}: snapshots can be made only of an available database`,
        {
          next: 'npm run manage -- db-start',
          code: EXIT.refused,
        },
      );
    }
    const name = operand ?? `${identifier}-${timeIn(context.clock.now())}`;
    await api.snapshot(name);
    const ask = async () => (await api.snapshotNamed(name))?.status;
    await waitForStatus(context, `snapshot ${name}`, ask, 'available', options.wait);
    context.stdout.write(options.json ? `${JSON.stringify({ snapshot: name })}\n` : `${name}\n`);
    context.stderr.write(
      `It stays until somebody deletes it; npm run manage -- db-restore ${name} goes back to it.\n`,
    );
    return EXIT.ok;
  },
};

async function listSnapshots(
  { stdout }: OperationContext,
  { json }: CommonOptions,
  { api }: DatabaseTarget,
): Promise<ExitCode> {
  const snapshots = await api.snapshots();
  const rows = snapshots.map(({ name, created, status, type }) => [
    name,
    created?.toISOString() ?? '-',
    status,
    type,
  ]);
  stdout.write(
    json
      ? `${JSON.stringify(snapshots, undefined, 2)}\n`
      : textTable([['name', 'created', 'status', 'type'], ...rows]),
  );
  return EXIT.ok;
}

/** A time as a part of a name: 20260102-030405. */
export function timeIn(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}

function checkName(name: string): string {
  if (name.length <= 255 && /^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$/.test(name)) return name;
  throw new InvalidArgumentError(
    '1 to 255 letters, digits and single hyphens, starting with a letter, are needed.',
  );
}
