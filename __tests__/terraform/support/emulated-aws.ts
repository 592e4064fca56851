import { awsClients } from '../../../src/operations/aws-clients.ts';
import type { OperationContext } from '../../../src/operations/operation.ts';
import type { AwsEmulator } from './aws-emulator.ts';

/** Clients for commands in this process: as the command wants them, but of the emulator. */
export function emulatedAws({ url }: AwsEmulator): OperationContext['aws'] {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return ({ region }) => awsClients({ region, profile: '', endpoint: url, credentials });
}
