import { readFile, writeFile } from 'node:fs/promises';
import { InvalidArgumentError, Option } from 'commander';
import { modelOf } from '../../synthesized/model/model.ts';
import { readSynthesizedStacks } from '../../synthesized/synthesized-stack.ts';
import { kubernetesObjects } from '../../synthesized/views/kubernetes-manifests.ts';
import { yamlOf } from '../../synthesized/views/yaml.ts';
import { jobObjects } from '../job/job-objects.ts';
import { eventFor, readS3Events } from '../job/s3-events.ts';
import { checkKey } from '../notifications/object-key.ts';
import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { targetOf } from '../target.ts';
import { synthesize } from '../terraform/synthesize.ts';

interface Options {
  readonly eventJson?: string;
  readonly eventsFile?: string;
  readonly key?: string;
  readonly bucket?: string;
  readonly job: string;
  readonly deadline: number;
  readonly ttl: number;
  readonly from?: string;
  readonly output?: string;
}

/** `manage job-manifest`: the Kubernetes Job that judges one file, for `kubectl apply`. */
export const jobManifest: Operation<Options> = {
  name: 'job-manifest',
  summary: 'write the Kubernetes Job that runs the listener once, for one file',
  describe: (command) =>
    command
      .option('--event-json <json>', 'S3 event, or the SNS message that carries one')
      .option('--events-file <file>', 'file with events; it becomes a ConfigMap that is mounted')
      .option('--key <key>', 'key of the object, instead of an event')
      .option('--bucket <name>', 'its bucket (default: bucket_name of the tfvars)')
      .option('--job <name>', "the listener's job", 's3_data_quality_job')
      .addOption(seconds('--deadline <seconds>', 'until the Job is ended as failed', 3600))
      .addOption(seconds('--ttl <seconds>', 'from its end until it is removed', 86_400))
      .option('--from <folder>', 'synthesized folder (default: synthesize now)')
      .option('-o, --output <file>', 'file to write (default: standard output)')
      .addHelpText(
        'after',
        `
Try it:  npm run --silent manage -- job-manifest --key from_client/a.csv | kubectl apply -f -
The Job is named after what it does: applying the same again changes nothing. To run it
once more, delete the Job first. Kubernetes removes the Job, but not its ConfigMap:
  kubectl delete configmap --selector app.kubernetes.io/component=file-job`,
      ),
  execute: async (context, options) => {
    const { environment } = targetOf(context, options);
    const { bucket_name } = environment.fileProcessing;
    const events = await eventsOf(options, bucket_name);
    const objects = readS3Events(events);
    for (const { bucket, key } of objects.filter(({ bucket }) => bucket !== bucket_name)) {
      context.stderr.write(
        `warning: s3://${bucket}/${key} is not in ${bucket_name}, the bucket that the role may read\n`,
      );
    }
    const folder = options.from ?? (await synthesize(context, environment.name));
    const manifests = jobObjects(kubernetesObjects(modelOf(readSynthesizedStacks(folder))), {
      job: options.job,
      events,
      mounted: options.eventsFile !== undefined,
      deadlineSeconds: options.deadline,
      ttlSeconds: options.ttl,
    });
    const text = options.json
      ? `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, undefined, 2)}\n`
      : manifests.map(yamlOf).join('---\n');
    if (options.output === undefined) context.stdout.write(text);
    else await writeFile(options.output, text);
    return EXIT.ok;
  },
};

async function eventsOf(options: Options, ownBucket: string): Promise<string> {
  const { eventJson, eventsFile, key, bucket } = options;
  const given = [eventJson, eventsFile, key].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new OperationError(
      `one of --event-json, --events-file and --key is needed, not ${given.length}`,
      {
        code: EXIT.usage,
      },
    );
  }
  if (bucket !== undefined && key === undefined) {
    throw new OperationError('--bucket goes with --key; an event names its own', {
      code: EXIT.usage,
    });
  }
  if (key !== undefined) return eventFor({ bucket: bucket ?? ownBucket, key: checkKey(key) });
  if (eventsFile === undefined) return eventJson ?? '';
  return readFile(eventsFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new OperationError(`${eventsFile} can't be read: ${cause.message}`, {
      code: EXIT.usage,
      cause,
    });
  });
}

function seconds(flags: string, description: string, byDefault: number): Option {
  return new Option(flags, `${description}, in seconds`).default(byDefault).argParser((text) => {
    if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('1 to 99999999 are allowed.');
    return Number(text);
  });
}
