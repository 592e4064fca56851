import { createHash } from 'node:crypto';
import { BASELINES, type ControlOutcome, controlsOf, type RuleOutcome } from '../controls.ts';
import { NOT_LOOKED_AT } from '../evidence.ts';
import { checksOf, type RuleDescription } from '../findings.ts';
import type { AuditResult } from '../judge.ts';
import { secondScannerOf } from './summary.ts';

/** Version of OSCAL (NIST, "Open Security Controls Assessment Language"). */
const OSCAL_VERSION = '1.2.1';

/** Namespace of our own properties. */
const OWN = 'urn:file-processing-infra:audit';

/** Names of the files among the reports; the results name the plan by its own. */
export const OSCAL_FILES = {
  plan: 'oscal-assessment-plan.json',
  results: 'oscal-assessment-results.json',
} as const;

/**
 * The result as OSCAL assessment results, and the assessment plan that they import: an observation for each rule, a
 * finding for each control, a risk for each waiver. Ids follow from the content, so that the same audit has the same.
 */
export function oscalReport(result: AuditResult) {
  const { environment, auditedAt, baseline, evidence, rules } = result;
  const moment = auditedAt.toISOString();
  const id = (...name: readonly string[]) => uuidOf(OWN, environment, moment, ...name);
  const controls = controlsOf(result).filter(({ rules }) => rules.length > 0);
  const owners = [...new Set(result.waived.map(({ waiver }) => waiver.owner))].sort();
  const metadata = (title: string) => ({
    title,
    'last-modified': moment,
    version: evidence?.product.version ?? 'unknown',
    'oscal-version': OSCAL_VERSION,
    ...(evidence?.commit !== undefined && {
      props: [
        property('commit', evidence.commit.id),
        property('clean-tree', String(evidence.commit.clean)),
      ],
    }),
    ...(owners.length > 0 && {
      parties: owners.map((name) => ({ uuid: id('party', name), type: 'organization', name })),
    }),
  });
  const ssp = id('system-security-plan');
  return {
    plan: {
      'assessment-plan': {
        uuid: id('plan'),
        metadata: metadata(`Plan of the audit of ${environment}`),
        'import-ssp': { href: `#${ssp}` },
        'reviewed-controls': reviewed(BASELINES[baseline] ?? [], `All controls of ${baseline}.`),
        'assessment-subjects': [{ type: 'component', 'include-all': {} }],
        'back-matter': {
          resources: [
            {
              uuid: ssp,
              title: 'System security plan',
              description: "The agency's own: it is not a part of the audited sources.",
            },
          ],
        },
      },
    },
    results: {
      'assessment-results': {
        uuid: id('results'),
        metadata: metadata(`Audit of ${environment}`),
        'import-ap': { href: OSCAL_FILES.plan },
        results: [
          {
            uuid: id('result'),
            title: `Audit of the synthesized Terraform JSON of ${environment}`,
            description: [secondScannerOf(result), 'Not looked at:', ...NOT_LOOKED_AT].join(' '),
            start: moment,
            end: moment,
            'local-definitions': { components: componentsOf(result, id) },
            'reviewed-controls': reviewed(
              controls.map(({ id }) => id),
              'Those that a rule serves; the others of the plan are not covered.',
            ),
            observations: rules.map((rule) => observationOf(rule, result, id)),
            ...(result.waived.length > 0 && {
              risks: result.waived.map(({ rule, place, message, waiver }) => ({
                uuid: id('risk', rule, place),
                title: `${rule} is waived on ${place}`,
                description: message,
                statement: waiver.reason,
                status: 'deviation-approved',
                origins: [{ actors: [actor('party', id('party', waiver.owner))] }],
                deadline: `${waiver.expires}T23:59:59Z`,
              })),
            }),
            findings: controls.map((control) => findingOf(control, id)),
          },
        ],
      },
    },
  };
}

type Identify = (...name: readonly string[]) => string;

/** A UUID of version 5 (RFC 9562), of names in place of a namespace. */
function uuidOf(...name: readonly string[]): string {
  const bytes = createHash('sha1').update(name.join('\0')).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function property(name: string, value: string) {
  return { name, ns: OWN, value };
}

function actor(type: 'party' | 'tool', uuid: string) {
  return { type, 'actor-uuid': uuid };
}

/** `AC-6(5)` is `ac-6.5` in NIST's catalogue. */
function oscalId(control: string): string {
  return control.toLowerCase().replace('(', '.').replace(')', '');
}

function reviewed(controls: readonly string[], description: string) {
  const included = controls.map((control) => ({ 'control-id': oscalId(control) }));
  return { 'control-selections': [{ description, 'include-controls': included }] };
}

const TOOLS = { rules: 'Rules of our own', checkov: 'checkov', audit: 'The audit of itself' };

/** The stacks, and what looked at them. */
function componentsOf({ looks, rules }: AuditResult, id: Identify) {
  const component = (uuid: string, type: string, title: string, description: string) => ({
    uuid,
    type,
    title,
    description,
    status: { state: 'operational' },
  });
  const [{ model }] = looks;
  return [
    ...model.stacks.map(({ name }) =>
      component(id('stack', name), 'system', name, `The stack ${name}, as Terraform JSON.`),
    ),
    ...[...new Set(rules.map(({ by }) => by))].map((by) =>
      component(id('tool', by), 'software', TOOLS[by], `${TOOLS[by]}, as run by npm run audit.`),
    ),
  ];
}

function observationOf(rule: RuleDescription, result: AuditResult, id: Identify) {
  const [look] = result.looks;
  const own = checksOf(rule.id, look);
  const stacks =
    own.length === 0 ? look.model.stacks.map(({ name }) => name) : own.map(({ stack }) => stack);
  const failed = [...result.findings, ...result.waived].filter(
    (finding) => finding.rule === rule.id,
  );
  return {
    uuid: id('observation', rule.id),
    title: rule.id,
    description: rule.title,
    props: [property('looked-at', String(own.length)), property('severity', rule.severity)],
    methods: ['TEST'],
    types: ['control-objective'],
    origins: [{ actors: [actor('tool', id('tool', rule.by))] }],
    subjects: [...new Set(stacks)].map((stack) => ({
      'subject-uuid': id('stack', stack),
      type: 'component',
    })),
    ...(failed.length > 0 && {
      'relevant-evidence': failed.map(({ place, message }) => ({
        description: `${place}: ${message}`,
      })),
    }),
    collected: result.auditedAt.toISOString(),
  };
}

/** A waived fault is one: the control is not satisfied, and its risk is accepted until a day. */
function findingOf({ id: control, title, verdict, rules }: ControlOutcome, id: Identify) {
  const satisfied = verdict === 'green';
  const risks = rules.flatMap((rule: RuleOutcome) =>
    rule.waived.map(({ place }) => ({ 'risk-uuid': id('risk', rule.id, place) })),
  );
  return {
    uuid: id('finding', control),
    title: `${control} ${title}`.trim(),
    description: `${verdict}: ${rules.map(({ id }) => id).join(', ')}`,
    target: {
      type: 'statement-id',
      'target-id': `${oscalId(control)}_smt`,
      status: {
        state: satisfied ? 'satisfied' : 'not-satisfied',
        reason: satisfied ? 'pass' : verdict === 'nothing to look at' ? 'other' : 'fail',
        remarks: 'As far as these rules look; it says nothing of the rest of the control.',
      },
    },
    'related-observations': rules.map((rule) => ({
      'observation-uuid': id('observation', rule.id),
    })),
    ...(risks.length > 0 && { 'related-risks': risks }),
  };
}
