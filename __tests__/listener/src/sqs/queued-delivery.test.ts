import type { TrustedSource } from '@file-processing/contract/s3-event.ts';
import { describe, expect, it, vi } from 'vitest';
import { DatabaseUnavailableError } from '../../../../listener/src/database/errors.ts';
import { ListenerError } from '../../../../listener/src/errors.ts';
import {
  missingCertificates,
  queuedDelivery,
} from '../../../../listener/src/sqs/queued-delivery.ts';
import { collectingLogger, recordingIntake } from '../../support/sns-listener.ts';
import {
  confirmation,
  eventBridgeEvent,
  notification,
  s3Event,
  topicArn,
  topicOf,
} from '../../support/sns-messages.ts';

const SIGNATURE = { SignatureVersion: '2', Signature: 'AAAA', SigningCertURL: 'https://sns/c.pem' };
const body = (message: object = notification()) => JSON.stringify({ ...message, ...SIGNATURE });

const SENT_AT = new Date('2026-12-01T00:00:01Z');

/** Takes one message; the verifier believes what the test says. */
async function take(
  text: string,
  {
    verify = async () => topicOf(topicArn),
    intake = recordingIntake().intake,
    trustedSources = [] as readonly TrustedSource[],
    onNoCertificate = (_url: string) => {},
  } = {},
) {
  const { logger, lines } = collectingLogger();
  const outcomes: string[] = [];
  const metrics = {
    countQueued: (outcome: string) => outcomes.push(outcome),
    observeIntake: vi.fn(),
  };
  const handled = await queuedDelivery({
    verifier: { verify },
    intake,
    trustedSources,
    region: 'us-gov-west-1',
    logger,
    metrics,
    onNoCertificate,
  })({ body: text, id: 'queue-message', sentAt: SENT_AT });
  return { handled, outcomes, lines, intake };
}

describe('a message from the queue', () => {
  it('is done once it is recorded', async () => {
    const { handled, outcomes } = await take(body());
    expect([handled, outcomes]).toEqual(['done', ['accepted']]);
  });

  it('whose certificate could not be fetched says which one', async () => {
    const url = 'https://sns/c.pem';
    const onNoCertificate = vi.fn();
    const verify = () =>
      Promise.reject(new ListenerError('certificate_unavailable', { url, reason: 'refused' }));
    const { handled } = await take(body(), { verify, onNoCertificate });
    expect(handled).toBe('unavailable');
    expect(onNoCertificate.mock.calls).toEqual([[url]]);
  });

  it('that is ignored is done, and the log says why', async () => {
    const acceptNotification = async () =>
      ({ outcome: 'ignored', runIds: [], reason: 'another bucket' }) as const;
    const { handled, outcomes, lines } = await take(body(), {
      intake: recordingIntake({ acceptNotification }).intake,
    });
    expect([handled, outcomes]).toEqual(['done', ['ignored']]);
    expect(lines).toEqual([expect.objectContaining({ reason: 'another bucket' })]);
  });

  it('that could not be read is done, and an error of the log', async () => {
    const acceptNotification = async () =>
      ({ outcome: 'dead', runIds: [], reason: 'Records is not a list' }) as const;
    const { handled, outcomes, lines } = await take(body(), {
      intake: recordingIntake({ acceptNotification }).intake,
    });
    expect([handled, outcomes]).toEqual(['done', ['dead']]);
    expect(lines).toEqual([
      expect.objectContaining({ level: 50, reason: 'Records is not a list' }),
    ]);
  });

  it.each([
    ['that is not JSON', 'hello', 'body_not_json'],
    ['delivered raw, without a signature', s3Event(), 'envelope_invalid'],
    ['that asks for a confirmation', body(confirmation()), 'envelope_invalid'],
  ])('%s stays in the queue', async (_, text, code) => {
    const { handled, outcomes } = await take(text);
    expect([handled, outcomes]).toEqual(['kept', [code]]);
  });

  it('that is forged stays in the queue and is not recorded', async () => {
    const acceptNotification = vi.fn();
    const verify = async () => {
      throw new ListenerError('signature_invalid', { messageId: 'x' });
    };
    const { intake } = recordingIntake({ acceptNotification });
    const { handled, outcomes } = await take(body(), { verify, intake });
    expect([handled, outcomes]).toEqual(['kept', ['signature_invalid']]);
    expect(acceptNotification).not.toHaveBeenCalled();
  });

  it('waits for a certificate that can’t be fetched now', async () => {
    const verify = async () => {
      throw new ListenerError('certificate_unavailable', { url: 'u', reason: 'away' });
    };
    expect((await take(body(), { verify })).handled).toBe('unavailable');
  });

  it('is held where the database can’t record it now', async () => {
    const acceptNotification = async () => {
      throw new DatabaseUnavailableError('could not extend file: No space left on device');
    };
    const { intake } = recordingIntake({ acceptNotification });
    expect((await take(body(), { intake })).handled).toBe('unrecorded');
  });

  it('comes again after an error that nobody foresaw', async () => {
    const acceptNotification = async () => {
      throw new Error('a bug');
    };
    const { handled, outcomes, lines } = await take(body(), {
      intake: recordingIntake({ acceptNotification }).intake,
    });
    expect([handled, outcomes]).toEqual(['unavailable', ['intake_failed']]);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'message stays in the queue' }));
  });
});

describe('an event that nobody signed', () => {
  const BUCKET = 'etl-ba-research-client-etl';
  const trustedSources = [{ bucket: BUCKET, account: '123456789012' }];
  const fromS3 = s3Event('in/a.csv');
  const fromBridge = JSON.stringify(eventBridgeEvent());
  const testEvent = (bucket: string) => JSON.stringify({ Event: 's3:TestEvent', Bucket: bucket });
  const bridge = (changes: object) => JSON.stringify({ ...eventBridgeEvent(), ...changes });
  const records = (...names: readonly (string | undefined)[]) =>
    JSON.stringify({
      Records: names.map((name) => ({
        eventSource: 'aws:s3',
        s3: { bucket: { name }, object: { key: 'k' } },
      })),
    });

  it.each([
    ['of S3', fromS3],
    ['of EventBridge', fromBridge],
    ['of a test', testEvent(BUCKET)],
  ])('%s is recorded under the id of the queue where its bucket is trusted', async (_, text) => {
    const verify = vi.fn();
    const { intake, calls } = recordingIntake();
    const { handled, outcomes } = await take(text, { verify, intake, trustedSources });
    expect([handled, outcomes]).toEqual(['done', ['accepted']]);
    expect(calls).toEqual([`unsigned queue-message from arn:aws-us-gov:s3:::${BUCKET}`]);
    expect(verify).not.toHaveBeenCalled();
  });

  it.each([
    ['of S3', fromS3],
    ['of EventBridge', fromBridge],
    ['that names no time', records(BUCKET)],
  ])('%s is recorded under the time at which it was sent', async (_, text) => {
    const acceptUnsigned = vi.fn(async () => ({ outcome: 'accepted', runIds: [] }) as const);
    const { intake } = recordingIntake({ acceptUnsigned });
    await take(text, { intake, trustedSources });
    expect(acceptUnsigned).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ timestamp: SENT_AT }),
      expect.anything(),
    );
  });

  it.each([
    ['of S3', fromS3],
    ['of EventBridge', fromBridge],
  ])('%s is refused as it always was where no bucket is trusted', async (_, text) => {
    const { intake, calls } = recordingIntake();
    const { handled, outcomes } = await take(text, { intake });
    expect([handled, outcomes, calls]).toEqual(['kept', ['envelope_invalid'], []]);
  });

  it.each([
    ['of another bucket', records('other')],
    ['of another bucket behind a trusted one', records(BUCKET, 'other')],
    ['without a bucket', records(undefined)],
    ['of EventBridge of another account', bridge({ account: '210987654321' })],
    ['of EventBridge that names no account', bridge({ account: undefined })],
    ['of EventBridge whose account is not text', bridge({ account: 123456789012 })],
    ['of EventBridge of another bucket', bridge({ detail: { bucket: { name: 'other' } } })],
    ['of EventBridge without a bucket', bridge({ detail: { object: { key: 'k' } } })],
    ['of EventBridge without detail', bridge({ detail: null })],
    ['of a test of another bucket', testEvent('other')],
  ])('%s is refused', async (_, text) => {
    const { intake, calls } = recordingIntake();
    const { handled, outcomes } = await take(text, { intake, trustedSources });
    expect([handled, outcomes, calls]).toEqual(['kept', ['source_not_trusted'], []]);
  });

  it.each([
    ['of another service', bridge({ source: 'aws.s3.example' })],
    ['of our own making', JSON.stringify({ Records: [{ s3: { bucket: { name: BUCKET } } }] })],
    ['without records', JSON.stringify({ Records: [] })],
    ['in a list', `[${fromBridge}]`],
  ])('%s is not a message at all', async (_, text) => {
    expect((await take(text, { trustedSources })).outcomes).toEqual(['envelope_invalid']);
  });

  it('beside a message of SNS does not save it from being verified', async () => {
    const verify = async () => {
      throw new ListenerError('signature_invalid', { messageId: 'x' });
    };
    for (const event of [fromS3, fromBridge]) {
      const { intake, calls } = recordingIntake();
      const text = JSON.stringify({ ...JSON.parse(event), ...JSON.parse(body()) });
      const { outcomes } = await take(text, { verify, intake, trustedSources });
      expect([outcomes, calls]).toEqual([['signature_invalid'], []]);
    }
  });

  it('leaves signed messages as they were', async () => {
    const { intake, calls } = recordingIntake();
    expect((await take(body(), { intake, trustedSources })).handled).toBe('done');
    expect(calls).toEqual([expect.stringMatching(/^notification /)]);
  });
});

describe('certificates that are missing', () => {
  const MINUTE = 60_000;

  function given() {
    let now = 0;
    const answering = new Set<string>();
    const missing = missingCertificates(
      async (url) => answering.has(url),
      () => now,
    );
    return {
      missing,
      answering,
      later: (minutes: number) => {
        now += minutes * MINUTE;
      },
    };
  }

  it('keep nothing waiting as long as none was', async () => {
    expect(await given().missing.areWaitedFor()).toBe(false);
  });

  it('are waited for until each has an answer', async () => {
    const { missing, answering } = given();
    missing.note('a');
    missing.note('b');
    answering.add('a');
    expect(await missing.areWaitedFor()).toBe(true);
    answering.add('b');
    expect(await missing.areWaitedFor()).toBe(false);
  });

  it('are waited for 20 minutes, so that one never keeps the other messages waiting', async () => {
    const { missing, later } = given();
    missing.note('a');
    later(19);
    expect(await missing.areWaitedFor()).toBe(true);
    later(1);
    expect(await missing.areWaitedFor()).toBe(false);
    missing.note('a');
    expect(await missing.areWaitedFor()).toBe(false);
  });

  it('are waited for anew once they have answered', async () => {
    const { missing, answering, later } = given();
    missing.note('a');
    later(20);
    answering.add('a');
    await missing.areWaitedFor();
    answering.delete('a');
    missing.note('a');
    expect(await missing.areWaitedFor()).toBe(true);
  });
});
