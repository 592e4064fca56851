import type { ConnectionOptions } from 'node:tls';
import type { DatabaseConfig } from '../config/database-config.ts';

/**
 * How a connection is protected. `require` encrypts and takes any certificate, as libpq does;
 * `verify-full` checks authority and host name (PostgreSQL manual, "SSL Support").
 */
export function tlsSettings(
  config: Pick<DatabaseConfig, 'sslMode' | 'sslAuthorities'>,
): false | ConnectionOptions {
  switch (config.sslMode) {
    case 'disable':
      return false;
    case 'require':
      return { rejectUnauthorized: false };
    case 'verify-full':
      return {
        rejectUnauthorized: true,
        ...(config.sslAuthorities === undefined ? {} : { ca: config.sslAuthorities }),
      };
  }
}
