import { type Command as Commander, Option } from 'commander';
import { addBuildArgument } from './build-arguments.ts';
import { PLATFORMS } from './platforms.ts';

/** Adds the options of {@link PutImageOptions} that every command which builds has. */
export function withBuildOptions(command: Commander): Commander {
  return command
    .option('--platform <list>', 'platforms, separated by commas', PLATFORMS.join(','))
    .option('--repository <uri>', "registry and name (default: the stack's own repository)")
    .option('--tag <tag>', 'tag (default: the commit)')
    .option('--allow-dirty', 'build what is not committed, and mark the tag', false)
    .addOption(
      new Option(
        '--build-arg <name=value>',
        'ARG of listener/Dockerfile, such as NODE_IMAGE (repeatable; no secrets)',
      )
        .default({}, 'none')
        .argParser(addBuildArgument),
    );
}
