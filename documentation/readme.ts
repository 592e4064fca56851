import { VARIABLES } from '../listener/src/config/variables.ts';
import { errorTable } from '../listener/src/errors.ts';
import { OPERATIONS } from '../src/operations/operations.ts';
import { fileProcessingVariables } from '../src/settings/file-processing-variables.ts';
import { foundationNetworkVariables } from '../src/settings/foundation-network-variables.ts';
import {
  commandsMarkdown,
  environmentMarkdown,
  errorsMarkdown,
  type Outputs,
  outputsMarkdown,
  replaceSection,
  variablesMarkdown,
} from './readme-tables.ts';

/** The README with its generated tables as they should be now. */
export function readmeWithTables(
  readme: string,
  outputs: Readonly<Record<'foundation-network' | 'file-processing', Outputs>>,
): string {
  const sections = {
    'variables of foundation_network.tfvars': variablesMarkdown(foundationNetworkVariables),
    'variables of file_processing.tfvars': variablesMarkdown(fileProcessingVariables),
    'outputs of foundation-network': outputsMarkdown(outputs['foundation-network']),
    'outputs of file-processing': outputsMarkdown(outputs['file-processing']),
    'commands of manage': commandsMarkdown(OPERATIONS),
    'environment of the listener': environmentMarkdown(VARIABLES),
    'errors of the listener': errorsMarkdown(errorTable),
  };
  return Object.entries(sections).reduce(
    (document, [name, text]) => replaceSection(document, name, text),
    readme,
  );
}
