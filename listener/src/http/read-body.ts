import type { IncomingMessage } from 'node:http';
import { ListenerError } from '../errors.ts';

/** Largest body in bytes: the 256 KiB of an SNS message, its envelope and JSON's escapes. */
export const BODY_LIMIT_BYTES = 320 * 1024;

/**
 * How much of a body that is too large is read and discarded before the answer. A client that is
 * still sending when the connection closes sees a reset instead of the answer.
 */
const DISCARD_BYTES = 1024 * 1024;
const DISCARD_MILLISECONDS = 1000;

/** Settings of {@link readBody}. */
export interface ReadBodyOptions {
  /** @default 320 KiB */
  readonly limitBytes?: number;
  /** Ends the reading, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a request's body as UTF-8.
 *
 * @throws ListenerError `body_too_large` without keeping more than the limit in memory,
 * `body_incomplete` or `body_not_json`
 */
export async function readBody(
  request: IncomingMessage,
  { limitBytes = BODY_LIMIT_BYTES, signal }: ReadBodyOptions = {},
): Promise<string> {
  const declared = Number(request.headers['content-length'] ?? 0);
  const body = declared > limitBytes ? undefined : await collect(request, limitBytes, signal);
  if (body === undefined) {
    if (declared <= limitBytes + DISCARD_BYTES) {
      await discard(request);
    }
    throw new ListenerError('body_too_large', { limitBytes });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new ListenerError('body_not_json', { reason: 'it is not UTF-8' });
  }
}

/** Undefined where there is more than the limit. */
function collect(
  request: IncomingMessage,
  limitBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;

    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limitBytes) {
        stop();
        resolve(undefined);
        return;
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(Buffer.concat(chunks));
    };
    const onClose = (): void => {
      stop();
      reject(new ListenerError('body_incomplete', { receivedBytes: length }));
    };
    const onAbort = (): void => {
      stop();
      reject(signal?.reason);
    };
    const stop = (): void => {
      request.pause();
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      signal?.removeEventListener('abort', onAbort);
    };

    if (signal?.aborted) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    request.on('end', onEnd).on('close', onClose).on('error', onClose).on('data', onData);
  });
}

function discard(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > DISCARD_BYTES) {
        stop();
      }
    };
    const stop = (): void => {
      clearTimeout(timer);
      request.pause();
      request.off('data', onData).off('end', stop).off('close', stop).off('error', stop);
      resolve();
    };
    const timer = setTimeout(stop, DISCARD_MILLISECONDS);
    request.on('data', onData).on('end', stop).on('close', stop).on('error', stop);
    request.resume();
  });
}
