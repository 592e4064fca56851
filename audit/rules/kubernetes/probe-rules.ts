import { type Audited, type Rule, rule } from '../rule.ts';
import type { Probe } from './api-types.ts';
import { shown, when } from './faults.ts';
import { READINESS_PATH, READINESS_SECONDS, SERVED_PATHS } from './listener-interface.ts';
import { servers } from './listeners.ts';
import { type Container, containersOf, portOf, servingPods } from './pods.ts';

/** Names of the three probes. */
const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
type ProbeName = (typeof PROBES)[number];

interface PlacedProbe {
  readonly stack: string;
  readonly address: string;
  readonly container: Container;
  readonly name: ProbeName;
  readonly probe: Probe;
}

/** What nobody asks, nobody knows. */
export const containerIsProbed: Rule = rule({
  id: 'container-is-probed',
  title: 'Every container that runs for ever has a startup, a liveness and a readiness probe',
  reason:
    'Without readiness a pod gets messages before it can take them, and a rollout replaces good pods by broken ones; without liveness a hung process hangs for ever; without startup a slow start is a crash.',
  control: 'CP-10',
  severity: 'high',
  subjects: servingContainers,
  faults: ({ spec }) => PROBES.filter((name) => !spec[name]).map((name) => `has no ${name}`),
});

/** A probe that knocks at the wrong door fails for ever, or never. */
export const probeFindsItsPort: Rule = rule({
  id: 'probe-finds-its-port',
  title: 'Every probe asks a port that its container has, in the protocol that it speaks',
  reason:
    'A probe of a port that nobody opens fails for ever: the pod is killed, or never ready. One that asks another host proves nothing.',
  control: 'CP-10',
  severity: 'high',
  subjects: probes,
  faults: ({ container, probe }) => {
    const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port;
    if (probe.exec) return when(!probe.exec.command?.length, 'runs no command');
    if (port === undefined)
      return ['asks nothing: it has neither httpGet, tcpSocket, grpc nor exec'];
    return [
      ...when(
        portOf([container], port) === undefined,
        `asks port ${port}, which container ${container.name} does not have`,
      ),
      ...when(
        probe.httpGet?.host !== undefined,
        `asks the host ${probe.httpGet?.host}, not its pod`,
      ),
    ];
  },
});

/** The listener answers each path for a purpose. */
export const probeAsksAServedPath: Rule = rule({
  id: 'probe-asks-a-served-path',
  title:
    "Every probe of a listener asks a path that it serves, for the purpose that it's there for",
  reason:
    'A path that is not served is a 404 for ever. Liveness on the readiness path restarts every pod while the database is away; readiness on another path sends messages to pods that can take none.',
  control: 'CP-10',
  severity: 'high',
  subjects: (audited) => {
    const listeners = new Set(servers(audited).map(({ address }) => address));
    return probes(audited).filter(({ container }) => listeners.has(container.address));
  },
  faults: ({ container, name, probe }, audited) => {
    const listener = servers(audited).find(({ address }) => address === container.address);
    if (!probe.httpGet) return ['must ask over HTTP: an open port does not say that it answers'];
    const { path = '/', port, scheme = 'HTTP' } = probe.httpGet;
    const number = Number(portOf([container], port)?.containerPort);
    const served = number === Number(listener?.setting('METRICS_PORT')) ? 'METRICS_PORT' : 'PORT';
    const paths: readonly string[] = SERVED_PATHS[served];
    return [
      ...when(scheme !== 'HTTP', `asks by ${scheme}; the listener speaks HTTP`),
      ...when(!paths.includes(path), `asks ${path}; ${served} serves ${paths.join(', ')}`),
      ...when(
        name === 'readinessProbe' && path !== READINESS_PATH,
        `asks ${path}, which answers while the database is away; readiness is ${READINESS_PATH}`,
      ),
      ...when(
        name !== 'readinessProbe' && path === READINESS_PATH,
        `asks ${path}, which fails while the database is away: all pods are restarted for it`,
      ),
    ];
  },
});

/** A probe with the wrong patience is worse than none. */
export const probeHasPatience: Rule = rule({
  id: 'probe-has-patience',
  title: 'Probes wait long enough for an answer, and not too long for a failure',
  reason:
    'A time-out below what the answer may take, or a single failure, restarts or unroutes healthy pods; a pod that hangs must be found within minutes.',
  control: 'CP-10',
  severity: 'medium',
  subjects: probes,
  faults: ({ name, probe }) => {
    const { periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe;
    const { initialDelaySeconds = 0, successThreshold = 1 } = probe;
    const budget = periodSeconds * failureThreshold;
    if (name === 'startupProbe') {
      return [
        ...when(budget < 20, `gives ${budget} s to start; that is at least 20 s`),
        ...when(budget > 600, `gives ${budget} s to start; that is at most 600 s`),
        ...when(
          timeoutSeconds > 30,
          `waits ${timeoutSeconds} s for an answer; that is at most 30 s`,
        ),
        ...when(
          timeoutSeconds < 2,
          `waits ${timeoutSeconds} s for an answer; that is at least 2 s`,
        ),
      ];
    }
    return [
      ...when(
        timeoutSeconds > periodSeconds,
        `waits ${timeoutSeconds} s for an answer and asks every ${periodSeconds} s`,
      ),
      ...when(
        timeoutSeconds <= READINESS_SECONDS,
        `waits ${timeoutSeconds} s for an answer, which may take ${READINESS_SECONDS} s`,
      ),
      ...when(failureThreshold < 2, 'takes a single failure for the truth'),
      ...when(
        name === 'livenessProbe' && budget < 20,
        `restarts the container after ${budget} s; that is at least 20 s`,
      ),
      ...when(
        budget > (name === 'livenessProbe' ? 180 : 60),
        `notices a failure after ${budget} s only`,
      ),
      ...when(
        initialDelaySeconds > 60,
        `begins ${initialDelaySeconds} s after the start; a startupProbe is there for that`,
      ),
      ...when(
        name === 'livenessProbe' && successThreshold !== 1,
        `successThreshold is ${shown(successThreshold)}; the API takes 1 only`,
      ),
      ...when(successThreshold > 3, `needs ${successThreshold} answers before it believes one`),
    ];
  },
});

function servingContainers(audited: Audited): readonly Container[] {
  return servingPods(audited)
    .flatMap(containersOf)
    .filter(({ init }) => !init);
}

function probes(audited: Audited): readonly PlacedProbe[] {
  return servingContainers(audited).flatMap((container) =>
    PROBES.flatMap((name) => {
      const probe = container.spec[name];
      const address = `${container.address} ${name}`;
      return probe ? [{ stack: container.stack, address, container, name, probe }] : [];
    }),
  );
}

/** Rules on probes. */
export const PROBE_RULES: readonly Rule[] = [
  containerIsProbed,
  probeFindsItsPort,
  probeAsksAServedPath,
  probeHasPatience,
];
