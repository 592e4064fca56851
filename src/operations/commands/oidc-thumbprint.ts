import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTfvarsFile } from '../../settings/tfvars-file.ts';
import { replaceFile } from '../files.ts';
import { clusterIssuer, servedChain } from '../oidc/issuer.ts';
import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { targetOf } from '../target.ts';
import { withVariable } from '../tfvars-text.ts';

/** Options of `manage oidc-thumbprint`. */
export interface OidcThumbprintOptions {
  readonly issuer?: string;
  readonly caFile?: string;
  readonly write: boolean;
  readonly dryRun: boolean;
}

/**
 * `manage oidc-thumbprint`: SHA-1 of the last certificate that the issuer presents, which is what IAM
 * compares (IAM User Guide, "Obtain the thumbprint for an OpenID Connect identity provider").
 */
export const oidcThumbprint: Operation<OidcThumbprintOptions> = {
  name: 'oidc-thumbprint',
  summary:
    "show the cluster's issuer and its certificate thumbprint; optionally write it into the tfvars",
  describe: (command) =>
    command
      .option('--issuer <url>', "the issuer (default: the cluster's, from EKS)")
      .option(
        '--ca-file <file>',
        "PEM of the authority that signed the issuer's certificate (default: public ones)",
      )
      .option('--write', 'set oidc_thumbprint in file_processing.tfvars', false)
      .option('--dry-run', 'with --write: say what would be written, write nothing', false),
  execute: async (context, options) => {
    const { environment, clients } = targetOf(context, options);
    const { cluster_name, oidc_thumbprint } = environment.fileProcessing;
    const issuer = options.issuer ?? (await clusterIssuer(await clients.eks(), cluster_name));
    const chain = await servedChain(httpsUrl(issuer), authoritiesIn(options.caFile));
    const last = chain.at(-1);
    if (last === undefined) throw new OperationError(`${issuer} presented no certificate`);

    const { file } = readTfvarsFile(
      context.root,
      `environments/${environment.name}/file_processing.tfvars`,
    );
    const changes = options.write && oidc_thumbprint !== last.sha1;
    if (changes && !options.dryRun) {
      const path = join(context.root, file);
      const text = withVariable(file, readFileSync(path, 'utf8'), 'oidc_thumbprint', last.sha1);
      replaceFile(path, text);
    }
    const written = writtenText(options, changes, file);
    context.stdout.write(
      options.json
        ? `${JSON.stringify({ issuer, thumbprint: last.sha1, chain, written: changes && !options.dryRun }, null, 2)}\n`
        : [
            `issuer      ${issuer}`,
            `thumbprint  ${last.sha1}  (${last.subject}, the last of ${chain.length} certificates)`,
            ...written,
            '',
          ].join('\n'),
    );
    return EXIT.ok;
  },
};

function writtenText(
  { write, dryRun }: OidcThumbprintOptions,
  changes: boolean,
  file: string,
): readonly string[] {
  if (!write)
    return ['            AWS trusts its own issuers without it; --write puts it into the tfvars'];
  if (!changes) return [`unchanged   ${file} has it already`];
  return [
    dryRun ? `would set   oidc_thumbprint in ${file}` : `set         oidc_thumbprint in ${file}`,
  ];
}

function httpsUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:') {
    throw new OperationError(`--issuer ${text} is not an https URL`, { code: EXIT.usage });
  }
  return url;
}

function authoritiesIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperationError(`--ca-file ${file} can't be read`, { code: EXIT.usage, cause });
  }
}
