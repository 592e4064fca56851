import { readFile } from 'node:fs/promises';

const FIXTURE = new URL('../fixtures/file-processing.tf.json', import.meta.url);

/** The parts of the synthesized stack that tests change. */
export interface SynthesizedStack {
  resource: {
    kubernetes_config_map_v1: { config: { data: Record<string, string> } };
    aws_sns_topic: { file_processing: { name: string } };
    aws_s3_bucket_notification?: Record<
      string,
      { bucket: string; topic: { filter_prefix?: string; filter_suffix?: string }[] }
    >;
  };
}

/** A synthesized file-processing stack to change at will. */
export async function synthesizedStack(): Promise<SynthesizedStack> {
  return JSON.parse(await readFile(FIXTURE, 'utf8'));
}
