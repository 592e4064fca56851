import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { byNumber, cisOf, controlsOf, REPORT_CONTROLS, withoutControl } from '../controls.ts';
import { type Evidence, NOT_LOOKED_AT } from '../evidence.ts';
import { checksOf, type Look, placeOf } from '../findings.ts';
import type { AuditResult } from '../judge.ts';
import { FRAMEWORKS, type Framework } from '../scanners/checkov-report.ts';
import { encryptionOf } from './encryption.ts';
import { exposuresOf } from './exposure.ts';
import { attachedPolicies, shownPolicies, statementInWords } from './policies.ts';

/** A result as plain data: report.json, and what the page and the text are made of. */
export type Report = ReturnType<typeof reportOf>;

/** Says of everything that was found out to which control it belongs. */
export function reportOf(result: AuditResult) {
  const { environment, from, looks, rules, findings, waived, acceptances, evidence } = result;
  const [{ model, objects }] = looks;
  const controls = new Map(rules.map(({ id, control }) => [id, control]));
  const withControl = <Found extends { readonly rule: string }>(found: Found) => ({
    ...found,
    control: controls.get(found.rule) ?? 'unmapped',
  });
  const under =
    (control: string) =>
    <Row extends object>(row: Row) => ({ ...row, control });
  return {
    ...(evidence !== undefined && {
      evidence: { ...evidence, sboms: evidence.sboms.map(({ text: _, ...list }) => list) },
    }),
    environment,
    ...(from !== undefined && { from }),
    auditedAt: result.auditedAt.toISOString(),
    green: findings.length === 0,
    secondScanner: secondScannerOf(result),
    demands: demandsOf(result),
    notLookedAt: NOT_LOOKED_AT,
    baseline: result.baseline,
    regions: looks.map(({ region, partition }) => ({ region, partition })),
    files: looks.flatMap(artifactsOf).map(({ text: _, ...file }) => file),
    summary: summaryOf(result),
    findings: findings.map(withControl),
    waived: waived.map(withControl),
    ...(acceptances !== undefined && {
      acceptances: acceptances.map(under(REPORT_CONTROLS.accepted)),
    }),
    notes: result.notes,
    controls: controlsOf(result),
    withoutControl: withoutControl(result),
    counts: result.counts,
    inventory: inventoryOf(result, controls),
    policies: shownPolicies(model).map(({ document, ...policy }) => ({
      ...policy,
      statements: document?.statements.map((one) => statementInWords(one, policy)) ?? [
        'The JSON does not tell: Terraform computes it when it applies.',
      ],
      control: REPORT_CONTROLS[policy.kind],
    })),
    attachedPolicies: attachedPolicies(model).map(under(REPORT_CONTROLS.attached)),
    exposures: exposuresOf(model, objects).map((one) => under(REPORT_CONTROLS[one.direction])(one)),
    encryption: encryptionOf(model).map(under(REPORT_CONTROLS.encryption)),
    rules: rules.map((rule) => ({
      ...rule,
      cis: cisOf(rule.id),
      looked: checksOf(rule.id, looks[0]).length,
    })),
  };
}

/** Where the reports on an environment go. */
export function reportFolder(out: string, environment: string): string {
  return join(out, environment.replaceAll(/[^\w.-]/g, '_'));
}

/** A path as a report shows it: from the current folder, with slashes. */
export function shownPath(path: string): string {
  return (relative(process.cwd(), path) || '.').replaceAll('\\', '/');
}

/** A file that was audited. */
export interface Artifact {
  readonly stack: string;
  readonly region: string;
  /** As reports show it: from the current folder. */
  readonly path: string;
  /** SHA-256 in hexadecimal, so that anybody can tell whether it is the file at hand. */
  readonly sha256: string;
  readonly text: string;
}

/** The stacks' files of one look. */
export function artifactsOf({ model, region }: Look): readonly Artifact[] {
  return model.stacks.map(({ name, path }) => {
    const text = readFileSync(path, 'utf8');
    const sha256 = createHash('sha256').update(text).digest('hex');
    return { stack: name, region, path: shownPath(path), sha256, text };
  });
}

/** One resource and what was said of it. */
export interface InventoryItem {
  readonly stack: string;
  readonly address: string;
  readonly type: string;
  /** Its name in AWS or Kubernetes; empty where it has none. */
  readonly name: string;
  /** Passed checks in the first region, of our rules and of checkov. */
  readonly passed: number;
  readonly findings: number;
  readonly waived: number;
  /** Controls that the rules serve which looked at it, in order. */
  readonly controls: readonly string[];
}

/** Every resource, by stack and address. */
function inventoryOf(
  { looks, findings, waived }: AuditResult,
  controls: ReadonlyMap<string, string | undefined>,
): readonly InventoryItem[] {
  const [{ model, checks }] = looks;
  const looked = Map.groupBy(checks, (check) => blockOf(placeOf(check)));
  const passed = countBy(
    checks.filter(({ faults }) => faults.length === 0),
    (check) => blockOf(placeOf(check)),
  );
  const found = countBy(findings, ({ place }) => blockOf(place));
  const lived = countBy(waived, ({ place }) => blockOf(place));
  return model.resources
    .map((resource) => {
      const { stack, address, type, attributes } = resource;
      const place = placeOf(resource);
      const metadata = [attributes.metadata].flat()[0] as { readonly name?: unknown } | undefined;
      const tags = attributes.tags as { readonly Name?: unknown } | undefined;
      const name = attributes.name ?? metadata?.name ?? tags?.Name ?? '';
      return {
        stack,
        address,
        type,
        name: String(model.stackOf(resource).resolve(name)),
        passed: passed.get(place) ?? 0,
        findings: found.get(place) ?? 0,
        waived: lived.get(place) ?? 0,
        controls: inOrder((looked.get(place) ?? []).map(({ rule }) => controls.get(rule))),
      };
    })
    .sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
}

function inOrder(controls: readonly (string | undefined)[]): readonly string[] {
  const all = new Set([REPORT_CONTROLS.resource, ...controls.filter((id) => id !== undefined)]);
  return [...all].sort(byNumber);
}

/** A rule may have looked at a part of a resource, such as `<address> <container>`. */
function blockOf(place: string): string {
  return place.split(' ')[0] ?? place;
}

function countBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of items.map(keyOf)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** What one examiner saw of one view in one region. */
export interface LookSummary {
  readonly region: string;
  /** Such as `own rules` or `checkov 3.3.30`. */
  readonly by: string;
  readonly view: string;
  /** Resources that were read. */
  readonly resources: number;
  readonly passed: number;
  /** Failed checks, waived or not. */
  readonly failed: number;
  readonly control: string;
}

const VIEWS: Readonly<Record<Framework, string>> = {
  terraform_plan: 'plan',
  kubernetes: 'manifests',
};

/** Who looked at what, and how it went. */
export function summaryOf({ looks }: AuditResult): readonly LookSummary[] {
  return looks.flatMap((look) => [...(look.ruled ? [ofRules(look)] : []), ...ofScans(look)]);
}

function ofRules({ region, model, checks }: Look): LookSummary {
  const own = checks.filter(({ by }) => by === 'rules');
  const passed = own.filter(({ faults }) => faults.length === 0).length;
  return {
    region,
    by: 'own rules',
    view: 'synthesized JSON and manifests',
    resources: model.resources.length,
    passed,
    failed: own.length - passed,
    control: REPORT_CONTROLS.audited,
  };
}

function ofScans({ region, scans }: Look): readonly LookSummary[] {
  if (scans === undefined) return [];
  const reports = Object.values(scans);
  return FRAMEWORKS.map((framework) => {
    const checks = reports.flatMap((report) =>
      report.checks.filter((check) => check.framework === framework),
    );
    const passed = checks.filter((check) => check.passed).length;
    return {
      region,
      by: `checkov ${reports[0]?.version ?? ''}`.trim(),
      view: VIEWS[framework],
      resources: reports.reduce((sum, { seen }) => sum + seen[framework].length, 0),
      passed,
      failed: checks.length - passed,
      control: REPORT_CONTROLS.audited,
    };
  });
}

/** The commit, and whether the sources are those of it. */
export function commitInWords({ commit }: Pick<Evidence, 'commit'>): string {
  if (commit === undefined) return 'unversioned: the sources are in no git repository';
  const { id, clean, repository } = commit;
  const state = clean ? 'a clean tree' : 'a tree with changes that are not committed';
  return `${id}, ${state}${repository === undefined ? '' : `, of ${repository}`}`;
}

/** Whether somebody else's program looked too, a sentence: a verdict of our own rules alone says less. */
export function secondScannerOf({ looks }: Pick<AuditResult, 'looks'>): string {
  const versions = looks.flatMap(({ scans }) =>
    Object.values(scans ?? {}).map(({ version }) => version),
  );
  if (versions.length === 0) return 'No second scanner ran: our own rules alone looked.';
  return `A second scanner ran: checkov ${[...new Set(versions)].join(', ')}.`;
}

/** What the audited JSON demands of Terraform and its providers, such as `aws ~> 6.25`. */
export function demandsOf({ looks }: Pick<AuditResult, 'looks'>): string {
  const [{ model }] = looks;
  const all = model.stacks.flatMap(({ json }) => {
    const { required_version: version, required_providers: providers = {} } = Object(
      json.terraform,
    ) as {
      readonly required_version?: string;
      readonly required_providers?: Readonly<Record<string, { readonly version?: string }>>;
    };
    return [
      ...(version === undefined ? [] : [`Terraform ${version}`]),
      ...Object.entries(providers).map(([name, { version = 'any' }]) => `${name} ${version}`),
    ];
  });
  return [...new Set(all)].join(', ') || 'nothing';
}
