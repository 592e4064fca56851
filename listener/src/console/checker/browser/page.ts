import { html } from '../../html.ts';
import { notCheckedIn, reportBody } from '../../report-body.ts';
import type { CheckerMapping, CheckReply, CheckRequest } from './messages.ts';
import { rejectsOf } from './rejects.ts';

/** Put in front of this script when the page is made. */
declare const CHECKER: CheckerMapping & { readonly workerSource: string };

/** Progress is told to screen readers no more often than this. */
const PROGRESS_MS = 1_000;

const input = element<HTMLInputElement>('file');
const status = element('status');
const result = element('result');
const workerUrl = URL.createObjectURL(
  new Blob([CHECKER.workerSource], { type: 'text/javascript' }),
);
let worker: Worker | undefined;

input.addEventListener('change', () => check(input.files?.[0]));
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  check(event.dataTransfer?.files[0]);
});

/** Checks a file; one that is still being checked is given up. */
function check(file: File | undefined): void {
  if (file === undefined) return;
  worker?.terminate();
  result.replaceChildren();
  status.textContent = `Checking ${file.name} …`;
  const current = new Worker(workerUrl);
  worker = current;
  let told = performance.now();
  current.addEventListener('message', ({ data }: MessageEvent<CheckReply>) => {
    if (data.kind === 'progress') {
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      const percent = Math.floor((data.bytes / Math.max(1, file.size)) * 100);
      status.textContent = `Checking ${file.name}: ${percent} %, ${data.rows.toLocaleString('en-US')} rows`;
      return;
    }
    current.terminate();
    if (data.kind === 'report') show(file, data);
    else status.textContent = `${file.name} could not be checked: ${data.message}`;
  });
  current.addEventListener('error', ({ message }) => {
    status.textContent = `${file.name} could not be checked: ${message}`;
  });
  current.postMessage({ file, expectation: CHECKER.expectation } satisfies CheckRequest);
}

function show(file: File, { report }: Extract<CheckReply, { kind: 'report' }>): void {
  status.textContent = `${file.name}: ${report.verdict}`;
  const notChecked = notCheckedIn(report);
  const facts = [['Checked by', CHECKER.stamp]] as const;
  // Everything that is not ours is escaped, and the policy of the page lets nothing run that is not.
  result.innerHTML = html`${reportBody({ name: file.name, report, facts, notChecked })}`.text;
  // Of a whole file, such as a spreadsheet, no row can be fixed.
  if (report.faults.every(({ record }) => record === null)) return;
  const link = document.createElement('a');
  link.textContent = 'Save the rows to fix as a CSV file';
  link.download = `${file.name}.rejects.csv`;
  link.href = URL.createObjectURL(new Blob([rejectsOf(report)], { type: 'text/csv' }));
  const paragraph = document.createElement('p');
  paragraph.append(link);
  result.querySelector('header')?.append(paragraph);
}

function element<Kind extends HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found as Kind;
}
