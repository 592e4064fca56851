import { accessSync, constants, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '@file-processing/contract/make-folder.ts';
import { Command, CommanderError, Option } from 'commander';
import { DEFAULT_ENVIRONMENT } from '../src/settings/environment.ts';
import { SynthesizedFolderError } from '../src/synthesized/synthesized-stack.ts';
import {
  ACCEPTED_FOLDER,
  type AcceptedJson,
  digestOfFolders,
  readAccepted,
  writeAccepted,
} from './accepted.ts';
import { audit } from './audit.ts';
import { BASELINES, DEFAULT_BASELINE } from './controls.ts';
import { AuditError, EXIT, type ExitCode } from './errors.ts';
import { evidenceOf } from './evidence.ts';
import { FLOORS_FILE, readFloors, recordFloors, writeFloors } from './floors.ts';
import type { AuditResult } from './judge.ts';
import { reportOf, shownPath, summaryOf } from './report/summary.ts';
import { textReport } from './report/text-report.ts';
import { writeReports } from './report/write-reports.ts';
import { ALL_RULES } from './rules/all-rules.ts';
import type { Rule } from './rules/rule.ts';
import { findCheckov } from './scanners/checkov.ts';
import { signingKey, verifyReport } from './verify.ts';
import { SHORTEST_REASON } from './waivers.ts';

/** Where output goes. */
export interface Writer {
  write(text: string): unknown;
}

/** Everything that the command reaches the world by. */
export interface AuditContext {
  /** The checkout: it holds `main.ts`, `environments/` and `audit/`. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The result: a table, or JSON with `--json`. */
  readonly stdout: Writer;
  /** Errors. */
  readonly stderr: Writer;
  readonly now: () => Date;
  /** @default all rules of our own */
  readonly rules?: readonly Rule[];
}

interface Options {
  readonly environment?: readonly string[];
  readonly from?: string;
  readonly onlyRules: boolean;
  readonly requireScanners: boolean;
  readonly recordFloors: boolean;
  readonly lower: boolean;
  readonly accept: boolean;
  readonly owner?: string;
  readonly reason?: string;
  readonly withoutAccepted: boolean;
  readonly out: string;
  readonly json: boolean;
  readonly baseline: string;
  readonly note: readonly string[];
  readonly sign?: string;
}

/** How checkov is installed where the audit finds it, as messages and docs/audit.md say. */
const INSTALL_CHECKOV =
  'python3 -m venv .checkov && .checkov/bin/pip install --no-deps -r test-support/checkov/requirements.txt';

/**
 * Runs `npm run audit`.
 *
 * @param parameters - what follows the program's name
 * @returns the exit code; nothing is thrown
 */
export async function runAudit(
  parameters: readonly string[],
  context: AuditContext,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.green;
  const program = describe(context).action(async (options: Options) => {
    code = await auditAll(options, context);
  });
  program
    .command('verify <report>')
    .description('Computes the digests of a report anew from this checkout.')
    .option('--key <file>', 'PEM file of the public key that the report must be signed with')
    .action(async (path: string, { key }: { readonly key?: string }) => {
      code = await verify(path, key, context);
    });
  try {
    await program.parseAsync(parameters, { from: 'user' });
    return code;
  } catch (error) {
    return report(error, context);
  }
}

function describe({ env, stdout, stderr }: AuditContext): Command {
  return new Command('audit')
    .description('Audits the synthesized JSON: own rules, checkov, floors, waivers.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
    .addOption(
      new Option('--environment <name...>', 'folders below environments/').default(
        undefined,
        env.ENVIRONMENT || DEFAULT_ENVIRONMENT,
      ),
    )
    .option('--from <dir>', 'audit this folder (layout of cdktf.out), synthesize nothing')
    .option('--only-rules', 'leave checkov out', false)
    .option('--require-scanners', 'fail when checkov is not installed', false)
    .option('--out <dir>', 'folder for the reports', 'audit-report')
    .option('--json', 'print the report as JSON', false)
    .addOption(
      new Option('--baseline <name>', 'baseline whose controls the reports list')
        .choices(Object.keys(BASELINES))
        .default(DEFAULT_BASELINE),
    )
    .option('--accept', `accept the JSON as it is, in ${ACCEPTED_FOLDER}/<environment>`, false)
    .option('--owner <name>', 'who accepts it')
    .option('--reason <text>', 'why it is meant to be so')
    .option('--without-accepted', 'judge by the rules alone, whatever was accepted', false)
    .option('--sign <file>', 'sign report.json with this EC key on P-256 (PEM)')
    .option('--note <sentence...>', 'what readers of the reports must know beforehand', [])
    .option('--record-floors', 'write what was counted to audit/floors.json', false)
    .option('--lower', 'let --record-floors lower a floor', false)
    .addHelpText('after', HELP);
}

async function verify(
  report: string,
  key: string | undefined,
  { root, env, stdout, now }: AuditContext,
): Promise<ExitCode> {
  const compared = await verifyReport({ report, key, root, env, now: now() });
  const differing = compared.filter(({ recorded, found }) => recorded !== found);
  for (const { what, recorded, found } of differing) {
    stdout.write(`different  ${what}  recorded ${recorded}, here ${found ?? 'missing'}\n`);
  }
  if (key !== undefined) stdout.write('The signature was made with this key.\n');
  stdout.write(
    differing.length === 0
      ? `Verified: all ${compared.length} are the same.\n`
      : `Not verified: ${differing.length} of ${compared.length} differ, the others are the same.\n`,
  );
  return differing.length === 0 ? EXIT.green : EXIT.findings;
}

async function auditAll(options: Options, context: AuditContext): Promise<ExitCode> {
  refuseContradictions(options);
  const key = options.sign === undefined ? undefined : signingKey(options.sign, context.env);
  refuseUnwritable(options.out);
  const checkov = options.onlyRules ? undefined : findCheckov(context.root, context.env);
  if (checkov === undefined && options.requireScanners) {
    throw new AuditError('checkov is not installed', {
      next: INSTALL_CHECKOV,
      code: EXIT.unavailable,
    });
  }
  const today = context.now();
  const [audited, evidence] = await Promise.all([
    auditEach(options, checkov, context, today),
    evidenceOf(context.root, context.env, today),
  ]);
  const results = audited.map((result) => ({ ...result, evidence }));
  if (options.recordFloors) record(results, options, context);
  const refused = options.accept ? results.flatMap(refusals) : [];
  const judged =
    options.accept && refused.length === 0
      ? await withNewEvidence(accept(results, options, context), context, today)
      : results;
  const written = judged.map((result) => writeReports(options.out, result, key));
  context.stdout.write(
    options.json
      ? `${JSON.stringify(judged.map(reportOf), undefined, 2)}\n`
      : judged
          .map((result, at) => `${textReport(reportOf(result))}Report: ${written[at]}\n`)
          .join('\n'),
  );
  if (refused.length > 0) {
    throw new AuditError(
      `nothing was accepted, since other rules are red:\n${refused.join('\n')}`,
      {
        next: 'remove the faults, or waive each in audit/waivers.yaml; then accept',
        code: EXIT.findings,
      },
    );
  }
  return judged.every(({ findings }) => findings.length === 0) ? EXIT.green : EXIT.findings;
}

/** One environment after the other: each keeps all cores busy by itself. */
async function auditEach(
  options: Options,
  checkov: string | undefined,
  { root, env, rules = ALL_RULES }: AuditContext,
  now: Date,
): Promise<readonly AuditResult[]> {
  const { environment, from, onlyRules, out, recordFloors, baseline, withoutAccepted, accept } =
    options;
  const chosen = environment ?? [env.ENVIRONMENT || DEFAULT_ENVIRONMENT];
  const results: AuditResult[] = [];
  for (const name of from === undefined ? new Set(chosen) : [environment?.[0]]) {
    results.push(
      await audit({
        root,
        env,
        environment: name,
        from: from === undefined ? undefined : resolve(from),
        out,
        rules,
        checkov,
        floors: readFloors(join(root, FLOORS_FILE)),
        recording: recordFloors,
        now,
        baseline,
        // What is accepted now need not be what was, and that may be broken.
        withoutAccepted: withoutAccepted || accept,
        notes: [
          ...options.note,
          ...scannerNotes(onlyRules, checkov),
          ...(withoutAccepted ? ['What was accepted was left out by --without-accepted.'] : []),
        ],
      }),
    );
  }
  return results;
}

function refuseContradictions(options: Options): void {
  const { environment, from, onlyRules, requireScanners } = options;
  refuseHalfAcceptance(options);
  if (from !== undefined && (environment?.length ?? 0) > 1) {
    throw new AuditError('--from is one folder, so --environment must name one environment');
  }
  if (onlyRules && requireScanners) {
    throw new AuditError('--only-rules and --require-scanners exclude each other');
  }
}

function refuseHalfAcceptance(options: Options): void {
  const { accept, environment = [], owner, reason, withoutAccepted } = options;
  if (!accept && (owner !== undefined || reason !== undefined)) {
    throw new AuditError('--owner and --reason are of --accept');
  }
  if (!accept) return;
  const faults = [
    !owner?.trim() && '--owner is missing: name who accepts the JSON',
    (reason ?? '').trim().length < SHORTEST_REASON &&
      `--reason must be at least ${SHORTEST_REASON} characters long and say why the JSON is meant to be so`,
    ...environment
      .filter((name) => !/^\w[\w.-]*$/.test(name))
      .map((name) => `--environment ${name} can't be accepted: it is not the name of a folder`),
    withoutAccepted && '--accept and --without-accepted exclude each other',
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw new AuditError(faults.join('\n'));
}

/** What was accepted just now is one of the files that the verdict depends on. */
async function withNewEvidence(
  results: readonly AuditResult[],
  { root, env }: AuditContext,
  now: Date,
): Promise<readonly AuditResult[]> {
  const evidence = await evidenceOf(root, env, now);
  return results.map((result) => ({ ...result, evidence }));
}

/** Findings, a line each. */
function refusals({ environment, findings }: AuditResult): readonly string[] {
  return findings.map(({ rule, place }) => `  ${environment}: ${rule}  ${place}`);
}

/** The results after they were accepted, with who accepted what. */
function accept(
  results: readonly AuditResult[],
  { owner = '', reason = '' }: Options,
  { root }: AuditContext,
): readonly AuditResult[] {
  return results.map((result) => {
    const { environment, from, auditedAt, looks, evidence } = result;
    const inputs = [`environments/${environment}`, 'src', 'contract'].map((path) =>
      join(root, path),
    );
    const commit = evidence?.commit;
    const version =
      commit === undefined
        ? `unversioned, inputs SHA-256 ${digestOfFolders(from === undefined ? inputs : [from])}`
        : `${commit.id}${commit.cleanInputs ? '' : ' with uncommitted changes'}`;
    writeAccepted(root, environment, {
      look: looks[0],
      before: readable(root, environment),
      decision: {
        owner: owner.trim(),
        reason: reason.trim(),
        date: auditedAt.toISOString().slice(0, 10),
        version: from === undefined ? version : `${version}, JSON given in ${shownPath(from)}`,
        judgedBy: [...new Set(summaryOf(result).map(({ by }) => by))],
      },
    });
    return { ...result, acceptances: readAccepted(root, environment)?.acceptances };
  });
}

/** What is broken is accepted anew as a whole. */
function readable(root: string, environment: string): AcceptedJson | undefined {
  try {
    return readAccepted(root, environment);
  } catch (error) {
    if (error instanceof AuditError) return undefined;
    throw error;
  }
}

/** Before the synthesis, which takes most of the time. */
function refuseUnwritable(out: string): void {
  try {
    makeFolder(out);
    accessSync(out, constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AuditError(`${out} can't be written (${code})`, {
      next: '--out names another folder for the reports',
      cause,
    });
  }
}

function scannerNotes(onlyRules: boolean, checkov: string | undefined): readonly string[] {
  if (onlyRules) return ['checkov was left out by --only-rules; its waivers were not judged.'];
  if (checkov !== undefined) return [];
  return [`checkov is not installed; its waivers were not judged. To install: ${INSTALL_CHECKOV}`];
}

function record(results: readonly AuditResult[], { lower }: Options, { root }: AuditContext): void {
  const path = join(root, FLOORS_FILE);
  writeFloors(path, recordFloors(readFloors(path), results, lower));
}

/** Codes of a full disk, and of what is in the way of a file or folder. */
const UNWRITABLE = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EEXIST', 'EISDIR', 'ENOTDIR'];

function report(error: unknown, { stderr }: AuditContext): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.green : EXIT.usage;
  if (error instanceof AuditError) {
    stderr.write(`error: ${error.message}\n${error.next ? `next: ${error.next}\n` : ''}`);
    return error.code;
  }
  if (error instanceof SynthesizedFolderError) {
    stderr.write(`error: ${error.message}\n`);
    return EXIT.usage;
  }
  if (error instanceof Error && 'code' in error && UNWRITABLE.includes(String(error.code))) {
    stderr.write(`error: what the audit writes can't be written: ${error.message}\n`);
    return EXIT.usage;
  }
  stderr.write(`unexpected error: ${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.unexpected;
}

/** What follows the options in the help. */
const HELP = `\n${readFileSync(join(import.meta.dirname, 'help'), 'utf8')}`;
