import { type ListMessageMoveTasksResultEntry, QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { describe, expect, it, vi } from 'vitest';
import { type AwsTarget, awsClients } from '../../../../src/operations/aws-clients.ts';
import type { OperationContext } from '../../../../src/operations/operation.ts';
import type { Runner } from '../../../../src/operations/runner.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { changeSettings } from '../../../terraform/support/change-settings.ts';

const TOPIC = 'file-processing-topic';
const DEAD = `${TOPIC}-dead-letter`;
const UNDELIVERED = `${TOPIC}-undelivered`;
const DELIVERIES = `${TOPIC}-deliveries`;
const ACCOUNT = '123456789012';
const arnOf = (queue: string) => `arn:aws-us-gov:sqs:us-gov-west-1:${ACCOUNT}:${queue}`;
const urlOf = (queue: string) => `https://sqs.us-gov-west-1.amazonaws.com/${ACCOUNT}/${queue}`;

const BY_QUEUE = { delivery: 'sqs', account_id: ACCOUNT };
const BY_BRIDGE = { ...BY_QUEUE, notification: 'eventbridge' };

type Move = ListMessageMoveTasksResultEntry;

interface Account {
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Messages in each dead-letter queue. */
  readonly held?: Readonly<Record<string, number>>;
  /** Queues whose dead-letter queue is {@link DEAD}. */
  readonly sources?: readonly string[];
  /** What ListMessageMoveTasks answers, look by look; the last one stays. */
  readonly moves?: readonly (readonly Move[])[];
  readonly start?: () => void;
  /** Exit code of the listener's command. */
  readonly drained?: number;
  readonly confirm?: OperationContext['confirm'];
}

/** Runs `manage sqs-redrive` against a played SQS, and a cluster whose Jobs end at once. */
async function redrive(
  parameters: readonly string[],
  {
    settings = {},
    held = { [DEAD]: 3 },
    sources = [DELIVERIES],
    moves = [[]],
    drained = 0,
    confirm = async () => true,
    ...account
  }: Account = {},
) {
  const root = temporaryRoot();
  changeSettings(root, settings);
  const calls: [name: string, input: Record<string, unknown>][] = [];
  const answers = [...moves];
  const send = async (command: { input: Record<string, unknown> }) => {
    const name = command.constructor.name.replace('Command', '');
    const { input } = command;
    const queue =
      String(input.QueueName ?? input.QueueUrl)
        .split('/')
        .at(-1) ?? '';
    switch (name) {
      case 'GetQueueUrl':
        if (held[queue] !== undefined) return { QueueUrl: urlOf(queue) };
        throw new QueueDoesNotExist({ message: 'none', $metadata: {} });
      case 'GetQueueAttributes':
        return { Attributes: { ApproximateNumberOfMessages: `${held[queue]}` } };
      case 'ListDeadLetterSourceQueues':
        return { queueUrls: sources.map(urlOf) };
      case 'ListMessageMoveTasks':
        return { Results: answers.length > 1 ? answers.shift() : answers[0] };
    }
    calls.push([name, input]);
    if (name === 'StartMessageMoveTask') account.start?.();
    return {};
  };
  const jobs: string[][] = [];
  const run: Runner = async (program, given, options) => {
    const answer = (value: object) => ({ code: 0, stdout: JSON.stringify(value), stderr: '' });
    if (program === 'aws' || !given.includes('get')) {
      if (given.includes('apply')) {
        const { items } = JSON.parse(options?.input ?? '');
        jobs.push(items.at(-1).spec.template.spec.containers[0].args);
      }
      return answer({});
    }
    if (!given.includes('pods')) return answer({ items: [DEPLOYMENT] });
    const state = { terminated: { exitCode: drained } };
    const pod = {
      metadata: { name: 'pod' },
      status: { containerStatuses: [{ name: 'main', state }] },
    };
    return answer({ items: [pod] });
  };
  const sts = { send: async () => ({ Account: ACCOUNT }) };
  const aws = (target: AwsTarget) => ({
    ...awsClients(target),
    ...({ sts: async () => sts, sqs: async () => ({ send }) } as object),
  });
  const waits: number[] = [];
  const clock = {
    now: () => new Date('2026-01-02T03:04:05Z'),
    sleep: async (milliseconds: number) => void waits.push(milliseconds),
  };
  const result = await manage(['sqs-redrive', '--profile', '', ...parameters], {
    ...{ root, run, aws, clock, confirm },
  });
  return { ...result, calls, jobs, waits };
}

const DEPLOYMENT = {
  kind: 'Deployment',
  metadata: { name: 'listener', namespace: 'file-processing' },
  spec: {
    template: {
      metadata: { labels: { app: 'listener' } },
      spec: { serviceAccountName: 'file-processing-sa', containers: [{ name: 'main' }] },
    },
  },
};

const STARTED = Date.parse('2026-01-02T03:00:00Z');
const move = (Status: string, moved: number, more: Partial<Move> = {}): Move => ({
  Status,
  ApproximateNumberOfMessagesMoved: moved,
  ApproximateNumberOfMessagesToMove: 3,
  StartedTimestamp: STARTED,
  ...more,
});

describe('the dead-letter queue of the delivery queue', () => {
  it('is moved back into it by SQS, and the move is followed to its end', async () => {
    const { code, out, err, calls, waits } = await redrive([], {
      settings: BY_QUEUE,
      moves: [[], [], [move('RUNNING', 1)], [move('RUNNING', 2)], [move('COMPLETED', 3)]],
    });
    expect(calls).toEqual([
      ['StartMessageMoveTask', { SourceArn: arnOf(DEAD), DestinationArn: arnOf(DELIVERIES) }],
    ]);
    expect(err).toContain(`${DEAD}: move running since 2026-01-02T03:00:00.000Z, 1 of 3 messages`);
    expect(out).toContain('move completed since 2026-01-02T03:00:00.000Z, 3 of 3 messages moved');
    expect(waits).toEqual([5_000, 5_000]);
    expect(code).toBe(0);
  });

  it('is moved at a rate', async () => {
    const settings = BY_QUEUE;
    const moves = [[], [], [move('COMPLETED', 3)]];
    const { calls } = await redrive(['--rate', '50'], { settings, moves });
    expect(calls[0]?.[1]).toMatchObject({ MaxNumberOfMessagesPerSecond: 50 });
  });

  it('is moved by one move: the one that runs is followed, without a question', async () => {
    const confirm = vi.fn();
    const { code, err, calls } = await redrive([], {
      settings: BY_QUEUE,
      confirm,
      moves: [[move('RUNNING', 1)], [move('RUNNING', 1)], [move('COMPLETED', 3)]],
    });
    expect(calls).toEqual([]);
    expect(confirm).not.toHaveBeenCalled();
    expect(err).toContain('a move is already running, at its own rate; following it');
    expect(code).toBe(0);
  });

  it('is moved by one move where somebody else was quicker', async () => {
    const { code } = await redrive([], {
      settings: BY_QUEUE,
      moves: [[], [], [move('RUNNING', 1)], [move('COMPLETED', 3)]],
      start: () => {
        throw Object.assign(new Error('active task'), { name: 'UnsupportedOperation' });
      },
    });
    expect(code).toBe(0);
  });

  it('does not take the move of before for its own', async () => {
    const before = move('FAILED', 7, { StartedTimestamp: STARTED - 1000 });
    const { code, out } = await redrive([], {
      settings: BY_QUEUE,
      moves: [[before], [before], [before], [before, move('COMPLETED', 3)]],
    });
    expect(out).toContain('3 of 3 messages moved');
    expect(code).toBe(0);
  });

  it('says why SQS gave up', async () => {
    const failed = move('FAILED', 1, { FailureReason: 'KMS.AccessDenied' });
    const { code, out } = await redrive([], { settings: BY_QUEUE, moves: [[], [], [failed]] });
    expect(out).toContain(
      '1 of 3 messages moved: KMS.AccessDenied; run the same command again to move',
    );
    expect(code).toBe(1);
  });

  it.each([
    ['0', 0],
    ['10', 69],
  ])('is left to SQS after --wait %s', async (wait, expected) => {
    const { code, out } = await redrive(['--wait', wait], {
      settings: BY_QUEUE,
      moves: [[], [], [move('RUNNING', 1)]],
    });
    expect(out).toContain('SQS continues; the same command keeps following it, --cancel ends it');
    expect(code).toBe(expected);
  });

  it('is refused where it is not that of the delivery queue', async () => {
    const { code, err, calls } = await redrive([], { settings: BY_QUEUE, sources: [] });
    expect(err).toContain(`refused: ${DEAD} is not the dead-letter queue of ${DELIVERIES}`);
    expect(calls).toEqual([]);
    expect(code).toBe(77);
  });

  it('is refused while a move is being cancelled', async () => {
    const { code, err } = await redrive([], {
      settings: BY_QUEUE,
      moves: [[move('CANCELLING', 1)]],
    });
    expect(err).toContain(`refused: a move out of ${DEAD} is being cancelled`);
    expect(code).toBe(77);
  });
});

describe('--cancel', () => {
  it('ends the move that runs, and waits for that', async () => {
    const running = move('RUNNING', 1, { TaskHandle: 'handle' });
    const { code, out, calls } = await redrive(['--cancel', '--json'], {
      settings: BY_QUEUE,
      moves: [[running], [move('CANCELLING', 1)], [move('CANCELLED', 2)]],
    });
    expect(calls).toEqual([['CancelMessageMoveTask', { TaskHandle: 'handle' }]]);
    expect(JSON.parse(out)).toMatchObject([{ queue: DEAD, moved: 2 }]);
    expect(code).toBe(0);
  });

  it('has nothing to end where no move runs', async () => {
    const moves = [[move('COMPLETED', 3)]];
    const { code, out, calls } = await redrive(['--cancel'], { settings: BY_QUEUE, moves });
    expect(out).toContain('no move runs');
    expect(calls).toEqual([]);
    expect(code).toBe(0);
  });

  it('says that SQS is not done with it', async () => {
    const { code, err } = await redrive(['--cancel', '--wait', '5'], {
      settings: BY_QUEUE,
      moves: [[move('CANCELLING', 1)]],
    });
    expect(err).toContain('after 5 s');
    expect(code).toBe(69);
  });
});

describe('a dead-letter queue that belongs to no source queue', () => {
  it('of a subscription over HTTP is read by the listener, in a Job', async () => {
    const { code, out, calls, jobs } = await redrive([]);
    expect(jobs).toEqual([['drain-queue', urlOf(DEAD)]]);
    expect(calls).toEqual([]);
    expect(out).toMatch(new RegExp(`${DEAD} +taken\n`));
    expect(code).toBe(0);
  });

  it('of a rule of EventBridge is read by the listener, and the other one is moved', async () => {
    const { code, out, calls, jobs } = await redrive(['--json'], {
      settings: BY_BRIDGE,
      held: { [DEAD]: 1, [UNDELIVERED]: 2 },
      moves: [[], [], [move('COMPLETED', 1)]],
    });
    expect(jobs).toEqual([['drain-queue', urlOf(UNDELIVERED)]]);
    expect(calls.map(([name]) => name)).toEqual(['StartMessageMoveTask']);
    expect(JSON.parse(out)).toMatchObject([
      { queue: DEAD, moved: 1 },
      { queue: UNDELIVERED, outcome: 'taken' },
    ]);
    expect(code).toBe(0);
  });

  it.each([
    [1, 'processed, except what the listener refused: its log above says why'],
    [69, "not everything was processed: the listener's drain-queue ended with 69"],
  ])('whose reader ends with %i makes that the exit code', async (drained, text) => {
    const { code, out } = await redrive([], { drained });
    expect(out).toContain(text);
    expect(code).toBe(drained);
  });
});

describe('manage sqs-redrive', () => {
  it('does nothing where nothing waits, and asks nothing', async () => {
    const confirm = vi.fn();
    const held = { [DEAD]: 0, [UNDELIVERED]: 0 };
    const { code, out, calls, jobs } = await redrive([], { settings: BY_BRIDGE, held, confirm });
    expect(out.match(/nothing waits/g)).toHaveLength(2);
    expect([calls, jobs]).toEqual([[], []]);
    expect(confirm).not.toHaveBeenCalled();
    expect(code).toBe(0);
  });

  it('asks first, with what waits', async () => {
    const questions: string[] = [];
    const { code, calls, jobs } = await redrive([], {
      confirm: async (question) => questions.push(question) === 0,
    });
    expect(questions).toEqual([
      `Process again what waits in ${DEAD}, 3 messages (3 waiting, 0 in flight, 0 delayed)?`,
    ]);
    expect([calls, jobs]).toEqual([[], []]);
    expect(code).toBe(77);
  });

  it('asks nothing with --auto-approve', async () => {
    const confirm = vi.fn();
    expect((await redrive(['--auto-approve'], { confirm })).jobs).toHaveLength(1);
    expect(confirm).not.toHaveBeenCalled();
  });

  it.each([
    ['the listener reads it', {}],
    [`to ${DELIVERIES}`, BY_QUEUE],
  ])('says by --dry-run what it would do: %s', async (text, settings) => {
    const { code, out, calls, jobs } = await redrive(['--dry-run'], { settings });
    expect(out).toContain(`${text}; dry run`);
    expect([calls, jobs]).toEqual([[], []]);
    expect(code).toBe(0);
  });

  it('works on one queue alone', async () => {
    const held = { [DEAD]: 1, [UNDELIVERED]: 2 };
    const { calls, jobs } = await redrive(['--queue', UNDELIVERED], { settings: BY_BRIDGE, held });
    expect(jobs).toHaveLength(1);
    expect(calls).toEqual([]);
  });

  it.each([
    [['--queue', DELIVERIES], `--queue ${DELIVERIES} is not a dead-letter queue of the stack`],
    [['--rate', '501'], 'A whole number from 1 to 500 is needed'],
    [['--rate', '0'], 'A whole number from 1 to 500 is needed'],
  ])('refuses %j', async (parameters, message) => {
    const { code, err } = await redrive(parameters);
    expect(err).toContain(message);
    expect(code).toBe(64);
  });

  it('says which queue is not there', async () => {
    const { code, err } = await redrive([], { held: {} });
    expect(err).toContain(`there is no ${DEAD}`);
    expect(code).toBe(1);
  });
});
