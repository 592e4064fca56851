import type { Expectation } from '@file-processing/quality/expectation.ts';
import type { QualityReport } from '@file-processing/quality/report.ts';

/** What a checker is made for. */
export interface CheckerMapping {
  readonly name: string;
  /** Name, version and digest of the mapping, and the version of the engine. */
  readonly stamp: string;
  readonly expectation: Expectation;
}

/** What the page asks its worker: to check one file. */
export interface CheckRequest {
  readonly file: File;
  readonly expectation: Expectation;
}

/** What the worker tells the page, in this order: progress any number of times, then one of the others. */
export type CheckReply =
  | { readonly kind: 'progress'; readonly bytes: number; readonly rows: number }
  /** Shows what the terminal shows. */
  | { readonly kind: 'report'; readonly report: QualityReport }
  | { readonly kind: 'error'; readonly message: string };
