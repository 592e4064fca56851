import './src/stack/lighten-cdktf.ts';
import { Annotations, App, type TerraformStack } from 'cdktf';
import { FileProcessingStack } from './src/file-processing/stack.ts';
import { FoundationNetworkStack } from './src/foundation-network/stack.ts';
import { environmentOrExit, settingsOrExit } from './src/settings/environment.ts';
import { type Finding, formatFinding } from './src/settings/finding.ts';
import { outdirOrExit, writeOrExit } from './src/stack/outdir.ts';
import { summaryOrExit } from './src/synthesized/summary.ts';
import { writeSynthesizedViews } from './src/synthesized/views/write-synthesized-views.ts';

const summary = summaryOrExit(process.argv.slice(2));
const settings = environmentOrExit(import.meta.dirname, process.env.ENVIRONMENT);
const { name: environment, warnings } = settings;

const app = new App({ outdir: outdirOrExit(process.env) });
if (settings.foundationNetwork) {
  const props = { environment, settings: settings.foundationNetwork };
  warn(new FoundationNetworkStack(app, 'foundation-network', props), warnings.foundationNetwork);
}

// Loaded only where the environment has such a database: loading modules is most of a synth.
const { postgresOnDemand } = settings;
if (postgresOnDemand) {
  const { PostgresOnDemandStack } = await import('./src/postgres-on-demand/stack.ts');
  const props = { environment, settings: postgresOnDemand };
  warn(new PostgresOnDemandStack(app, 'postgres-on-demand', props), warnings.postgresOnDemand);
}
const lookup =
  postgresOnDemand && settings.fileProcessing.database === 'on_demand'
    ? await import('./src/file-processing/database-lookup.ts')
    : undefined;
const props = {
  environment,
  settings: settings.fileProcessing,
  rules: settings.rules,
  ...(lookup && postgresOnDemand && { findDatabase: lookup.databaseFinder(postgresOnDemand) }),
};
const processing = settingsOrExit(() => new FileProcessingStack(app, 'file-processing', props));
warn(processing, warnings.fileProcessing);

writeOrExit(app.outdir, () => {
  app.synth();
  writeSynthesizedViews(app.outdir);
});

process.stdout.write(summary(app.outdir, environment, settings.placeholders.map(formatFinding)));

function warn(stack: TerraformStack, findings: readonly Finding[]): void {
  for (const finding of findings) Annotations.of(stack).addWarning(formatFinding(finding));
}
