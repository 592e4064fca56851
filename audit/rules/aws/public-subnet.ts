import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import { neighbours } from './attributes.ts';

/** Whether a subnet's route table leads to an internet gateway. */
export function isPublic(model: Model, subnet: Resource): boolean {
  const stack = model.stackOf(subnet);
  const tables = neighbours(model, subnet, 'aws_route_table_association')
    .filter(({ attributes }) => stack.target(attributes.subnet_id) === subnet)
    .map(({ attributes }) => stack.target(attributes.route_table_id));
  return neighbours(model, subnet, 'aws_route').some(
    ({ attributes }) =>
      tables.includes(stack.target(attributes.route_table_id)) &&
      attributes.gateway_id !== undefined,
  );
}
