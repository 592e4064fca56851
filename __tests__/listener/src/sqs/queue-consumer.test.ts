import { once } from 'node:events';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  drainQueue,
  type Handled,
  type QueueConsumerOptions,
  type QueuedMessage,
  queueClient,
  startQueueConsumer,
} from '../../../../listener/src/sqs/queue-consumer.ts';
import { eventually } from '../../../support/eventually.ts';
import { type SqsServer, startSqsServer } from '../../support/sqs-server.ts';

let sqs: SqsServer;
let client: SQSClient;
beforeEach(async () => {
  sqs = await startSqsServer();
  client = clientOf(sqs);
});
afterEach(async () => {
  client.destroy();
  await sqs.close();
});

function clientOf({ origin: endpoint }: SqsServer): SQSClient {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return new SQSClient({ region: 'us-gov-west-1', endpoint, credentials, maxAttempts: 1 });
}

function consume(
  handle: (body: string, message: QueuedMessage) => Promise<Handled>,
  options: Partial<QueueConsumerOptions> = {},
) {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const queueUrl = sqs.queueUrl;
  const consumer = startQueueConsumer({
    client,
    queueUrl,
    handle: (message) => handle(message.body, message),
    onError,
    pause: async () => {},
    ...options,
  });
  onTestFinished(() => consumer.stop());
  return { consumer, errors };
}

describe('the consumer of a queue', () => {
  it('deletes what is handled', async () => {
    const handled: string[] = [];
    consume(async (body) => {
      handled.push(body);
      return 'done';
    });
    for (const body of ['a', 'b', 'c']) sqs.send(body);
    await eventually(() => expect(sqs.waiting()).toEqual([]));
    expect(handled.sort()).toEqual(['a', 'b', 'c']);
  });

  it('leaves what is not, and takes the others', async () => {
    const { errors } = consume(async (body) => (body === 'bad' ? 'kept' : 'done'));
    for (const body of ['a', 'bad', 'c']) sqs.send(body);
    await eventually(() => expect(sqs.waiting()).toEqual(['bad']));
    expect(errors).toEqual([]);
  });

  it('takes a message when it comes again', async () => {
    let away = true;
    const handle = vi.fn(async (): Promise<Handled> => (away ? 'unavailable' : 'done'));
    consume(handle);
    sqs.send('a');
    await eventually(() => expect(handle).toHaveBeenCalledOnce());
    expect(sqs.waiting()).toEqual(['a']);
    away = false;
    sqs.showAgain();
    await eventually(() => expect(sqs.waiting()).toEqual([]));
  });

  it('says the same id and time of a message each time it comes', async () => {
    const sentAt = new Date('2026-11-30T23:59:59.999Z');
    const taken: QueuedMessage[] = [];
    consume(async (_, message) => (taken.push(message) === 1 ? 'kept' : 'done'));
    sqs.send('a', sentAt);
    await eventually(() => expect(taken).toHaveLength(1));
    sqs.showAgain();
    await eventually(() => expect(taken).toHaveLength(2));
    expect(taken[0]).toEqual({ body: 'a', id: expect.any(String), sentAt });
    expect(taken[1]).toEqual(taken[0]);
  });

  it('fetches nothing for longer and longer while what it needs is unavailable', async () => {
    const pauses: number[] = [];
    const fetchesBefore: number[] = [];
    const pause = async (milliseconds: number) => {
      pauses.push(milliseconds);
      fetchesBefore.push(sqs.actions.length);
      sqs.showAgain();
    };
    consume(async () => (pauses.length < 8 ? 'unavailable' : 'done'), { fetchers: 1, pause });
    sqs.send('a');
    await eventually(() => expect(sqs.waiting()).toEqual([]));
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(fetchesBefore).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('asks what is unavailable, not the queue, until it is there again', async () => {
    let asked = 0;
    const isReady = async () => {
      asked += 1;
      if (asked === 5) sqs.showAgain();
      return asked === 5;
    };
    const fetches: number[] = [];
    const handle = vi.fn(async (): Promise<Handled> => (asked === 5 ? 'done' : 'unavailable'));
    const pause = async () => void fetches.push(sqs.actions.length);
    consume(handle, { fetchers: 1, isReady, pause });
    sqs.send('a');
    await eventually(() => expect(sqs.waiting()).toEqual([]));
    expect(fetches).toEqual([1, 1, 1, 1, 1]);
    expect(handle).toHaveBeenCalledTimes(2);
  });

  it('asks too, after a fetch that brought nothing, before it takes what another one could not record', async () => {
    const impatient = await startSqsServer({ waits: false });
    let isThere = false;
    let asked = 0;
    const isReady = async () => {
      asked += 1;
      if (asked === 1) impatient.send('a');
      if (asked === 5) isThere = true;
      return isThere;
    };
    const handle = vi.fn(async (): Promise<Handled> => (isThere ? 'done' : 'unavailable'));
    const { queueUrl } = impatient;
    const options = { client: clientOf(impatient), queueUrl, isReady, fetchers: 1 };
    const { consumer } = consume(handle, options);
    await eventually(() => expect(handle).toHaveBeenCalled());
    await consumer.stop();
    await impatient.close();
    expect(handle).toHaveBeenCalledTimes(1);
    expect(impatient.mostReceives()).toBe(1);
    expect(asked).toBeGreaterThanOrEqual(5);
  });

  it('holds what a database did not record that answers all the same, so that no fetch counts', async () => {
    let tries = 0;
    const pauses: number[] = [];
    const pause = async (milliseconds: number) => void pauses.push(milliseconds);
    const handle = async (): Promise<Handled> => {
      tries += 1;
      return tries < 8 ? 'unrecorded' : 'done';
    };
    consume(handle, { fetchers: 1, isReady: async () => true, pause });
    sqs.send('a');
    await eventually(() => expect(sqs.waiting()).toEqual([]));
    expect(sqs.actions.filter((action) => action === 'DeleteMessageBatch')).toHaveLength(1);
    expect(sqs.mostReceives()).toBe(1);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
  });

  it('tries one of those that it holds, and the others once that one is recorded', async () => {
    let full = true;
    const handled: string[] = [];
    const pause = async () => {
      if (handled.length === 5) full = false;
    };
    const handle = async (body: string): Promise<Handled> => {
      handled.push(body);
      return full ? 'unrecorded' : 'done';
    };
    for (const body of ['a', 'b', 'c']) sqs.send(body);
    consume(handle, { fetchers: 1, pause });
    await eventually(() => expect(sqs.waiting()).toEqual([]));
    expect(handled).toEqual(['a', 'b', 'c', 'a', 'a', 'a', 'b', 'c']);
  });

  it('lets go what the database refuses while it records others, so that SQS counts it', async () => {
    const handle = async (body: string): Promise<Handled> =>
      body === 'bad' ? 'unrecorded' : 'done';
    for (const body of ['bad', 'a']) sqs.send(body);
    consume(handle, { fetchers: 2 });
    await eventually(() => {
      sqs.send('more');
      sqs.showAgain();
      expect(sqs.mostReceives()).toBeGreaterThan(2);
    });
  });

  it('leaves what it holds to SQS when it stops', async () => {
    const pausing = Promise.withResolvers<void>();
    const pause = async (_: number, signal: AbortSignal) => {
      pausing.resolve();
      if (!signal.aborted) await once(signal, 'abort');
    };
    const { consumer } = consume(async () => 'unrecorded', { pause });
    sqs.send('a');
    await pausing.promise;
    await consumer.stop();
    expect([sqs.waiting(), sqs.hidden()]).toEqual([['a'], ['a']]);
  });

  it('reports an error of SQS and goes on', async () => {
    sqs.failNext('ReceiveMessage');
    const { errors } = consume(async () => 'done', { fetchers: 1 });
    sqs.send('a');
    await eventually(() => expect(sqs.waiting()).toEqual([]));
    expect(errors).toHaveLength(1);
  });

  it('reports what could not be deleted, which comes again', async () => {
    sqs.failNext('DeleteMessageBatch');
    const { errors } = consume(async () => 'done');
    sqs.send('a');
    await eventually(() => expect(errors).toHaveLength(1));
    expect(sqs.waiting()).toEqual(['a']);
  });

  it('handles and deletes what it has fetched before it stops', async () => {
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const { consumer } = consume(async () => {
      started.resolve();
      await finish.promise;
      return 'done';
    });
    sqs.send('a');
    await started.promise;
    const stopped = consumer.stop();
    finish.resolve();
    await stopped;
    expect(sqs.waiting()).toEqual([]);
  });

  it('stops in the middle of a long poll without an error', async () => {
    const { consumer, errors } = consume(async () => 'done');
    await eventually(() => expect(sqs.actions).toEqual(['ReceiveMessage', 'ReceiveMessage']));
    await consumer.stop();
    expect(errors).toEqual([]);
  });
});

it.each([
  [false, undefined, 'sqs.us-east-1.amazonaws.com'],
  [true, undefined, 'sqs-fips.us-east-1.amazonaws.com'],
  [false, 'http://127.0.0.1:4566', '127.0.0.1'],
])(
  'with FIPS %s and the endpoint %s messages are fetched from %s',
  async (fips, endpoint, host) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const client = queueClient({ region: 'us-east-1', endpoint, fips });
    let called = '';
    client.middlewareStack.add(
      () => async (args) => {
        called = (args.request as { hostname: string }).hostname;
        throw new Error('not sent');
      },
      { step: 'deserialize', priority: 'low' },
    );
    const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/123456789012/deliveries';
    await expect(client.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toThrow('not sent');
    expect(called).toBe(host);
  },
);

describe('a queue that is drained', () => {
  /** Drains a queue that answers at once when it is empty. */
  async function drained(
    bodies: readonly string[],
    handle: (body: string, queue: SqsServer) => Promise<Handled>,
    { fail = [] as readonly string[], signal = new AbortController().signal } = {},
  ) {
    const queue = await startSqsServer({ waits: false });
    onTestFinished(() => queue.close());
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const settings = { region: 'us-gov-west-1', endpoint: queue.origin, maxAttempts: 1 };
    const own = new SQSClient({ ...settings, credentials });
    onTestFinished(() => own.destroy());
    for (const body of bodies) queue.send(body);
    for (const action of fail) queue.failNext(action);
    const errors: unknown[] = [];
    const result = await drainQueue({
      client: own,
      queueUrl: queue.queueUrl,
      handle: ({ body }) => handle(body, queue),
      onError: (error) => errors.push(error),
      signal,
    });
    return { ...result, errors, queue };
  }
  const many = Array.from({ length: 25 }, (_, index) => `message ${index}`);

  it('is empty afterwards', async () => {
    const { taken, kept, end, queue } = await drained(many, async () => 'done');
    expect([taken, kept, end]).toEqual([25, 0, 'empty']);
    expect(queue.waiting()).toEqual([]);
  });

  it('keeps what is refused, handles it once and shows it again', async () => {
    const handled: string[] = [];
    const { taken, kept, end, queue } = await drained(many, async (body, queueOf) => {
      handled.push(body);
      queueOf.showAgain();
      return /[05]$/.test(body) ? 'kept' : 'done';
    });
    expect([taken, kept, end]).toEqual([20, 5, 'empty']);
    expect(handled.toSorted()).toEqual(many.toSorted());
    expect(queue.hidden()).toEqual([]);
    expect(queue.waiting()).toHaveLength(5);
  });

  it('keeps all that is left as soon as what messages need is unavailable', async () => {
    const handle = vi.fn(async (body: string): Promise<Handled> => {
      return body === 'message 3' ? 'unavailable' : 'done';
    });
    const { taken, kept, end, queue } = await drained(many, handle);
    expect([taken, kept, end]).toEqual([9, 1, 'unavailable']);
    expect(handle).toHaveBeenCalledTimes(10);
    expect(queue.hidden()).toEqual([]);
    expect(queue.waiting()).toHaveLength(16);
  });

  it('handles what it has fetched when it is stopped, and fetches no more', async () => {
    const stopping = new AbortController();
    const { taken, end, queue } = await drained(
      many,
      async () => {
        stopping.abort();
        return 'done';
      },
      { signal: stopping.signal },
    );
    expect([taken, end]).toEqual([10, 'stopped']);
    expect(queue.waiting()).toHaveLength(15);
  });

  it('shows at once what it had fetched when it was stopped meanwhile', async () => {
    const handle = vi.fn();
    const { taken, end, queue } = await drained(['a'], handle, { signal: AbortSignal.abort() });
    expect([taken, end]).toEqual([0, 'stopped']);
    expect(queue.hidden()).toEqual([]);
    expect(handle).not.toHaveBeenCalled();
  });

  it('counts what SQS did not delete', async () => {
    const fail = ['DeleteMessageBatch'];
    const { taken, undeleted, errors } = await drained(['a'], async () => 'done', { fail });
    expect([taken, undeleted, errors.length]).toEqual([0, 1, 1]);
  });

  it('throws what SQS answers instead of messages', async () => {
    const draining = drained(['a'], async () => 'done', { fail: ['ReceiveMessage'] });
    await expect(draining).rejects.toThrow(expect.objectContaining({ name: 'QueueDoesNotExist' }));
  });
});
