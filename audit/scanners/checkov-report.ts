import { basename } from 'node:path';

/** Views of a stack that checkov reads, by its names. */
export const FRAMEWORKS = ['terraform_plan', 'kubernetes'] as const;

/** One of {@link FRAMEWORKS}. */
export type Framework = (typeof FRAMEWORKS)[number];

/** One verdict of checkov. */
export interface CheckovCheck {
  readonly framework: Framework;
  readonly id: string;
  readonly name: string;
  /** Address of the Terraform resource. */
  readonly address: string;
  readonly passed: boolean;
}

/** What checkov said of one stack. */
export interface CheckovReport {
  readonly version: string;
  readonly checks: readonly CheckovCheck[];
  /** Addresses of the resources that it read, by view. */
  readonly seen: Readonly<Record<Framework, readonly string[]>>;
  readonly parsingErrors: readonly string[];
  /** Checks that an annotation, a comment or a configuration file switched off. */
  readonly skipped: readonly string[];
}

/** Id of the check in `audit/checkov/roll-call.yaml`. */
const ROLL_CALL = 'CKV2_ROLL_CALL';

interface RawCheck {
  readonly check_id: string;
  readonly check_name: string;
  readonly file_path: string;
  readonly file_abs_path: string;
  readonly resource: string;
}

interface RawReport {
  readonly check_type?: string;
  readonly results?: {
    readonly passed_checks?: readonly RawCheck[];
    readonly failed_checks?: readonly RawCheck[];
    readonly skipped_checks?: readonly RawCheck[];
    readonly parsing_errors?: readonly string[];
  };
  readonly summary?: {
    readonly checkov_version?: string;
    readonly passed?: number;
    readonly failed?: number;
    readonly skipped?: number;
    readonly parsing_errors?: number;
  };
  readonly checkov_version?: string;
}

/**
 * Reads checkov's JSON, and gives each folder what was said of its files. It is one report, a list of
 * them, or bare counts where checkov saw nothing. A manifest's file is named after the address of its
 * resource (see writeViews), so what checkov says of an object, or of the pod that an object
 * makes, leads back to the resource.
 *
 * @param folders - absolute paths, none in another
 * @returns the reports in the order of the folders
 * @throws SyntaxError when the text is not JSON, speaks of files elsewhere, or lists less than its summary counts
 */
export function readCheckovReports(
  text: string,
  folders: readonly string[],
): readonly CheckovReport[] {
  const parsed = JSON.parse(text) as RawReport | readonly RawReport[];
  const reports = Array.isArray(parsed) ? (parsed as readonly RawReport[]) : [parsed as RawReport];
  const stray = reports.flatMap(filesOf).find((file) => !folders.some(holds(file)));
  if (stray !== undefined) throw new SyntaxError(`${stray} is in none of the folders`);
  const short = reports.flatMap(missingOf);
  if (short.length > 0) throw new SyntaxError(short.join('; '));
  return folders.map((folder) => reportOf(reports.map((report) => within(folder, report))));
}

const holds = (file: string) => (folder: string) => file.startsWith(`${folder}/`);

const KINDS = ['passed_checks', 'failed_checks', 'skipped_checks'] as const;

function filesOf({ results = {} }: RawReport): readonly string[] {
  const checks = KINDS.flatMap((kind) => results[kind] ?? []);
  return [...checks.map(({ file_abs_path }) => file_abs_path), ...(results.parsing_errors ?? [])];
}

/** What the summary of a report counts, and the report does not list. */
function missingOf({ check_type, results = {}, summary = {} }: RawReport): readonly string[] {
  const listed = {
    passed: results.passed_checks,
    failed: results.failed_checks,
    skipped: results.skipped_checks,
    parsing_errors: results.parsing_errors,
  };
  return (Object.keys(listed) as (keyof typeof listed)[]).flatMap((kind) => {
    const [counted, there] = [summary[kind], listed[kind]?.length ?? 0];
    return counted === undefined || counted === there
      ? []
      : [`${check_type} counts ${counted} ${kind.replace('_', ' ')} and lists ${there}`];
  });
}

/** What a report says of the files of one folder. */
function within(folder: string, report: RawReport): RawReport {
  const inFolder = (check: RawCheck) => holds(check.file_abs_path)(folder);
  return {
    ...report,
    results: {
      ...Object.fromEntries(
        KINDS.map((kind) => [kind, (report.results?.[kind] ?? []).filter(inFolder)]),
      ),
      parsing_errors: (report.results?.parsing_errors ?? []).filter((file) => holds(file)(folder)),
    },
  };
}

function reportOf(reports: readonly RawReport[]): CheckovReport {
  const checks = reports.flatMap(checksOf);
  const answered = (framework: Framework) => [
    ...new Set(
      checks
        .filter((check) => check.id === ROLL_CALL && check.framework === framework)
        .map(({ address }) => address)
        .filter((address) => !/^(provider|data)\./.test(address)),
    ),
  ];
  return {
    version: reports.map((one) => one.summary?.checkov_version ?? one.checkov_version)[0] ?? '',
    checks: checks.filter(({ id }) => id !== ROLL_CALL),
    seen: { terraform_plan: answered('terraform_plan'), kubernetes: answered('kubernetes') },
    parsingErrors: reports.flatMap(({ results }) => results?.parsing_errors ?? []),
    skipped: reports.flatMap(({ results }) =>
      (results?.skipped_checks ?? []).map(({ check_id, resource }) => `${check_id} on ${resource}`),
    ),
  };
}

function checksOf({ check_type, results }: RawReport): readonly CheckovCheck[] {
  const framework = FRAMEWORKS.find((known) => known === check_type);
  if (framework === undefined) return [];
  const read = (passed: boolean) => (raw: RawCheck) => ({
    framework,
    id: raw.check_id,
    name: raw.check_name,
    address:
      framework === 'kubernetes' ? basename(raw.file_path, '.yaml') : addressOf(raw.resource),
    passed,
  });
  return [
    ...(results?.passed_checks ?? []).map(read(true)),
    ...(results?.failed_checks ?? []).map(read(false)),
  ];
}

/** Checkov calls a provider `aws.default`; the types of resources have an underscore in them. */
function addressOf(resource: string): string {
  const [, provider] = resource.match(/^([a-z]+)\.default$/) ?? [];
  return provider === undefined ? resource : `provider.${provider}`;
}
