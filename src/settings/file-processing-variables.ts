import { commonVariables } from './common-variables.ts';
import { bucketVariables } from './file-processing/buckets.ts';
import { clusterVariables } from './file-processing/cluster.ts';
import { databaseVariables } from './file-processing/database.ts';
import { deliveryVariables } from './file-processing/delivery.ts';
import { nodeVariables } from './file-processing/nodes.ts';
import { noticeVariables } from './file-processing/notices.ts';
import { workloadVariables } from './file-processing/workload.ts';
import type { SettingsOf } from './variable.ts';

/** The variables of `file_processing.tfvars`. */
export const fileProcessingVariables = {
  ...commonVariables,
  ...clusterVariables,
  ...nodeVariables,
  ...bucketVariables,
  ...deliveryVariables,
  ...workloadVariables,
  ...noticeVariables,
  ...databaseVariables,
};

/**
 * Checked settings of the file-processing stack, under the names of the tfvars file. A sensitive
 * value is not among them: `db_password` is always empty here.
 */
export type FileProcessingSettings = SettingsOf<typeof fileProcessingVariables>;
