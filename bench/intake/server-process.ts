import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** A server under measurement, in a process of its own. */
export interface ServerProcess {
  readonly port: number;
  /** CPU seconds of the process so far, user and system; undefined where there is no /proc. */
  cpuSeconds(): Promise<number | undefined>;
  /** Asks it to end, insists after 10 s, and waits until it is gone. */
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Linux counts CPU time in these units for programs, whatever the kernel's own are. */
const TICKS_PER_SECOND = 100;

/**
 * Starts a server that says where it listens by a line `{"msg":"listening","port":...}`.
 *
 * @throws when it ends before
 */
export async function startServer(options: ServerCommand): Promise<ServerProcess> {
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(options.command, options.args, {
    cwd: options.folder,
    env: withoutUndefined({ PATH, HOME, TMPDIR, ...options.environment }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Nothing outlives this process, however it ends.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const gone = once(child, 'close').finally(() => process.off('exit', kill));
  gone.catch(() => undefined);

  const port = await Promise.race([
    listeningPort(createInterface({ input: child.stdout })),
    gone.then(() => undefined),
  ]);
  if (port === undefined) {
    throw new Error(`${options.args.join(' ')} ended before it listened (${child.exitCode})`);
  }
  return {
    port,
    cpuSeconds: () => cpuSecondsOf(child.pid),
    async stop() {
      child.kill('SIGTERM');
      const insist = setTimeout(kill, 10_000);
      await gone;
      clearTimeout(insist);
    },
  };
}

/** Its other lines are read as well, so that the pipe is never full, and dropped. */
async function listeningPort(lines: NodeJS.EventEmitter): Promise<number> {
  return new Promise((resolve) => {
    lines.on('line', (line: string) => {
      const [, port] = /"port":\s*(\d+)/.exec(line) ?? [];
      if (port !== undefined && /"msg":\s*"listening"/.test(line)) resolve(Number(port));
    });
  });
}

async function cpuSecondsOf(pid: number | undefined): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The command in parentheses may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function withoutUndefined(
  environment: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}
