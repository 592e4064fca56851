import { withConsentOptions } from '../command-options.ts';
import {
  type PutImageOptions,
  type PutImageReport,
  putImage,
  withBuildOptions,
} from '../image/put-image.ts';
import type { Operation } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { targetOf } from '../target.ts';

/** `manage ecr-put`: builds the listener's image, pushes it, and writes it beside the tfvars. */
export const ecrPut: Operation<PutImageOptions> = {
  name: 'ecr-put',
  summary: "build the listener's image, push it, write it with its digest beside the tfvars",
  describe: (command) =>
    withConsentOptions(withBuildOptions(command)).addHelpText(
      'after',
      '\nCONTAINER_TOOL=podman builds with podman in place of docker.\n',
    ),
  execute: async (context, options) => {
    const report = await putImage(context, options, targetOf(context, options));
    if (options.json) context.stdout.write(`${JSON.stringify(report)}\n`);
    else context.stdout.write(`${report.image}\n`);
    context.stderr.write(`${resultOf(report, options.dryRun)}\n`);
    return EXIT.ok;
  },
};

function resultOf({ file, pushed, written }: PutImageReport, dryRun: boolean): string {
  if (dryRun) return `Dry run: nothing was built, pushed or written to ${file}.`;
  if (written) return `${file} names it now; npm run manage -- apply deploys it.`;
  return pushed ? `${file} named it already.` : `Nothing to do: ${file} names it already.`;
}
