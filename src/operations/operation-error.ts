/** Exit codes of `manage`; from 64 on their numbers are those of sysexits.h. */
export const EXIT = {
  /** Done, or nothing to do. */
  ok: 0,
  /** Something that the command ran, or checked, failed. */
  failed: 1,
  /** Usage or settings: nothing gets better by trying again. Terraform's `plan` uses it for "there are changes". */
  usage: 64,
  /** A tool, a service or the cluster could not be reached. */
  unavailable: 69,
  /** An error nobody foresaw. */
  unexpected: 70,
  /** Refused or declined: it would have done harm, or somebody said no. Nothing was changed. */
  refused: 77,
} as const;

/** One of {@link EXIT}, or the code of `plan` when there are changes: 2. */
export type ExitCode = number;

/** A command can't go on. The message says what is wrong; `next` says what to do about it. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: ExitCode;
  readonly next: string | undefined;

  /**
   * @param message - what is wrong, with the value and what is allowed; never a secret
   * @param options.next - what to do next, a sentence or a command
   * @param options.code - @default EXIT.failed
   */
  constructor(
    message: string,
    options: { readonly next?: string; readonly code?: ExitCode; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.next = options.next;
    this.code = options.code ?? EXIT.failed;
  }
}

/** Codes of Node.js for a service that can't be reached. */
const UNREACHABLE = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'TimeoutError',
];

/** An error of the AWS SDK as one that says what to do; undefined for any other error. */
export function asAwsError(error: unknown): OperationError | undefined {
  if (!(error instanceof Error)) return undefined;
  const options = { cause: error, code: EXIT.unavailable };
  if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError') {
    return new OperationError(`no AWS credentials: ${firstLine(error.message)}`, {
      ...options,
      next: 'sign in (aws sso login), or name a profile by --profile; --profile "" takes the credentials of the environment',
    });
  }
  if (/^(ExpiredToken|InvalidClientTokenId|UnrecognizedClient|RequestExpired)/.test(error.name)) {
    return new OperationError(`AWS refused the credentials: ${error.name}`, {
      ...options,
      next: 'sign in again (aws sso login), and check that the profile is of this partition',
    });
  }
  if (/^(AccessDenied|UnauthorizedOperation|AuthorizationError|Forbidden|403)/.test(error.name)) {
    return new OperationError(`AWS denied it: ${firstLine(error.message)}`, {
      ...options,
      code: EXIT.failed,
      next: 'npm run manage -- doctor shows who is signed in',
    });
  }
  const code = 'code' in error ? String(error.code) : error.name;
  if (UNREACHABLE.includes(code)) {
    return new OperationError(`AWS can't be reached: ${firstLine(error.message) || code}`, {
      ...options,
      next: 'check the network, the proxy and AWS_ENDPOINT_URL',
    });
  }
  if ('$metadata' in error) {
    return new OperationError(`AWS: ${error.name}: ${firstLine(error.message)}`, {
      ...options,
      code: EXIT.failed,
    });
  }
  return undefined;
}

/** Codes of a file or folder that this user may not write, or that is not one. */
const UNUSABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'EILSEQ'];

/** Their errors name no file. */
const FULL = ['ENOSPC', 'EDQUOT'];

/** An error of the file system that the user can put right; undefined for any other error. */
export function asFileError(error: unknown): OperationError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', path, syscall } = error as NodeJS.ErrnoException;
  if (FULL.includes(code)) {
    const next = 'free some of it, and try again';
    return new OperationError(`the disk is full (${code})`, { cause: error, next });
  }
  // Any folder can be made but where the system has no room for one, as in /proc.
  const isUnusable = UNUSABLE.includes(code) || (code === 'ENOENT' && syscall === 'mkdir');
  if (path === undefined || !isUnusable) return undefined;
  return new OperationError(`${path} can't be used (${code})`, {
    cause: error,
    next: 'check who owns it, and what this user may do there',
  });
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
