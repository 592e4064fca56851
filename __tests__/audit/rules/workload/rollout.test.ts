import { ROLLOUT_RULES } from '../../../../audit/rules/workload/rollout.ts';
import { describeRules } from '../../support/describe-rules.ts';
import { CONFIG_MAP, DEPLOYMENT, MAIN, POD } from '../../support/kubernetes-paths.ts';
import { argumentOf, type Change, drop, set } from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const rolling = (field: string, value: string): Change =>
  set(DEPLOYMENT, `spec.strategy.rolling_update.${field}`, value);
const preStop = (...command: readonly string[]): Change =>
  set(DEPLOYMENT, `${MAIN}.lifecycle.pre_stop.0.exec.command`, command);

const probe = (name: string, field: string, value: unknown): Change =>
  set(DEPLOYMENT, `${MAIN}.${name}_probe.${field}`, value);

function portOfMessages(json: Json): void {
  probe('liveness', 'http_get.port', argumentOf(json, DEPLOYMENT, `${MAIN}.port.0.name`))(json);
}

describeRules(ROLLOUT_RULES, {
  objects: {
    'rollout-keeps-serving': [
      ['all pods at once', set(DEPLOYMENT, 'spec.strategy', { type: 'Recreate' })],
      ['one of two unavailable', rolling('max_unavailable', '1')],
      ['all unavailable', rolling('max_unavailable', '100%')],
      ['no surge', rolling('max_surge', '0')],
      ['a surge of no number', rolling('max_surge', 'one')],
      ['no way back', set(DEPLOYMENT, 'spec.revision_history_limit', 0)],
      ['a pause', set(DEPLOYMENT, 'spec.paused', true)],
    ],
    'rollout-is-waited-for': [
      ['no waiting', set(DEPLOYMENT, 'wait_for_rollout', false)],
      ['a deadline below a start', set(DEPLOYMENT, 'spec.progress_deadline_seconds', 60)],
      ['a deadline of a day', set(DEPLOYMENT, 'spec.progress_deadline_seconds', 86_400)],
      ['Terraform gives up first', set(DEPLOYMENT, 'timeouts.update', '5m')],
      ['the default time-out', drop(DEPLOYMENT, 'timeouts')],
      ['a late readiness', set(DEPLOYMENT, 'spec.min_ready_seconds', 600)],
    ],
    'pod-drains': [
      ['no preStop', drop(DEPLOYMENT, `${MAIN}.lifecycle`)],
      ['a preStop of no action', drop(DEPLOYMENT, `${MAIN}.lifecycle.pre_stop.0.exec`)],
      ['a preStop of a second', preStop('sleep', '1')],
      ['a preStop of ten milliseconds', preStop('node', '-e', 'setTimeout(() => {}, 10)')],
      ['a preStop that is not a program', preStop('node', '-e', 'setTimeout(() => {}, 10000')],
      ['a preStop above the grace period', preStop('sleep', '60')],
      ['no grace', set(DEPLOYMENT, `${POD}.termination_grace_period_seconds`, 0)],
      ['the default grace', drop(DEPLOYMENT, `${POD}.termination_grace_period_seconds`)],
      ['an hour of grace', set(DEPLOYMENT, `${POD}.termination_grace_period_seconds`, 3600)],
      ['a longer drain', set(CONFIG_MAP, 'data.SHUTDOWN_SECONDS', '60')],
      ['no drain', set(CONFIG_MAP, 'data.SHUTDOWN_SECONDS', '1')],
    ],
    'container-is-probed': ['startup', 'liveness', 'readiness'].map((name) => [
      `no ${name} probe`,
      drop(DEPLOYMENT, `${MAIN}.${name}_probe`),
    ]),
    'probe-has-a-valid-port': [
      ['a name that no port has', probe('liveness', 'http_get.port', 'nothing')],
      ['a number that no port has', probe('readiness', 'http_get.port', '8081')],
      ['another name of the port', set(DEPLOYMENT, `${MAIN}.port.1.name`, 'other')],
      ['another host', probe('readiness', 'http_get.host', 'example.org')],
      ['no question', drop(DEPLOYMENT, `${MAIN}.startup_probe.http_get`)],
    ],
    'probe-requests-a-served-path': [
      ['a path that is not served', probe('liveness', 'http_get.path', '/health')],
      ['another path at the start', probe('startup', 'http_get.path', '/started')],
      ['liveness that asks for readiness', probe('liveness', 'http_get.path', '/readyz')],
      ['a start that asks for readiness', probe('startup', 'http_get.path', '/readyz')],
      ['readiness that asks for life', probe('readiness', 'http_get.path', '/healthz')],
      ['no path of readiness', drop(DEPLOYMENT, `${MAIN}.readiness_probe.http_get.path`)],
      ['the port of the messages', portOfMessages],
      ['https', probe('liveness', 'http_get.scheme', 'HTTPS')],
      [
        'an open port alone',
        set(DEPLOYMENT, `${MAIN}.readiness_probe`, { tcp_socket: { port: '8080' } }),
      ],
    ],
    'probe-timing-is-valid': [
      ['no time-out', drop(DEPLOYMENT, `${MAIN}.readiness_probe.timeout_seconds`)],
      ['a time-out above the period', probe('readiness', 'timeout_seconds', 30)],
      ['a time-out below the answer', probe('liveness', 'timeout_seconds', 4)],
      ['one failure', probe('liveness', 'failure_threshold', 1)],
      ['a restart after 10 s', probe('liveness', 'period_seconds', 3)],
      ['a look once an hour', probe('liveness', 'period_seconds', 3600)],
      ['readiness that believes for minutes', probe('readiness', 'failure_threshold', 60)],
      ['a late begin', probe('liveness', 'initial_delay_seconds', 600)],
      ['no time to start', probe('startup', 'failure_threshold', 1)],
      ['an hour to start', probe('startup', 'failure_threshold', 1800)],
      ['two successes of life', probe('liveness', 'success_threshold', 2)],
    ],
  },
});
