import { describe } from 'vitest';
import { PROBE_RULES } from '../../../../audit/rules/kubernetes/probe-rules.ts';
import { DEPLOYMENT, MAIN } from '../../support/kubernetes-paths.ts';
import {
  argumentOf,
  type Change,
  describePlants,
  drop,
  set,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const probe = (name: string, field: string, value: unknown): Change =>
  set(DEPLOYMENT, `${MAIN}.${name}_probe.${field}`, value);

describe('The rules on probes', () => {
  describePlants(PROBE_RULES, {
    'container-is-probed': ['startup', 'liveness', 'readiness'].map((name) => [
      `no ${name} probe`,
      drop(DEPLOYMENT, `${MAIN}.${name}_probe`),
    ]),
    'probe-finds-its-port': [
      ['a name that no port has', probe('liveness', 'http_get.port', 'nothing')],
      ['a number that no port has', probe('readiness', 'http_get.port', '8081')],
      ['another name of the port', set(DEPLOYMENT, `${MAIN}.port.0.name`, 'other')],
      ['another host', probe('readiness', 'http_get.host', 'example.org')],
      ['no question', drop(DEPLOYMENT, `${MAIN}.startup_probe.http_get`)],
    ],
    'probe-asks-a-served-path': [
      ['a path that is not served', probe('liveness', 'http_get.path', '/health')],
      ['another path at the start', probe('startup', 'http_get.path', '/started')],
      ['liveness that asks for readiness', probe('liveness', 'http_get.path', '/readyz')],
      ['a start that asks for readiness', probe('startup', 'http_get.path', '/readyz')],
      ['readiness that asks for life', probe('readiness', 'http_get.path', '/healthz')],
      ['no path of readiness', drop(DEPLOYMENT, `${MAIN}.readiness_probe.http_get.path`)],
      ['https', probe('liveness', 'http_get.scheme', 'HTTPS')],
      ['the port of the metrics', metricsPort],
      [
        'an open port alone',
        set(DEPLOYMENT, `${MAIN}.readiness_probe`, { tcp_socket: { port: '8080' } }),
      ],
    ],
    'probe-has-patience': [
      ['no time-out', drop(DEPLOYMENT, `${MAIN}.readiness_probe.timeout_seconds`)],
      ['a time-out above the period', probe('readiness', 'timeout_seconds', 30)],
      ['one failure', probe('liveness', 'failure_threshold', 1)],
      ['a restart after 10 s', probe('liveness', 'period_seconds', 3)],
      ['a look once an hour', probe('liveness', 'period_seconds', 3600)],
      ['readiness that believes for minutes', probe('readiness', 'failure_threshold', 60)],
      ['a late begin', probe('liveness', 'initial_delay_seconds', 600)],
      ['no time to start', probe('startup', 'failure_threshold', 1)],
      ['an hour to start', probe('startup', 'failure_threshold', 1800)],
      ['two successes of life', probe('liveness', 'success_threshold', 2)],
    ],
  });
});

function metricsPort(json: Json): void {
  probe('readiness', 'http_get.port', argumentOf(json, DEPLOYMENT, `${MAIN}.port.1.name`))(json);
}
