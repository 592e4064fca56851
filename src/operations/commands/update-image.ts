import { waitOption, withConsentOptions } from '../command-options.ts';
import { resolveImage, writeContainerImage } from '../image/image-to-deploy.ts';
import { type PutImageOptions, putImage, withBuildOptions } from '../image/put-image.ts';
import { showRollout } from '../kubernetes/rollout.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, type ExitCode, OperationError } from '../operation-error.ts';
import { type Target, targetOf } from '../target.ts';
import { applyStack } from '../terraform/apply-stack.ts';

/** Options of `manage update-image`. */
export interface UpdateImageOptions extends PutImageOptions {
  /** An image that is in a registry already, in place of a build. */
  readonly image?: string;
  /** Seconds. */
  readonly wait: number;
}

/** `manage update-image`: a new image of the listener, from the sources to the pods. */
export const updateImage: Operation<UpdateImageOptions> = {
  name: 'update-image',
  summary: 'build and push the image, apply the stack with its digest, wait for the rollout',
  describe: (command) =>
    withConsentOptions(withBuildOptions(command))
      .option('--image <image>', 'deploy this image from a registry, and build none')
      .addOption(waitOption('how long the rollout may take')),
  execute: async (context, options) => {
    const target = targetOf(context, options);
    requireKubernetes(target);
    const image = await imageToDeploy(context, options, target);
    context.stderr.write(`Deploying ${image}\n`);
    if (options.dryRun) return await planOnly(context, options, image);
    const applied = await apply(context, options, target);
    const code = await showRollout(context, target, { ...options, restart: false });
    if (code === EXIT.ok) {
      context.stderr.write(applied ? 'The image is deployed.\n' : 'It was deployed already.\n');
    }
    return code;
  },
};

function requireKubernetes({ environment }: Target): void {
  if (environment.fileProcessing.manage_kubernetes) return;
  throw new OperationError('manage_kubernetes is false: others deploy the pods', {
    next: 'npm run manage -- ecr-put builds and pushes the image; give its digest to those who deploy',
    code: EXIT.usage,
  });
}

async function imageToDeploy(
  context: OperationContext,
  options: UpdateImageOptions,
  target: Target,
): Promise<string> {
  if (options.image === undefined) return (await putImage(context, options, target)).image;
  const image = await resolveImage(context, target, options.image);
  // A later apply reads it there.
  if (!options.dryRun) await writeContainerImage(context.root, target.environment.name, image);
  return image;
}

/** What would change in the stack, with the image as a variable: the file stays as it is. */
async function planOnly(
  context: OperationContext,
  options: UpdateImageOptions,
  image: string,
): Promise<ExitCode> {
  if (!image.includes('@')) {
    context.stderr.write(
      'Dry run: the image is not built, so its digest, and the plan, are not known.\n',
    );
    return EXIT.ok;
  }
  const { changes } = await applyStack(context, { ...options, variables: { image } });
  context.stderr.write(
    changes.length === 0 ? 'Dry run: nothing would change.\n' : 'Dry run: nothing was changed.\n',
  );
  return EXIT.ok;
}

/** Applies the stack; where that fails, the pods may tell why. */
async function apply(
  context: OperationContext,
  options: UpdateImageOptions,
  target: Target,
): Promise<boolean> {
  try {
    return (await applyStack(context, options)).applied;
  } catch (error) {
    const declined = error instanceof OperationError && error.code === EXIT.refused;
    // The error of the apply is the one to report, whether or not the pods can be shown.
    if (!declined) {
      await showRollout(context, target, { restart: false, wait: 0, json: false }).catch(
        () => undefined,
      );
    }
    throw error;
  }
}
