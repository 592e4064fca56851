import type { HeldResource } from '../plan-json.ts';
import { addressesOf, isKubernetes, type StackJson } from '../stack-json.ts';
import type { Refusal } from './refusal.ts';

/**
 * Refuses to go on with Kubernetes objects in the state of a stack that makes none any more: its
 * Kubernetes provider is gone with them, and Terraform could neither read nor delete them.
 */
export function refuseOrphanedObjects(
  json: StackJson,
  held: readonly HeldResource[],
): readonly Refusal[] {
  const orphaned = held.map(({ address }) => address).filter(isKubernetes);
  if (orphaned.length === 0 || addressesOf(json).some(isKubernetes)) return [];
  return [
    {
      reason: `manage_kubernetes = false, but the state still holds ${orphaned.join(', ')}`,
      next: 'to hand the objects over as they are, take them out of the state (terraform state rm); to delete them, set manage_kubernetes = true again and destroy',
    },
  ];
}
