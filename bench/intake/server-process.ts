import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** A server under measurement, in a process of its own. */
export interface ServerProcess {
  readonly port: number;
  /** Undefined for a server that names none. */
  readonly metricsPort: number | undefined;
  /** CPU seconds of the process so far, user and system; undefined where there is no /proc. */
  cpuSeconds(): Promise<number | undefined>;
  /** The most memory that it has held, in MB; undefined where there is no /proc. */
  peakMegabytes(): Promise<number | undefined>;
  /** The memory that it holds, in MB; undefined where there is no /proc. */
  megabytes(): Promise<number | undefined>;
  /** Ends it as a kill -9 does. */
  kill(): void;
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
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const gone = once(child, 'close').finally(() => process.off('exit', kill));
  gone.catch(() => undefined);

  const ports = await Promise.race([
    listeningPorts(createInterface({ input: child.stdout })),
    gone.then(() => undefined),
  ]);
  if (ports === undefined) {
    throw new Error(`${options.args.join(' ')} ended before it listened (${child.exitCode})`);
  }
  const { pid = 0 } = child;
  const megabytesIn = async (field: 'VmHWM' | 'VmRSS') => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  };
  return {
    ...ports,
    kill,
    cpuSeconds: async () => (await cpuTimesOf(pid))?.own,
    peakMegabytes: () => megabytesIn('VmHWM'),
    megabytes: () => megabytesIn('VmRSS'),
    async stop() {
      child.kill('SIGTERM');
      const insist = setTimeout(kill, 10_000);
      await gone;
      clearTimeout(insist);
    },
  };
}

/** Its other lines are read as well, so that the pipe is never full, and dropped. */
async function listeningPorts(
  lines: NodeJS.EventEmitter,
): Promise<Pick<ServerProcess, 'port' | 'metricsPort'>> {
  return new Promise((resolve) => {
    lines.on('line', (line: string) => {
      if (!/"msg":\s*"listening"/.test(line)) return;
      const [port, metricsPort] = ['port', 'metricsPort'].map(
        (name) => new RegExp(`"${name}":\\s*(\\d+)`).exec(line)?.[1],
      );
      if (port === undefined) return;
      resolve({ port: Number(port), metricsPort: metricsPort ? Number(metricsPort) : undefined });
    });
  });
}

/** CPU seconds of a process, user and system. */
export interface CpuTimes {
  readonly parent: number;
  readonly own: number;
  /** Of children that have ended and were waited for. */
  readonly ofEndedChildren: number;
}

/** Undefined where there is no /proc, or no such process. */
export async function cpuTimesOf(pid: number | string): Promise<CpuTimes | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The command in parentheses may hold spaces; the fields behind it begin with the third one.
  // Source: proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    parent: field(4),
    own: (field(14) + field(15)) / TICKS_PER_SECOND,
    ofEndedChildren: (field(16) + field(17)) / TICKS_PER_SECOND,
  };
}

function withoutUndefined(
  environment: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}
