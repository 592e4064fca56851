import { userInfo } from 'node:os';
import { CONSOLE_RIGHTS, type ConsoleRight } from '@file-processing/contract/console.ts';
import { CONSOLE, PORTS } from '@file-processing/contract/listener-interface.ts';
import { InvalidArgumentError } from 'commander';
import { kubectlFor } from '../kubernetes/kubectl.ts';
import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { targetOf } from '../target.ts';

interface Options {
  readonly port: number;
  readonly allow: readonly ConsoleRight[];
  readonly by: string;
}

/** Name of the console's Deployment and of its Service. */
const NAME = 'file-processing-console';

/** `manage console`: opens the console of the cluster in a browser of this machine, through kubectl. */
export const console: Operation<Options> = {
  name: 'console',
  summary: "open the cluster's console: forward a local port and print its address",
  describe: (command) =>
    command
      .option('--port <port>', 'local port', portNumber, PORTS.console)
      .option(
        '--allow <rights>',
        `what whoever opens the address may do: ${CONSOLE_RIGHTS.join(',')}`,
        rights,
        ['look'] as const,
      )
      .option('--by <name>', 'who acts, for the record', userInfo().username)
      .addHelpText(
        'after',
        `
The address is good for one browser, within five minutes; the session that it begins ends as the
settings say. It needs the rights to exec and to port-forward in the namespace. Ctrl-C ends it.`,
      ),
  execute: async (context, { port, allow, by, ...options }) => {
    const target = targetOf(context, options);
    const { console: isServed, image } = target.environment.fileProcessing;
    if (!isServed || image === '') {
      throw new OperationError('the console is not served in this cluster', {
        next: 'set console = true in file_processing.tfvars, and run npm run manage -- apply',
        code: EXIT.refused,
      });
    }
    const kubectl = await kubectlFor(context, target);
    try {
      const command = ['file-processing', CONSOLE.command, CONSOLE.link];
      const { code, stdout, stderr } = await kubectl.inNamespace([
        ...['exec', `deployment/${NAME}`, '--container', CONSOLE.command, '--', ...command],
        ...[CONSOLE.allow, allow.join(','), CONSOLE.by, by],
      ]);
      const link = stdout.trim();
      if (code !== 0 || !link.startsWith('/')) {
        throw new OperationError(`the console gave no address: ${stderr.trim()}`, {
          next: `kubectl --namespace ${target.environment.fileProcessing.namespace} get pods --selector app=${NAME}`,
          code: EXIT.unavailable,
        });
      }
      const address = `http://127.0.0.1:${port}${link}`;
      context.stdout.write(options.json ? `${JSON.stringify({ address })}\n` : `${address}\n`);
      const forward = await kubectl.inNamespace(
        ['port-forward', '--address', '127.0.0.1', `service/${NAME}`, `${port}:80`],
        { output: 'progress' },
      );
      return forward.code === 0 ? EXIT.ok : forward.code;
    } finally {
      kubectl.dispose();
    }
  },
};

function rights(text: string): readonly ConsoleRight[] {
  const given = text.split(',');
  const known = CONSOLE_RIGHTS.filter((right) => given.includes(right));
  if (known.length === given.length) return known;
  throw new InvalidArgumentError(`Some of ${CONSOLE_RIGHTS.join(',')} are needed.`);
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('A port from 1 to 65535 is needed.');
}
