import { Command as Commander, CommanderError, Option } from 'commander';
import { DEFAULT_ENVIRONMENT } from '../settings/environment.ts';
import { SettingsError } from '../settings/finding.ts';
import { SynthesizedFolderError } from '../synthesized/synthesized-stack.ts';
import { ManifestError } from '../synthesized/views/kubernetes-manifests.ts';
import type { CommonOptions, OperationContext } from './operation.ts';
import { asAwsError, asFileError, EXIT, type ExitCode, OperationError } from './operation-error.ts';
import { OPERATIONS } from './operations.ts';

/**
 * Runs one command of `manage`.
 *
 * @param parameters - what follows the program's name
 * @returns the exit code; nothing is thrown
 */
export async function runOperation(
  parameters: readonly string[],
  context: OperationContext,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = describeProgram(context, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(parameters, { from: 'user' });
    return code;
  } catch (error) {
    return report(error, context);
  }
}

function describeProgram(context: OperationContext, finish: (code: ExitCode) => void): Commander {
  const program = new Commander('manage')
    .description('Deploys the stacks and operates what they create.')
    // What follows a command's name is the command's, a -- included.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .addHelpText('after', EXIT_CODES_HELP);
  for (const operation of OPERATIONS) {
    const command = operation
      .describe(program.command(operation.name).description(operation.summary))
      .addOption(
        new Option('--environment <name>', 'folder below environments/').default(
          context.env.ENVIRONMENT || DEFAULT_ENVIRONMENT,
        ),
      )
      .option('--profile <name>', 'profile of the AWS CLI (default: aws_profile of the tfvars)')
      .option('--region <region>', 'AWS region (default: aws_region of the tfvars)')
      .addOption(new Option('--json', 'print JSON').default(false));
    command.action(async () => {
      finish(
        // Of an argument that takes several values, each is one of the operands.
        await operation.execute(
          context,
          command.opts<CommonOptions>(),
          ...command.processedArgs.flat(),
        ),
      );
    });
  }
  return program;
}

function report(error: unknown, { stderr }: OperationContext): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof SettingsError) {
    stderr.write(`${error.message}\n`);
    return EXIT.usage;
  }
  if (error instanceof SynthesizedFolderError || error instanceof ManifestError) {
    stderr.write(`error: ${error.message}\n`);
    return EXIT.usage;
  }
  const known = error instanceof OperationError ? error : (asAwsError(error) ?? asFileError(error));
  if (known !== undefined) {
    stderr.write(`error: ${known.message}\n${known.next ? `next: ${known.next}\n` : ''}`);
    return known.code;
  }
  stderr.write(`unexpected error: ${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.unexpected;
}

const EXIT_CODES_HELP = `
Exit codes:
  0   done, or nothing to do
  1   something that the command ran or checked failed
  2   plan, drift: there are changes
  64  usage or settings
  69  a tool, a service or the cluster could not be reached
  70  unexpected
  77  refused or declined; nothing was changed
`;
