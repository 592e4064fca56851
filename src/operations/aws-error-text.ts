import { EXIT } from './exit-codes.ts';
import { OperationError } from './operation-error.ts';

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
      next: 'sign in (aws sso login), or name a profile by --profile; --profile "" takes the environment’s credentials',
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

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
