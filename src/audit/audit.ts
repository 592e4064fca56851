import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AuditError } from './audit-error.ts';
import type { AuditResult } from './audit-result.ts';
import type { Check, RuleDescription } from './finding.ts';
import type { Floors } from './floors/floors.ts';
import { judge, UNSHOWN_MANIFEST, WAIVER_FILE } from './judge.ts';
import type { Look } from './look.ts';
import { type Model, modelOf } from './model/model.ts';
import { reportFolder, shownPath } from './report-paths.ts';
import type { Rule } from './rules/rule.ts';
import { runRules } from './run-rules.ts';
import { checksOfReports, rulesOfReports, scanStacks } from './scanners/scan-stacks.ts';
import { needsSecondRegion } from './synthesis/other-partition.ts';
import { refuseOwnInput, secondFolder, translate } from './synthesis/second-folder.ts';
import { synthesize, synthesizeForSecondRegion } from './synthesis/synthesize.ts';
import { readSynthesizedStacks } from './synthesized-stack.ts';
import { kubernetesObjects, ManifestError } from './views/kubernetes-manifests.ts';
import type { KubernetesObject } from './views/kubernetes-object.ts';
import { planOf } from './views/plan.ts';

/** What one audit is made with. */
export interface AuditRequest {
  /** The checkout: it holds `main.ts`, `environments/` and `audit/`. */
  readonly root: string;
  /** @default with `from`, the environment that its tags name */
  readonly environment: string | undefined;
  /** Folder of an earlier synthesis, in the layout of cdktf.out. @default synthesizes anew */
  readonly from: string | undefined;
  /** Folder for the reports; the environment gets a folder of its own in it. */
  readonly out: string;
  readonly rules: readonly Rule[];
  /** Path of checkov; undefined leaves the scanners out. */
  readonly checkov: string | undefined;
  readonly floors: Floors;
  /** Whether the floors are about to be recorded, so that they are not judged. @default false */
  readonly recording?: boolean;
  /** What a reader must know beforehand, sentences. */
  readonly notes: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: Date;
}

/**
 * Audits one environment, or one synthesized folder.
 *
 * @throws AuditError, SynthesizedFolderError
 */
export async function audit(request: AuditRequest): Promise<AuditResult> {
  const { root, from } = request;
  const looks =
    from === undefined ? await looksAtEnvironment(request) : await looksAtFolder(request, from);
  return judge({
    environment: nameOf(request, looks[0].model),
    from: from === undefined ? undefined : shownPath(from),
    looks,
    floors: request.floors,
    waivers: textOf(join(root, WAIVER_FILE)),
    environments: environmentsOf(root),
    now: request.now,
    recording: request.recording ?? false,
    notes: request.notes,
  });
}

async function looksAtEnvironment(request: AuditRequest): Promise<readonly [Look, ...Look[]]> {
  const { root, out, env, environment = '' } = request;
  const source = { root, environment, env };
  const work = (folder: string) => join(reportFolder(out, environment), folder);
  const configured = work('cdktf.out');
  await synthesize(source, configured);
  const { region } = modelIn(configured).stacks[0] ?? { region: '' };
  const second = secondFolder(out, environment);
  if (needsSecondRegion(region)) await synthesizeForSecondRegion(source, region, second);
  const [first, ...others] = await Promise.all(
    [configured, ...(needsSecondRegion(region) ? [second] : [])].map((folder) =>
      lookAt(request, folder, request.rules),
    ),
  );
  if (first === undefined) throw new AuditError('there is nothing to look at');
  return [first, ...others];
}

async function looksAtFolder(
  request: AuditRequest,
  from: string,
): Promise<readonly [Look, ...Look[]]> {
  const folder = secondFolder(request.out, nameOf(request, modelIn(from)));
  if (request.checkov !== undefined) refuseOwnInput(from, folder);
  const first = await lookAt(request, from, request.rules);
  if (request.checkov === undefined || !needsSecondRegion(first.region)) return [first];
  translate(first, from, folder);
  return [first, await lookAt(request, folder, [])];
}

/** Looks at a synthesized folder. Without rules only the scanners look. */
async function lookAt(
  request: AuditRequest,
  folder: string,
  rules: readonly Rule[],
): Promise<Look> {
  const model = modelIn(folder);
  const [{ region, partition } = { region: '', partition: '' }] = model.stacks;
  const { objects, checks } = objectsOf(model);
  const name = nameOf(request, model);
  const scans =
    request.checkov === undefined
      ? undefined
      : await scanStacks({
          program: request.checkov,
          views: cleared(join(reportFolder(request.out, name), region, 'views')),
          model,
          objects,
          planOf,
          root: request.root,
          env: request.env,
        });
  const described = rules.map(
    ({ judge: _, ...rule }): RuleDescription => ({
      by: 'rules',
      ...rule,
    }),
  );
  return {
    region,
    partition,
    folder,
    model,
    objects,
    checks: [...checks, ...runRules(rules, { model, objects }), ...checksOfReports(scans ?? {})],
    scans,
    ruled: rules.length > 0,
    rules: [...described, ...rulesOfReports(scans ?? {})],
  };
}

function modelIn(folder: string): Model {
  const stacks = readSynthesizedStacks(folder);
  try {
    return modelOf(stacks);
  } catch (cause) {
    throw new AuditError(
      `the JSON in ${shownPath(folder)} has not the form of Terraform's: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Without objects, every Kubernetes resource counts as unread, and the audit is red. */
function objectsOf(model: Model): {
  objects: readonly KubernetesObject[];
  checks: readonly Check[];
} {
  try {
    return { objects: kubernetesObjects(model), checks: [] };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const stack = model.stacks[0]?.name ?? '';
    const place = { stack, address: 'terraform', faults: [error.message] };
    return { objects: [], checks: [{ by: 'audit', rule: UNSHOWN_MANIFEST, ...place }] };
  }
}

/** The environment that was asked for, or that the stacks' tags name. */
function nameOf({ environment }: AuditRequest, model: Model): string {
  const tag: unknown = model.stacks[0]?.defaultTags.Environment;
  // It becomes the name of a folder, and the JSON may be anybody's.
  const isName = typeof tag === 'string' && /^\w[\w.-]*$/.test(tag);
  return environment ?? (isName ? tag : 'unknown');
}

function environmentsOf(root: string): readonly string[] {
  const folder = join(root, 'environments');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function cleared(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  return folder;
}
