import { LISTENER_VARIABLES } from '@file-processing/contract/listener-variables.ts';
import { ALL_RULES } from '../../audit/rules/all-rules.ts';
import { errorTable } from '../../listener/src/errors.ts';
import { createMetrics, type Metrics } from '../../listener/src/http/metrics.ts';
import { PLACES } from '../../listener/src/privacy/places.ts';
import { OPERATIONS } from '../../src/operations/operations.ts';
import { fileProcessingVariables } from '../../src/settings/file-processing-variables.ts';
import { foundationNetworkVariables } from '../../src/settings/foundation-network-variables.ts';
import { postgresOnDemandVariables } from '../../src/settings/postgres-on-demand-variables.ts';
import { mermaidOf } from '../../src/synthesized/diagram/mermaid.ts';
import { modelOf } from '../../src/synthesized/model/model.ts';
import type { SynthesizedStack } from '../../src/synthesized/synthesized-stack.ts';
import { qualitySections } from './quality-tables.ts';
import { scheduleSections } from './schedule-tables.ts';
import {
  commandsMarkdown,
  environmentMarkdown,
  errorsMarkdown,
  metricsMarkdown,
  outputsMarkdown,
  placesMarkdown,
  rulesMarkdown,
  variablesMarkdown,
} from './tables.ts';

/** The listener's metrics, those of its database included. */
export function listenerMetrics(): Metrics {
  return createMetrics({
    queueDepths: async () => ({ runs: 0, runs_dead_letter: 0 }),
    bucketOutages: () => [],
    rulesRefused: () => false,
    pool: () => ({ used: 0, free: 0, waiting: 0 }),
    jobsInHand: () => ({ running: 0, places: 1 }),
    backlog: async () => ({
      deadLetters: 0,
      deadMessages: 0,
      deadNotices: 0,
      waitingNotices: 0,
      oldestNoticeSeconds: 0,
      lastListing: 0,
      foundByListing: 0,
      missingReports: 0,
      unmonitoredFiles: 0,
      lateDeliveries: 0,
      missingDeliveries: 0,
      monthsAheadSeconds: 0,
      oldestWaitingSeconds: 0,
    }),
  });
}

/** Every generated section of the documentation by its name: tables, and the picture of the stacks. */
export function generatedSections(stacks: readonly SynthesizedStack[]): Record<string, string> {
  const sections: Record<string, string> = {
    'variables of foundation_network.tfvars': variablesMarkdown(foundationNetworkVariables),
    'variables of file_processing.tfvars': variablesMarkdown(fileProcessingVariables),
    'variables of postgres_on_demand.tfvars': variablesMarkdown(postgresOnDemandVariables),
    'commands of manage': commandsMarkdown(OPERATIONS),
    'environment of the listener': environmentMarkdown(LISTENER_VARIABLES),
    'errors of the listener': errorsMarkdown(errorTable),
    'places of values': placesMarkdown(Object.values(PLACES)),
    'metrics of the listener': metricsMarkdown(listenerMetrics().registry.getMetricsAsArray()),
    'rules of the audit': rulesMarkdown(ALL_RULES),
    ...qualitySections(),
    ...scheduleSections(),
    'diagram of the stacks': `\`\`\`mermaid\n${mermaidOf(modelOf(stacks))}\`\`\``,
  };
  for (const { name, json } of stacks) {
    sections[`outputs of ${name}`] = outputsMarkdown(json.output ?? {});
  }
  return sections;
}
