import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('./listener-entry.ts', import.meta.url));

/** The listener ended before it listened; why is on its standard error. */
export class ListenerEndedError extends Error {
  override readonly name = 'ListenerEndedError';
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;

  constructor(reason: string, exitCode: number | undefined) {
    super(`the listener ended before it listened (${reason})`);
    this.exitCode = exitCode;
  }
}

/** What the listener inherits of our own environment: nothing that would configure it. */
const INHERITED = /^(PATH|HOME|TMPDIR|TEMP|TMP|TZ|LANG|LC_.*|SystemRoot|NODE_COMPILE_CACHE)$/;

/** What {@link startListenerProcess} reports. */
export interface ListenerProcessOptions {
  /** Called with each line of its log. */
  readonly onLine: (line: Readonly<Record<string, unknown>>) => void;
  /** Called when it ended without being asked and is started again, as a pod would be. */
  readonly onRestart: (reason: string) => void;
  /** Called when it can't be started again. */
  readonly onGiveUp: (error: Error) => void;
}

/** Where the listener listens. */
export interface ListenerPorts {
  readonly port: number;
  readonly metricsPort: number;
}

/** The listener, as a process that is started again when it dies. */
export interface ListenerProcess {
  /** Its process id now. */
  readonly pid: number | undefined;
  /**
   * Lets it work; before, it only loads its modules.
   *
   * @returns the ports that it listens on, which it keeps when it is started again
   */
  serve(environment: Readonly<Record<string, string>>): Promise<ListenerPorts>;
  /** Lets it drain, and waits until it is gone. */
  stop(): Promise<void>;
  kill(): void;
}

/** Starts the process; see {@link ListenerProcess.serve}. */
export function startListenerProcess(options: ListenerProcessOptions): ListenerProcess {
  let child = launch();
  let environment: Readonly<Record<string, string>> = {};
  let stopping = false;

  function launch(): ChildProcess {
    return fork(ENTRY, {
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name))),
      // A process group of its own: Ctrl-C is for this process, which asks it to drain.
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      // Not those of a test runner.
      execArgv: [],
    });
  }

  function serveNow(): Promise<ListenerPorts> {
    const ports = Promise.withResolvers<ListenerPorts>();
    let listening = false;
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = parse(text);
        if (line.msg === 'listening') {
          listening = true;
          ports.resolve({ port: Number(line.port), metricsPort: Number(line.metricsPort) });
        }
        options.onLine(line);
      });
    }
    child.once('exit', (code, signal) => {
      const reason = signal ?? `exit code ${code}`;
      if (stopping) return;
      if (!listening) {
        ports.reject(new ListenerEndedError(reason, code ?? undefined));
        return;
      }
      options.onRestart(reason);
      child = launch();
      serveNow().catch(options.onGiveUp);
    });
    child.send(environment);
    return ports.promise;
  }

  return {
    get pid() {
      return child.pid;
    },
    async serve(given) {
      environment = given;
      const ports = await serveNow();
      environment = {
        ...given,
        PORT: String(ports.port),
        METRICS_PORT: String(ports.metricsPort),
      };
      return ports;
    },
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      await gone;
    },
    kill() {
      stopping = true;
      child.kill('SIGKILL');
    },
  };
}

/** A line that is not JSON comes from Node.js itself. */
function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Shown as it is.
  }
  return { level: 40, msg: text };
}
