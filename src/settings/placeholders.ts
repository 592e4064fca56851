import type { Finding } from './finding.ts';
import type { SourcedAssignment } from './resolve-variables.ts';
import type { TfvarsValue } from './tfvars/tfvars-value.ts';

/** What nobody owns, since examples use it, and where that is agreed. */
const MADE_UP: readonly (readonly [part: RegExp, what: string])[] = [
  [/(?<!\d)(123456789012|111122223333)(?!\d)/, "an account of AWS's examples"],
  [/(?<=\.)abcdefghijkl(?=\.)/, 'a database host of examples'],
  [/(?<![\w-])example\.(com|org|net|gov)(?![\w-])/, 'a domain of examples (RFC 2606)'],
  [/(?<![\d.])(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+/, 'an address of examples (RFC 5737)'],
  [/(?<![\da-f])0a1b2c3d4e5f67890(?![\da-f])/, 'an id of examples'],
];

/**
 * Finds values that a person has yet to replace: an example that was copied is valid, synthesizes,
 * and fails only when it is deployed.
 */
export function placeholdersIn(assignments: readonly SourcedAssignment[]): readonly Finding[] {
  return assignments.flatMap(({ file, line, name: variable, value }) => {
    const found = new Set(textsOf(value).flatMap(madeUpIn));
    if (found.size === 0) return [];
    return [{ file, line, variable, message: `is a placeholder: ${[...found].join(', ')}` }];
  });
}

function madeUpIn(text: string): readonly string[] {
  return MADE_UP.flatMap(([part, what]) => {
    const found = part.exec(text)?.[0];
    return found === undefined ? [] : [`${found} is ${what}`];
  });
}

function textsOf(value: TfvarsValue): readonly string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.values(value).flatMap(textsOf);
}
