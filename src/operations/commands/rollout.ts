import { Argument } from 'commander';
import { waitOption } from '../command-options.ts';
import { showRollout } from '../kubernetes/rollout.ts';
import type { Operation } from '../operation.ts';
import { EXIT } from '../operation-error.ts';
import { targetOf } from '../target.ts';

/** Options of `manage rollout`. */
export interface RolloutOptions {
  /** Seconds. */
  readonly wait: number;
  readonly dryRun: boolean;
}

/** `manage rollout`: how the listener's pods stand, or new ones in their place. */
export const rollout: Operation<RolloutOptions> = {
  name: 'rollout',
  summary: "show the state of the listener's rollout, or restart its pods one after the other",
  describe: (command) =>
    command
      .addArgument(
        new Argument('[action]', 'what to do').choices(['status', 'restart']).default('status'),
      )
      .addOption(waitOption('how long the rollout may take; 0 only looks'))
      .option('--dry-run', 'do not restart, only show the state', false),
  execute: async (context, { json, wait, dryRun, ...options }, action) => {
    const restart = action === 'restart' && !dryRun;
    const target = targetOf(context, { ...options, json });
    const code = await showRollout(context, target, { restart, wait: dryRun ? 0 : wait, json });
    if (!dryRun) return code;
    if (action === 'restart') context.stderr.write('Dry run: nothing was restarted.\n');
    return EXIT.ok;
  },
};
