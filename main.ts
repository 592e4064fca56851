import './src/stack/lighten-cdktf.ts';
import { Annotations, App } from 'cdktf';
import { FileProcessingStack } from './src/file-processing/stack.ts';
import { FoundationNetworkStack } from './src/foundation-network/stack.ts';
import { environmentOrExit } from './src/settings/environment.ts';
import { formatFinding } from './src/settings/finding.ts';
import { outdirOrExit } from './src/stack/outdir.ts';
import { summaryOrExit } from './src/synthesized/summary.ts';
import { writeSynthesizedViews } from './src/synthesized/views/write-synthesized-views.ts';

const summary = summaryOrExit(process.argv.slice(2));
const environment = environmentOrExit(import.meta.dirname, process.env.ENVIRONMENT);

const app = new App({ outdir: outdirOrExit(process.env) });
const network = new FoundationNetworkStack(app, 'foundation-network', {
  environment: environment.name,
  settings: environment.foundationNetwork,
});
const processing = new FileProcessingStack(app, 'file-processing', {
  environment: environment.name,
  settings: environment.fileProcessing,
});
for (const [stack, warnings] of [
  [network, environment.warnings.foundationNetwork],
  [processing, environment.warnings.fileProcessing],
] as const) {
  for (const warning of warnings) Annotations.of(stack).addWarning(formatFinding(warning));
}
app.synth();
writeSynthesizedViews(app.outdir);

process.stdout.write(
  summary(app.outdir, environment.name, environment.placeholders.map(formatFinding)),
);
