import { describe, expect, it, vi } from 'vitest';
import { ListenerError } from '../../../../listener/src/errors.ts';
import { queuedDelivery } from '../../../../listener/src/sqs/queued-delivery.ts';
import { collectingLogger, recordingIntake } from '../../support/sns-listener.ts';
import {
  confirmation,
  notification,
  s3Event,
  topicArn,
  topicOf,
} from '../../support/sns-messages.ts';

const SIGNATURE = { SignatureVersion: '2', Signature: 'AAAA', SigningCertURL: 'https://sns/c.pem' };
const body = (message: object = notification()) => JSON.stringify({ ...message, ...SIGNATURE });

/** Takes one message; the verifier believes what the test says. */
async function take(
  text: string,
  { verify = async () => topicOf(topicArn), intake = recordingIntake().intake } = {},
) {
  const { logger, lines } = collectingLogger();
  const outcomes: string[] = [];
  const metrics = {
    countQueued: (outcome: string) => outcomes.push(outcome),
    observeIntake: vi.fn(),
  };
  const handled = await queuedDelivery({ verifier: { verify }, intake, logger, metrics })(text);
  return { handled, outcomes, lines, intake };
}

describe('a message from the queue', () => {
  it('is done once it is recorded', async () => {
    const { handled, outcomes } = await take(body());
    expect([handled, outcomes]).toEqual(['done', ['accepted']]);
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

  it('waits for a database that is unavailable', async () => {
    const acceptNotification = async () => {
      throw new Error('connection refused');
    };
    const { handled, outcomes, lines } = await take(body(), {
      intake: recordingIntake({ acceptNotification }).intake,
    });
    expect([handled, outcomes]).toEqual(['unavailable', ['intake_failed']]);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'message stays in the queue' }));
  });
});
