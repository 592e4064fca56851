import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { partitionOf } from '@file-processing/contract/partition.ts';
import type { Target } from '../target.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/** Looks who is signed in, and whether that is in the region's partition. */
export async function credentialsDiagnosis({ clients, region, profile }: Target): Promise<{
  readonly credentials: Diagnosis;
  /** 12 digits; undefined while nobody is signed in. */
  readonly account: string | undefined;
}> {
  let account: string | undefined;
  const credentials = await diagnose('credentials', async () => {
    const sts = await clients.sts();
    const { Arn = '', Account } = await sts.send(new GetCallerIdentityCommand({}));
    const from = profile === '' ? 'the environment' : `profile ${profile}`;
    const partition = partitionOf(region).name;
    if (!Arn.startsWith(`arn:${partition}:`)) {
      return {
        state: 'red',
        found: `${Arn} by ${from} is of another partition than ${region} (${partition})`,
        next: 'name a profile of that partition by --profile, or correct aws_region',
      };
    }
    account = Account;
    return { state: 'ok', found: `${Arn} by ${from}, region ${region}` };
  });
  return { credentials, account };
}
