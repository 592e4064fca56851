import { type Check, type Finding, placeOf, type RuleDescription } from './finding.ts';

/** The failed checks of one region. */
export interface RegionalChecks {
  readonly region: string;
  readonly checks: readonly Check[];
}

/**
 * Failed checks as findings: one for each rule and place, however many views and regions show it.
 *
 * @param rules - descriptions of all rules, for the severity
 */
export function mergeFindings(
  looks: readonly RegionalChecks[],
  rules: readonly RuleDescription[],
): readonly Finding[] {
  const severities = new Map(rules.map(({ id, severity }) => [id, severity]));
  const merged = new Map<string, Finding & { readonly messages: readonly string[] }>();
  for (const { region, checks } of looks) {
    for (const check of checks.filter(({ faults }) => faults.length > 0)) {
      const place = placeOf(check);
      const key = `${check.rule} ${place}`;
      const before = merged.get(key);
      // Another region says the same of another ARN: the first one is enough.
      const sameLook = before === undefined || before.regions.at(-1) === region;
      const messages = distinct([...(before?.messages ?? []), ...(sameLook ? check.faults : [])]);
      merged.set(key, {
        by: check.by,
        rule: check.rule,
        severity: severities.get(check.rule) ?? 'high',
        place,
        message: messages.map(sentence).join(' '),
        regions: [...new Set([...(before?.regions ?? []), region])],
        messages,
      });
    }
  }
  return [...merged.values()].map(({ messages: _, ...finding }) => finding).sort(bySeverity);
}

/** Checkov spells the name of one check in upper case for one view, in lower case for the other. */
function distinct(texts: readonly string[]): readonly string[] {
  return [...new Map(texts.map((text) => [text.toLowerCase(), text])).values()];
}

const ORDER = ['high', 'medium', 'low'];

function bySeverity(one: Finding, other: Finding): number {
  const text = ({ severity, place, rule }: Finding) =>
    `${ORDER.indexOf(severity)} ${place} ${rule}`;
  return text(one) < text(other) ? -1 : 1;
}

/** A fault may begin with the name of an argument, which keeps its spelling. */
function sentence(fault: string): string {
  const text = fault.trim();
  const [word = ''] = text.split(/[\s:]/);
  const first = /^[a-z]+$/.test(word) ? text.charAt(0).toUpperCase() : text.charAt(0);
  return `${first}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
