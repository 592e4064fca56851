import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config.ts';

/**
 * JSON lines. Written at once, so that the last line before an exit is not lost.
 *
 * @param destination @default standard output
 */
export function createLogger(
  level: Config['logLevel'],
  destination: DestinationStream = pino.destination({ sync: true }),
): Logger {
  return pino({ level, timestamp: stdTimeFunctions.isoTime }, destination);
}
