import { readFile } from 'node:fs/promises';
import { JOBS, type JobName } from '@file-processing/contract/listener-interface.ts';
import {
  type DeliveryFilter,
  objectCreatedEvent,
  readS3Events,
} from '@file-processing/contract/s3-event.ts';
import { Option } from 'commander';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { modelOf } from '../../synthesized/model/model.ts';
import { readSynthesizedStacks } from '../../synthesized/synthesized-stack.ts';
import { kubernetesObjects } from '../../synthesized/views/kubernetes-manifests.ts';
import { yamlOf } from '../../synthesized/views/yaml.ts';
import { checkKey, secondsOption } from '../command-options.ts';
import { writeOutput } from '../files.ts';
import { deliveryFilterOf, jobObjects } from '../job/job-objects.ts';
import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { targetOf } from '../target.ts';
import { synthesize } from '../terraform/synthesize.ts';
import { oneBucket } from '../topics/event-target.ts';

interface Options {
  readonly eventJson?: string;
  readonly eventsFile?: string;
  readonly key?: string;
  readonly bucket?: string;
  readonly job: JobName;
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
      .option('--bucket <name>', 'its bucket (default: the only one of the tfvars)')
      .addOption(new Option('--job <name>', "the listener's job").choices(JOBS).default(JOBS[0]))
      .addOption(secondsOption('--deadline <seconds>', 'until the Job is stopped as failed', 3600))
      .addOption(secondsOption('--ttl <seconds>', 'from its end until it is deleted', 86_400))
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
    const events = await eventsOf(options, environment.fileProcessing);
    const folder = options.from ?? (await synthesize(context, environment.name));
    const objects = kubernetesObjects(modelOf(readSynthesizedStacks(folder)));
    for (const reason of ignoredIn(events, deliveryFilterOf(objects))) {
      context.stderr.write(`warning: the listener will ignore ${reason}\n`);
    }
    const manifests = jobObjects(objects, {
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
    else await writeOutput(options.output, text);
    return EXIT.ok;
  },
};

async function eventsOf(options: Options, settings: FileProcessingSettings): Promise<string> {
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
    throw new OperationError('--bucket needs --key; an event names its own bucket', {
      code: EXIT.usage,
    });
  }
  if (key !== undefined) {
    const { name } = oneBucket(bucket, settings);
    return JSON.stringify(objectCreatedEvent({ bucket: name, key: checkKey(key) }));
  }
  if (eventsFile === undefined) return eventJson ?? '';
  return readFile(eventsFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new OperationError(`${eventsFile} can't be read: ${cause.message}`, {
      code: EXIT.usage,
      cause,
    });
  });
}

/**
 * What the listener would ignore beside what it judges.
 *
 * @throws OperationError (usage) where it would judge nothing
 */
function ignoredIn(events: string, filter: DeliveryFilter): readonly string[] {
  const { objects, problems, ...read } = readS3Events(events, filter);
  // Keys are untrusted text: no control character reaches the terminal.
  const ignored = read.ignored.map((reason) => reason.replace(/[\p{Cc}\p{Cf}]/gu, '?'));
  if (problems.length > 0) {
    throw new OperationError(`not an S3 event: ${problems.join('; ')}`, {
      next: 'give an S3 event with Records, or the SNS message that carries one, or --bucket and --key',
      code: EXIT.usage,
    });
  }
  if (objects.length > 0) return ignored;
  const reason = ignored.length === 0 ? 'it is an empty list' : [...new Set(ignored)].join('; ');
  throw new OperationError(`the listener would judge nothing: ${reason}`, { code: EXIT.usage });
}
