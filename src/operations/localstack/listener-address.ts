import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

/**
 * Checks the listener's host.
 *
 * @throws OperationError (usage)
 */
export function checkHost(host: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(host)) return host;
  throw new OperationError(
    `the host ${JSON.stringify(host)} is none: a name or an IPv4 address is needed, without scheme and port`,
    { code: EXIT.usage },
  );
}

/**
 * Checks the listener's port.
 *
 * @throws OperationError (usage)
 */
export function checkPort(port: string): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new OperationError(`the port ${JSON.stringify(port)} is none: 1 to 65535 is needed`, {
    code: EXIT.usage,
  });
}
