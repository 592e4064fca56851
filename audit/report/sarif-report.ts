import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import type { Examiner, Finding, RuleDescription } from '../findings.ts';
import type { AuditResult } from '../judge.ts';
import type { WaivedFinding } from '../waivers.ts';
import { type Artifact, artifactsOf } from './summary.ts';

/**
 * Line at which the block of an address begins in a stack's JSON text; 1 where it has none of its own.
 *
 * @param text - a stack's `cdk.tf.json`
 * @param address - such as `aws_sns_topic.events`, `data.aws_vpcs.found`, `var.image`, `output.url`; a
 *   part of the block may follow, as in `kubernetes_deployment_v1.web main`
 * @returns 1-based
 */
export function lineOfAddress(text: string, address: string): number {
  const tree = parseTree(text);
  const value = tree && findNodeAtLocation(tree, pathOf(address));
  // The line of the name, which is before the value.
  const offset = value?.parent?.offset ?? value?.offset;
  return offset === undefined ? 1 : text.slice(0, offset).split('\n').length;
}

const SECTIONS: Readonly<Record<string, string>> = {
  data: 'data',
  local: 'locals',
  output: 'output',
  provider: 'provider',
  var: 'variable',
};

function pathOf(address: string): string[] {
  const parts = (address.split(' ')[0] ?? '').replaceAll(/\[[^\]]*\]/g, '').split('.');
  const [first = '', ...rest] = parts;
  const section = SECTIONS[first];
  if (section !== undefined) return [section, ...rest];
  return rest.length === 0 ? [first] : ['resource', ...parts];
}

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

const TOOLS: Readonly<Record<Examiner, string>> = {
  rules: 'file-processing-infra audit',
  checkov: 'checkov',
  audit: 'file-processing-infra audit of the audit',
};

const LEVELS = { high: 'error', medium: 'warning', low: 'note' } as const;

/** The result as SARIF 2.1.0 (OASIS), which code hosts and editors show: a run for each examiner. */
export function sarifReport(result: AuditResult) {
  const artifacts = result.looks.flatMap(artifactsOf);
  const examiners = (['rules', 'checkov', 'audit'] as const).filter((examiner) =>
    result.rules.some(({ by }) => by === examiner),
  );
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: examiners.map((examiner) => {
      const rules = result.rules.filter(({ by }) => by === examiner);
      const findings: readonly (Finding & Partial<WaivedFinding>)[] = [
        ...result.findings,
        ...result.waived,
      ].filter(({ by }) => by === examiner);
      return {
        tool: { driver: { name: TOOLS[examiner], rules: rules.map(sarifRule) } },
        automationDetails: { id: `audit/${result.environment}/${examiner}` },
        results: findings.map((finding) => sarifResult(finding, rules, artifacts)),
      };
    }),
  };
}

function sarifRule({ id, title, reason, control, severity }: RuleDescription) {
  return {
    id,
    shortDescription: { text: title },
    help: { text: reason ?? title },
    defaultConfiguration: { level: LEVELS[severity] },
    ...(control !== undefined && { properties: { tags: [`NIST SP 800-53 ${control}`] } }),
  };
}

function sarifResult(
  { rule, place, message, severity, waiver }: Finding & Partial<WaivedFinding>,
  rules: readonly RuleDescription[],
  artifacts: readonly Artifact[],
) {
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: LEVELS[severity],
    message: { text: `${place}: ${message}` },
    locations: [locationOf(place, artifacts)],
    // Lines move; rule and place stay.
    partialFingerprints: { 'ruleAndPlace/v1': `${rule} ${place}` },
    ...(waiver !== undefined && {
      suppressions: [{ kind: 'external', status: 'accepted', justification: waiver.reason }],
    }),
  };
}

/** Where a finding is: at its block in the stack's JSON, or in the file that it names. */
function locationOf(place: string, artifacts: readonly Artifact[]) {
  const [stack = ''] = place.split('/');
  const address = place.slice(stack.length + 1);
  const artifact = artifacts.find((candidate) => candidate.stack === stack);
  const [file = place, line = '1'] = place.split(':');
  const region = {
    startLine: artifact === undefined ? Number(line) : lineOfAddress(artifact.text, address),
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
