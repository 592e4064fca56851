import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import type { Evidence } from '../evidence.ts';
import { type Examiner, type Finding, placeOf, type RuleDescription } from '../findings.ts';
import type { AuditResult } from '../judge.ts';
import type { WaivedFinding } from '../waivers.ts';
import { type Artifact, artifactsOf } from './summary.ts';
import words from './words.json' with { type: 'json' };

/**
 * Line at which the block of an address begins in a stack's JSON text; 1 where it has none of its own.
 *
 * @param text - a stack's `cdk.tf.json`
 * @param address - such as `aws_sns_topic.events`, `data.aws_vpcs.found`, `var.image`, `output.url`; a
 *   part of the block may follow, as in `kubernetes_deployment_v1.web main`
 * @returns 1-based
 */
export function lineOfAddress(text: string, address: string): number {
  return lineIn({ text, tree: parseTree(text) }, address);
}

function lineIn({ text, tree }: Pick<Place, 'text' | 'tree'>, address: string): number {
  const value = tree && findNodeAtLocation(tree, pathOf(address));
  // The line of the name, which is before the value.
  const offset = value?.parent?.offset ?? value?.offset;
  return offset === undefined ? 1 : text.slice(0, offset).split('\n').length;
}

const SECTIONS: Readonly<Record<string, string>> = words.sarif.sections;

function pathOf(address: string): string[] {
  const parts = (address.split(' ')[0] ?? '').replaceAll(/\[[^\]]*\]/g, '').split('.');
  const [first = '', ...rest] = parts;
  const section = SECTIONS[first];
  if (section !== undefined) return [section, ...rest];
  return rest.length === 0 ? [first] : ['resource', ...parts];
}

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

const TOOLS: Readonly<Record<Examiner, string>> = words.sarif.tools;

const LEVELS = { high: 'error', medium: 'warning', low: 'note' } as const;

/** A stack's file, read once for all results in it. */
interface Place extends Artifact {
  readonly tree: Node | undefined;
  /** Lines of the addresses that results were at so far: dozens of rules look at one. */
  readonly lines: Map<string, number>;
}

/**
 * The result as SARIF 2.1.0 (OASIS), which code hosts and editors show: a run for each examiner, with what passed
 * in the first look as well as what failed in any.
 */
export function sarifReport(result: AuditResult) {
  const { looks, evidence, auditedAt } = result;
  const places = looks
    .flatMap(artifactsOf)
    .map((artifact): Place => ({ ...artifact, tree: parseTree(artifact.text), lines: new Map() }));
  const examiners = (['rules', 'checkov', 'audit'] as const).filter((examiner) =>
    result.rules.some(({ by }) => by === examiner),
  );
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: examiners.map((examiner) => {
      const rules = result.rules.filter(({ by }) => by === examiner);
      const version = versionOf(examiner, result);
      const findings: readonly (Finding & Partial<WaivedFinding>)[] = [
        ...result.findings,
        ...result.waived,
      ].filter(({ by }) => by === examiner);
      return {
        tool: {
          driver: {
            name: TOOLS[examiner],
            ...(version !== undefined && { version }),
            rules: rules.map((rule) => sarifRule(rule, ruleVersion(examiner, version, evidence))),
          },
        },
        automationDetails: { id: `audit/${result.environment}/${examiner}` },
        invocations: [
          {
            executionSuccessful: true,
            endTimeUtc: auditedAt.toISOString(),
            ...(evidence !== undefined && {
              account: evidence.by.user,
              properties: {
                host: evidence.by.host,
                ciRun: evidence.by.run ?? 'none',
                tools: evidence.tools,
              },
            }),
          },
        ],
        ...(evidence?.commit !== undefined && {
          versionControlProvenance: [provenanceOf(evidence.product.name, evidence.commit)],
        }),
        artifacts: sarifArtifacts(places, evidence),
        results: [
          ...findings.map((finding) => sarifResult(finding, rules, places)),
          ...passesOf(examiner, result, rules, places),
        ],
      };
    }),
  };
}

function versionOf(examiner: Examiner, { looks, evidence }: AuditResult): string | undefined {
  if (examiner !== 'checkov') return evidence?.product.version;
  return looks.flatMap(({ scans }) => Object.values(scans ?? {}))[0]?.version;
}

/** Our own rules have the digest of their sources for a version. */
function ruleVersion(
  examiner: Examiner,
  version: string | undefined,
  evidence: Evidence | undefined,
): string | undefined {
  return examiner === 'checkov' ? version : evidence?.product.rules;
}

/** SARIF demands an address; a repository that has none for others is named by its product. */
function provenanceOf(product: string, { id, clean, repository }: NonNullable<Evidence['commit']>) {
  return {
    repositoryUri: repository ?? `urn:repository:${product}`,
    revisionId: id,
    properties: { clean },
  };
}

function sarifArtifacts(places: readonly Place[], evidence: Evidence | undefined) {
  const artifact = (path: string, sha256: string, role: string) => ({
    location: { uri: encodeURI(path) },
    roles: [role],
    hashes: { 'sha-256': sha256 },
  });
  return [
    ...places.map(({ path, sha256 }) => artifact(path, sha256, 'analysisTarget')),
    ...(evidence?.inputs ?? []).map(({ path, sha256 }) =>
      artifact(path, sha256, 'userSpecifiedConfiguration'),
    ),
  ];
}

/** What passed: that nothing was found says nothing of what was looked at. */
function passesOf(
  examiner: Examiner,
  { looks }: AuditResult,
  rules: readonly RuleDescription[],
  places: readonly Place[],
) {
  const [{ checks }] = looks;
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  return checks
    .filter(({ by, faults }) => by === examiner && faults.length === 0)
    .map((check) => ({
      ruleId: check.rule,
      ruleIndex: indexes.get(check.rule) ?? -1,
      kind: 'pass' as const,
      level: 'none' as const,
      message: { text: `${placeOf(check)}: kept.` },
      locations: [locationOf(placeOf(check), places)],
      partialFingerprints: { 'ruleAndPlace/v1': `${check.rule} ${placeOf(check)}` },
    }));
}

function sarifRule(
  { id, title, reason, control, severity }: RuleDescription,
  version: string | undefined,
) {
  return {
    id,
    shortDescription: { text: title },
    help: { text: reason ?? title },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      tags: control === undefined ? [] : [`NIST SP 800-53 ${control}`],
      ...(version !== undefined && { version }),
    },
  };
}

function sarifResult(
  { rule, place, message, severity, waiver }: Finding & Partial<WaivedFinding>,
  rules: readonly RuleDescription[],
  places: readonly Place[],
) {
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    kind: 'fail' as const,
    level: LEVELS[severity],
    message: { text: `${place}: ${message}` },
    locations: [locationOf(place, places)],
    // Lines move; rule and place stay.
    partialFingerprints: { 'ruleAndPlace/v1': `${rule} ${place}` },
    ...(waiver !== undefined && {
      suppressions: [
        {
          kind: 'external',
          status: 'accepted',
          justification: waiver.reason,
          properties: { owner: waiver.owner, until: waiver.expires },
        },
      ],
    }),
  };
}

function lineAt(artifact: Place, address: string): number {
  const line = artifact.lines.get(address) ?? lineIn(artifact, address);
  artifact.lines.set(address, line);
  return line;
}

/** Where a finding is: at its block in the stack's JSON, or in the file that it names. */
function locationOf(place: string, places: readonly Place[]) {
  const [stack = ''] = place.split('/');
  const address = place.slice(stack.length + 1);
  const artifact = places.find((candidate) => candidate.stack === stack);
  const [file = place, line = '1'] = place.split(':');
  const region = {
    startLine: artifact === undefined ? Number(line) : lineAt(artifact, address),
  };
  return {
    physicalLocation: {
      artifactLocation: { uri: encodeURI(artifact?.path ?? file) },
      region,
    },
    ...(artifact !== undefined && {
      logicalLocations: [{ fullyQualifiedName: place, kind: 'resource' }],
    }),
  };
}
