import type { PolicyStatement } from './policy-document.ts';

/** Lets a cluster encrypt its secrets with a key. */
export function encryptSecrets(keyArn: string): readonly PolicyStatement[] {
  return [
    {
      Sid: 'EncryptSecrets',
      Effect: 'Allow',
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ListGrants', 'kms:DescribeKey'],
      Resource: keyArn,
    },
  ];
}
