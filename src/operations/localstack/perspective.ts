import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

/** What a part of the platform is called in LocalStack. */
export interface Perspective {
  readonly bucket: string;
  readonly topicName: string;
}

/** The perspective of this repository. */
export const DEFAULT_PERSPECTIVE = 'file_processing';

/**
 * Names of a perspective: `data_pipeline` has the bucket `etl-data-pipeline-client-etl` and the topic
 * `data-pipeline-topic`.
 *
 * @throws OperationError (usage)
 */
export function perspectiveOf(name: string): Perspective {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) || name.length > 40) {
    throw new OperationError(
      `--perspective ${JSON.stringify(name)} is none: at most 40 lower-case letters and digits, words joined by underscores, such as data_pipeline`,
      { code: EXIT.usage },
    );
  }
  const dashed = name.replaceAll('_', '-');
  return { bucket: `etl-${dashed}-client-etl`, topicName: `${dashed}-topic` };
}
