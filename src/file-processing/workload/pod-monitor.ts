import { PATHS } from '@file-processing/contract/listener-interface.ts';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { listCustomObject } from '../../stack/addressed-stack.ts';
import { LABELS, LISTENER, METRICS_PORT, POD_SELECTOR } from './names.ts';

/**
 * Has Prometheus scrape each pod of the listener, where its operator runs (Prometheus Operator API reference,
 * "PodMonitor"). Of each pod, not of a Service: a figure of one process is that of no other.
 */
export function listPodMonitor(scope: Construct, settings: FileProcessingSettings): void {
  listCustomObject(scope, {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: {
      name: LISTENER,
      namespace: settings.namespace,
      labels: { ...LABELS, ...settings.pod_monitor_labels },
    },
    spec: {
      selector: { matchLabels: POD_SELECTOR },
      podMetricsEndpoints: [{ port: METRICS_PORT.name, path: PATHS.metrics, interval: '30s' }],
    },
  });
}
