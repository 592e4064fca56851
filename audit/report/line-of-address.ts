import { findNodeAtLocation, parseTree } from 'jsonc-parser';

/**
 * Line at which the block of an address begins in a stack's JSON text; 1 where it has none of its own.
 *
 * @param text - a stack's `cdk.tf.json`
 * @param address - such as `aws_sns_topic.events`, `data.aws_vpcs.found`, `var.image`, `output.url`; a
 *   part of the block may follow, as in `kubernetes_deployment_v1.web main`
 * @returns 1-based
 */
export function lineOfAddress(text: string, address: string): number {
  const tree = parseTree(text);
  const value = tree && findNodeAtLocation(tree, pathOf(address));
  // The line of the name, which is before the value.
  const offset = value?.parent?.offset ?? value?.offset;
  return offset === undefined ? 1 : text.slice(0, offset).split('\n').length;
}

const SECTIONS: Readonly<Record<string, string>> = {
  data: 'data',
  local: 'locals',
  output: 'output',
  provider: 'provider',
  var: 'variable',
};

function pathOf(address: string): string[] {
  const parts = (address.split(' ')[0] ?? '').replaceAll(/\[[^\]]*\]/g, '').split('.');
  const [first = '', ...rest] = parts;
  const section = SECTIONS[first];
  if (section !== undefined) return [section, ...rest];
  return rest.length === 0 ? [first] : ['resource', ...parts];
}
