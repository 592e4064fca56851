import { Signer } from '@aws-sdk/rds-signer';
import type { DatabaseConfig } from '../config/database-config.ts';

/**
 * Makes the passwords of IAM database authentication: each is good for 15 minutes to sign in, so a
 * new connection needs a new one. It is signed on this machine; RDS is not asked.
 * Source: Amazon RDS User Guide, "IAM database authentication".
 *
 * @param region - of the database
 */
export function iamTokens(
  { host, port, user }: Pick<DatabaseConfig, 'host' | 'port' | 'user'>,
  region: string,
): () => Promise<string> {
  const signer = new Signer({ hostname: host, port, username: user, region });
  return () => signer.getAuthToken();
}
