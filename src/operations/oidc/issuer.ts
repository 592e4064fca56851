import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type DetailedPeerCertificate } from 'node:tls';
import { DescribeClusterCommand, type EKSClient } from '@aws-sdk/client-eks';
import { EXIT, OperationError } from '../operation-error.ts';

/**
 * URL of a cluster's OIDC issuer.
 *
 * @throws OperationError when there is no such cluster, or it has no issuer
 */
export async function clusterIssuer(eks: EKSClient, cluster: string): Promise<string> {
  const answer = await eks.send(new DescribeClusterCommand({ name: cluster })).catch((cause) => {
    if (cause.name !== 'ResourceNotFoundException') throw cause;
    throw new OperationError(`there is no cluster ${cluster} in this account and region`, {
      next: 'deploy it by npm run manage -- apply, or name its issuer by --issuer',
      code: EXIT.failed,
      cause,
    });
  });
  const issuer = answer.cluster?.identity?.oidc?.issuer;
  if (issuer === undefined) throw new OperationError(`cluster ${cluster} has no OIDC issuer`);
  return issuer;
}

/** A certificate that a server presents. */
export interface ServedCertificate {
  /** Its common name, for people. */
  readonly subject: string;
  /** 40 hexadecimal digits in lower case, without colons, as IAM writes it. */
  readonly sha1: string;
}

const DEADLINE_MS = 10_000;

/**
 * The certificates that an HTTPS server presents, its own first. The connection is verified; the
 * root, which the server need not present, is not among them.
 *
 * @param authorities - PEM of the authorities to trust; @default those that Node.js trusts
 * @throws OperationError (EXIT.unavailable) when it can't be reached or verified
 */
export async function servedChain(
  url: URL,
  authorities?: string,
): Promise<readonly ServedCertificate[]> {
  const port = Number(url.port || 443);
  const servername = isIP(url.hostname) ? '' : url.hostname;
  const address = { host: url.hostname, port, servername };
  const [verified] = await chain({
    ...address,
    ...(authorities === undefined ? {} : { ca: authorities }),
  });
  // Node.js completes a chain from the authorities that it trusts. Without any, what is left is
  // what the server sent; that it is the same server shows in its own certificate.
  const served = await chain({ ...address, ca: [], rejectUnauthorized: false });
  if (served[0]?.sha1 !== verified?.sha1) {
    throw new OperationError(`${url.host} presented two different certificates; try again`, {
      code: EXIT.unavailable,
    });
  }
  return served;
}

function chain(options: ConnectionOptions): Promise<readonly ServedCertificate[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly ServedCertificate[]>();
  const socket = connect({ ...options, timeout: DEADLINE_MS }, () => {
    resolve(certificates(socket.getPeerCertificate(true)));
    socket.destroy();
  });
  socket.on('timeout', () => socket.destroy(new Error(`no answer within ${DEADLINE_MS / 1000} s`)));
  socket.on('error', (cause) => {
    reject(
      new OperationError(`${options.host}:${options.port}: ${cause.message}`, {
        next: 'check the network and proxy; where a proxy re-signs TLS, name its authority by --ca-file, but then the thumbprint is that of the proxy, and useless',
        code: EXIT.unavailable,
        cause,
      }),
    );
  });
  return promise;
}

function certificates(leaf: DetailedPeerCertificate): readonly ServedCertificate[] {
  const found: ServedCertificate[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  while (certificate?.fingerprint) {
    const { subject, fingerprint, issuerCertificate }: DetailedPeerCertificate = certificate;
    found.push({
      subject: String(subject?.CN ?? subject?.O ?? 'without a name'),
      sha1: fingerprint.replaceAll(':', '').toLowerCase(),
    });
    certificate = issuerCertificate === certificate ? undefined : issuerCertificate;
  }
  return found;
}
