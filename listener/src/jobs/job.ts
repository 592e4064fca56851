import type { JobName } from '@file-processing/contract/listener-interface.ts';
import type { ValueOf } from '@file-processing/contract/listener-variables.ts';
import type { AcceptedDelivery, DeliveredColumn } from '@file-processing/quality/delivery-rules.ts';
import type { Reference } from '@file-processing/quality/ports.ts';
import type { CollectedKeys } from '@file-processing/quality/reference-keys.ts';
import type { ProtectedReport } from '../privacy/withhold.ts';
import type { ObjectStore, StoredObjectReference } from '../storage/object-store.ts';
import type { Engine } from './engine-ports.ts';
import type { MonitoredFile } from './monitored-file.ts';

/**
 * What the verdict on an object that is not monitored is: that on its structure (`judge`), the same but never `passed`
 * (`warn`), or `failed` (`fail`) where it is not `unreadable`.
 */
export type Unmonitored = ValueOf<'UNMONITORED'>;

/** What a job works with. */
export interface JobContext {
  readonly store: ObjectStore;
  /** What is expected of an object; undefined when it is not monitored. */
  readonly findMonitoredFile: (
    object: Pick<StoredObjectReference, 'bucket' | 'key'>,
  ) => Promise<MonitoredFile | undefined>;
  readonly engine: Engine;
  /** The last deliveries of a monitored file that were accepted before this one. @default they are not known */
  readonly acceptedBefore?: (
    monitored: MonitoredFile,
    limit: number,
  ) => Promise<readonly AcceptedDelivery[] | undefined>;
  /** When the file was delivered, as ISO 8601 has it. @default now */
  readonly deliveredAt?: () => Promise<string>;
  /** Keys of other files that a file's foreign keys refer to. @default they are not known */
  readonly referenceKeys?: (
    monitored: MonitoredFile,
    wanted: readonly Pick<Reference, 'resource' | 'fields'>[],
  ) => Promise<readonly Reference[]>;
  /** Faults that a report lists in full. */
  readonly maxFaults: number;
  /** What becomes of the verdict on an object that is not monitored. @default judge */
  readonly unmonitored?: Unmonitored;
  /** Ends the job, which then throws the signal's reason. */
  readonly signal: AbortSignal;
  /** Called from time to time with the progress of the job. */
  readonly onProgress?: (progress: JobProgress) => void;
}

/** The progress of a job. */
export interface JobProgress {
  readonly bytes: number;
  readonly rows: number;
  readonly sizeBytes: number;
}

/** What a job found. */
export type JobOutcome =
  | (ProtectedReport & {
      readonly status: 'finished';
      /** Undefined for a file that is not monitored: only its structure was judged. */
      readonly monitored: MonitoredFile | undefined;
      /** What later deliveries are compared with. */
      readonly columns: readonly DeliveredColumn[];
      /** What foreign keys of other files are compared with, as far as there are some. */
      readonly keys: readonly CollectedKeys[];
    })
  | { readonly status: 'gone' | 'replaced'; readonly reason: string };

/** Something that can be done with one object. What it throws is technical, worth a retry. */
export interface Job {
  readonly name: JobName;
  run(object: StoredObjectReference, context: JobContext): Promise<JobOutcome>;
}
