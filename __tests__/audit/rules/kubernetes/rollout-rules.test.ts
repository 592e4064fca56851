import { describe } from 'vitest';
import { ROLLOUT_RULES } from '../../../../audit/rules/kubernetes/rollout-rules.ts';
import { CONFIG_MAP, DEPLOYMENT, MAIN, POD } from '../../support/kubernetes-paths.ts';
import { type Change, describePlants, drop, set } from '../../support/kubernetes-plants.ts';

const rolling = (field: string, value: string): Change =>
  set(DEPLOYMENT, `spec.strategy.rolling_update.${field}`, value);
const preStop = (...command: readonly string[]): Change =>
  set(DEPLOYMENT, `${MAIN}.lifecycle.pre_stop.0.exec.command`, command);

describe('The rules on rollouts', () => {
  describePlants(ROLLOUT_RULES, {
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
      ['a preStop that is no program', preStop('node', '-e', 'setTimeout(() => {}, 10000')],
      ['a preStop above the grace period', preStop('sleep', '60')],
      ['no grace', set(DEPLOYMENT, `${POD}.termination_grace_period_seconds`, 0)],
      ['the default grace', drop(DEPLOYMENT, `${POD}.termination_grace_period_seconds`)],
      ['an hour of grace', set(DEPLOYMENT, `${POD}.termination_grace_period_seconds`, 3600)],
      ['a longer drain', set(CONFIG_MAP, 'data.SHUTDOWN_SECONDS', '60')],
      ['no drain', set(CONFIG_MAP, 'data.SHUTDOWN_SECONDS', '1')],
    ],
  });
});
