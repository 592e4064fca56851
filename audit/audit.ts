import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvironment } from '../src/settings/environment.ts';
import { SettingsError } from '../src/settings/finding.ts';
import { type Model, modelOf } from '../src/synthesized/model/model.ts';
import { readSynthesizedStacks } from '../src/synthesized/synthesized-stack.ts';
import {
  type KubernetesObject,
  kubernetesObjects,
  ManifestError,
} from '../src/synthesized/views/kubernetes-manifests.ts';
import { planOf } from '../src/synthesized/views/plan.ts';
import { type AcceptedState, acceptedEnvironments, foldersIn, readAccepted } from './accepted.ts';
import { DEFAULT_BASELINE } from './controls.ts';
import { AuditError } from './errors.ts';
import type { Check, Look, RuleDescription } from './findings.ts';
import type { Floors } from './floors.ts';
import { type AuditResult, judge, runRules, UNSHOWN_MANIFEST } from './judge.ts';
import { reportFolder, shownPath } from './report/summary.ts';
import { clusterNotes } from './rules/cluster/cluster.ts';
import type { Rule, Settings } from './rules/rule.ts';
import { checksOfReports, rulesOfReports, scanStacks } from './scanners/checkov.ts';
import {
  forSecondRegion,
  needsSecondRegion,
  refuseOwnInput,
  secondFolder,
  synthesize,
  synthesizeForSecondRegion,
  translate,
} from './synthesize.ts';
import { WAIVER_FILE } from './waivers.ts';

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
  /** Whether the rules alone judge, whatever was accepted. @default false */
  readonly withoutAccepted?: boolean;
  /** What a reader must know beforehand, sentences. */
  readonly notes: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: Date;
  /** A key of BASELINES. @default DEFAULT_BASELINE */
  readonly baseline?: string;
}

/**
 * Audits one environment, or one synthesized folder.
 *
 * @throws AuditError, SynthesizedFolderError
 */
export async function audit(request: AuditRequest): Promise<AuditResult> {
  const { root, from } = request;
  const views =
    from === undefined ? await viewsOfEnvironment(request) : viewsOfFolder(request, from);
  const environment = nameOf(request, views[0].model);
  // Before rules and scanners look: a file that can't be read ends the audit whatever they say.
  const accepted = request.withoutAccepted ? undefined : acceptedState(root, environment);
  const looks = await lookAt(request, views);
  return judge({
    environment,
    accepted,
    from: from === undefined ? undefined : shownPath(from),
    looks,
    floors: request.floors,
    waivers: textOf(join(root, WAIVER_FILE)),
    environments: environmentsOf(root),
    now: request.now,
    recording: request.recording ?? false,
    baseline: request.baseline ?? DEFAULT_BASELINE,
    notes: [
      ...request.notes,
      ...settingsOf(request, looks[0].model).notes,
      ...clusterNotes(looks[0].model, request.now),
    ],
  });
}

async function viewsOfEnvironment(request: AuditRequest): Promise<Views> {
  const { root, out, env, environment = '' } = request;
  const source = { root, environment, env };
  const work = (folder: string) => join(reportFolder(out, environment), folder);
  const configured = work('cdktf.out');
  await synthesize(source, configured);
  const { region } = modelIn(configured).stacks[0] ?? { region: '' };
  const second = secondFolder(out, environment);
  if (needsSecondRegion(region)) await synthesizeForSecondRegion(source, region, second);
  const view = (folder: string) => ({ ...read(folder), rules: request.rules });
  return [view(configured), ...(needsSecondRegion(region) ? [view(second)] : [])];
}

function viewsOfFolder(request: AuditRequest, from: string): Views {
  const given = read(from);
  const folder = secondFolder(request.out, nameOf(request, given.model));
  if (request.checkov !== undefined) refuseOwnInput(from, folder);
  const first = { ...given, rules: request.rules };
  if (request.checkov === undefined || !needsSecondRegion(given.region)) {
    return [first];
  }
  translate(given, from, folder);
  // Only the scanners look at the translation.
  return [first, { ...read(folder), rules: [] }];
}

/** A synthesized folder, as it is looked at. */
interface View extends Pick<Look, 'region' | 'partition' | 'folder' | 'model' | 'objects'> {
  /** Findings of the reading itself. */
  readonly unread: readonly Check[];
}

/** What is looked at, each with the rules that look; the first is as configured. */
type Views = readonly [View & Ruled, ...(View & Ruled)[]];

interface Ruled {
  readonly rules: readonly Rule[];
}

function read(folder: string): View {
  const model = modelIn(folder);
  const [{ region, partition } = { region: '', partition: '' }] = model.stacks;
  const { objects, checks: unread } = objectsOf(model);
  return { region, partition, folder, model, objects, unread };
}

/** Looks at synthesized folders, with the scanners at all of them at once. */
async function lookAt(request: AuditRequest, views: Views): Promise<readonly [Look, ...Look[]]> {
  const scans = await scansOf(request, views);
  const { settings } = settingsOf(request, views[0].model);
  const [first, ...others] = views.map(({ unread, rules, ...view }, index): Look => {
    const described = rules.map(
      ({ judge: _, ...rule }): RuleDescription => ({ by: 'rules', ...rule }),
    );
    const scanned = scans?.[index];
    return {
      ...view,
      checks: [
        ...unread,
        ...runRules(rules, {
          ...view,
          now: request.now,
          ...(settings && { settings: settingsFor(settings, views[0].region, view.region) }),
        }),
        ...checksOfReports(scanned ?? {}),
      ],
      scans: scanned,
      ruled: rules.length > 0,
      rules: [...described, ...rulesOfReports(scanned ?? {})],
    };
  });
  if (first === undefined) throw new AuditError('there is nothing to look at');
  return [first, ...others];
}

async function scansOf(request: AuditRequest, views: readonly View[]) {
  const { checkov, out, root, env } = request;
  if (checkov === undefined) return undefined;
  return await scanStacks(
    { program: checkov, planOf, root, env },
    views.map(({ model, objects, region }) => ({
      model,
      objects,
      views: cleared(join(reportFolder(out, nameOf(request, model)), region, 'views')),
    })),
  );
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

/** The settings of the audited environment, where the checkout has them, and why not where it can't be read. */
function settingsOf(
  request: AuditRequest,
  model: Model,
): { readonly settings?: Settings; readonly notes: readonly string[] } {
  const environment = nameOf(request, model);
  if (!environmentsOf(request.root).includes(environment)) return { notes: [] };
  try {
    const { foundationNetwork, fileProcessing, postgresOnDemand } = loadEnvironment(
      request.root,
      environment,
      request.now,
    );
    return {
      settings: {
        'file-processing': { ...fileProcessing, db_password: '', scaler_password: '' },
        ...(foundationNetwork && { 'foundation-network': { ...foundationNetwork } }),
        ...(postgresOnDemand && { 'postgres-on-demand': { ...postgresOnDemand } }),
      },
      notes: [],
    };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return {
      notes: [
        `The settings of ${environment} have faults, so the JSON was not compared with them: ${error.message.split('\n')[0]}`,
      ],
    };
  }
}

/** Settings in the words of the second region, where the first is another. */
function settingsFor(settings: Settings, first: string | undefined, region: string): Settings {
  if (first === undefined || first === region) return settings;
  return JSON.parse(forSecondRegion(JSON.stringify(settings), first)) as Settings;
}

function environmentsOf(root: string): readonly string[] {
  return foldersIn(join(root, 'environments'));
}

function acceptedState(root: string, environment: string): AcceptedState {
  const names = acceptedEnvironments(root);
  const accepted = names.includes(environment) ? readAccepted(root, environment) : undefined;
  if (accepted !== undefined) return { accepted, known: [] };
  return { accepted, known: names.flatMap((name) => readAccepted(root, name) ?? []) };
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function cleared(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  return folder;
}
