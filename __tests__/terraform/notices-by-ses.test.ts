import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutgoingMessage } from '../../listener/src/notices/outlet.ts';
import { sesOutlet } from '../../listener/src/notices/ses.ts';
import { Wording } from '../../listener/src/notices/wording.ts';
import { type AwsEmulator, startAwsEmulator } from './support/aws-emulator.ts';

const REGION = 'us-gov-west-1';
const MESSAGE: OutgoingMessage = {
  ...{
    id: '0b6c0f1e-58a1-4b0b-9a53-6a4dcb1b7a10',
    way: 'email' as const,
    target: 'ana@city.example',
  },
  ...{ noticeIds: [1], attempts: 1, notices: [], untold: 2 },
};

let emulator: AwsEmulator;
let client: SESv2Client;
beforeAll(async () => {
  emulator = await startAwsEmulator();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new SESv2Client({ region: REGION, endpoint: emulator.url, credentials });
});
afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
});

const send = (from: string) =>
  sesOutlet({ from, region: REGION }, new Wording(), client).send(
    MESSAGE,
    new AbortController().signal,
  );

test('SES takes a mail of an identity that is verified', async () => {
  await client.send(new CreateEmailIdentityCommand({ EmailIdentity: 'data@example.org' }));
  await emulator.query('ses', REGION, {
    ...{ Action: 'VerifyEmailIdentity', Version: '2010-12-01', EmailAddress: 'data@example.org' },
  });
  await expect(send('data@example.org')).resolves.toBeUndefined();
});

test('SES that refuses a sender who is not verified is told by what has to be done', async () => {
  await expect(send('other@elsewhere.example')).rejects.toThrow(
    /^SES: MessageRejected: the sender is not a verified identity of this region/,
  );
});
