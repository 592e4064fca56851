import type { AuditResult } from '../audit-result.ts';
import { OWN_ACCOUNT } from '../policy/arn.ts';
import { encryptionOf } from './encryption.ts';
import { type Exposure, exposuresOf } from './exposure.ts';
import { type Html, html, htmlTable } from './html.ts';
import { inventoryOf } from './inventory.ts';
import { attachedPolicies, type ShownPolicy, shownPolicies } from './placed-policies.ts';
import { statementInWords } from './statement-in-words.ts';

/** Every statement of every policy as a sentence. */
export function policySection({ looks }: AuditResult): Html {
  const [{ model }] = looks;
  return html`<p><code>${OWN_ACCOUNT}</code> is the account that the stacks are deployed to.</p>
${model.stacks.map(
  ({ name }) => html`<h3>${name}</h3>
${htmlTable(
  'Policies in words',
  ['Policy of', 'Statements'],
  shownPolicies(model)
    .filter(({ stack }) => stack === name)
    .map((policy) => [code(policy.address), statements(policy)]),
)}
${htmlTable(
  'Policies of others that are attached',
  ['Attachment', 'Role', 'Policy'],
  attachedPolicies(model)
    .filter(({ stack }) => stack === name)
    .map(({ address, role, policyArn }) => [code(address), code(role), code(policyArn)]),
)}
`,
)}`;
}

function statements(policy: ShownPolicy): Html {
  if (policy.document === undefined) {
    return html`The JSON does not tell: Terraform computes it when it applies.`;
  }
  const sentences = policy.document.statements.map((statement) =>
    statementInWords(statement, policy),
  );
  return html`<ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`;
}

const DIRECTIONS: Readonly<Record<Exposure['direction'], string>> = {
  in: 'Can be reached from the internet, or lets it in',
  out: 'Reaches the internet',
  private: 'Kept away from the internet',
};

/** What the internet reaches, and what reaches it. */
export function exposureSection({ looks }: AuditResult): Html {
  const [{ model, objects }] = looks;
  const exposures = exposuresOf(model, objects);
  return html`${Object.entries(DIRECTIONS).map(
    ([direction, caption]) =>
      html`${htmlTable(
        caption,
        ['Resource', 'Stack', 'How'],
        exposures
          .filter((exposure) => exposure.direction === direction)
          .map(({ stack, address, text }) => [code(address), stack, text]),
      )}\n`,
  )}`;
}

/** What is encrypted at rest. */
export function encryptionSection({ looks }: AuditResult): Html {
  const [{ model }] = looks;
  return htmlTable(
    'Data at rest',
    ['Resource', 'Stack', 'Data', 'Key'],
    encryptionOf(model).map(({ stack, address, data, key }) => [code(address), stack, data, key]),
  );
}

/** Every resource by stack. */
export function inventorySection(result: AuditResult): Html {
  const items = inventoryOf(result);
  const [{ model }] = result.looks;
  return html`${model.stacks.map(({ name }) => {
    const own = items.filter(({ stack }) => stack === name);
    return html`${htmlTable(
      `${name}: ${own.length} resources`,
      ['Address', 'Name', 'Passed checks', 'Findings', 'Waived'],
      own.map(({ address, name, passed, findings, waived }) => [
        code(address),
        name,
        passed,
        findings,
        waived,
      ]),
    )}\n`;
  })}`;
}

function code(text: string): Html {
  return html`<code>${text}</code>`;
}
