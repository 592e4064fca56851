import { expect, it } from 'vitest';
import { synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const customObjectsOf = (settings: Parameters<typeof synthesizeWorkload>[0] = {}) =>
  synthesizeWorkload(settings).customObjects;

it('has each pod scraped at the port of its metrics', () => {
  expect(
    customObjectsOf({ pod_monitor: true, pod_monitor_labels: { release: 'monitoring' } }),
  ).toEqual([
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: {
        name: 'file-processing-sns',
        namespace: 'file-processing',
        labels: expect.objectContaining({ release: 'monitoring', app: 'file-processing-sns' }),
      },
      spec: {
        selector: { matchLabels: { app: 'file-processing-sns' } },
        podMetricsEndpoints: [{ port: 'metrics', path: '/metrics', interval: '30s' }],
      },
    },
  ]);
});

it('is not there by default, nor as long as there is no image', () => {
  expect(customObjectsOf()).toBeUndefined();
  expect(customObjectsOf({ pod_monitor: true, image: '' })).toBeUndefined();
});
