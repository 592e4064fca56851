import { CUSTOM_OBJECTS } from '../../settings/common-variables.ts';
import { modelOf } from '../../synthesized/model/model.ts';
import type { TerraformJson } from '../../synthesized/synthesized-stack.ts';
import { customObjectsOf, type Manifest } from '../../synthesized/views/kubernetes-manifests.ts';
import { fill, placeholdersOf } from '../../synthesized/views/placeholders.ts';
import { placeholderValues } from '../manifests/placeholder-values.ts';
import type { CommonOptions, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import type { RunResult } from '../runner.ts';
import { targetOf } from '../target.ts';
import type { OpenStack } from '../terraform/open-stack.ts';
import type { ResourceChange, StateJson } from '../terraform/plan-json.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';

/** The Helm chart that brings the definitions of an API group's kinds. */
const CHARTS: Readonly<Record<string, string>> = {
  'keda.sh': 'kedacore/keda',
  'monitoring.coreos.com': 'prometheus-community/kube-prometheus-stack',
};

/** Owner of the fields, as of everything else that `manage` applies. */
const AS_OWNER = ['--server-side', '--field-manager=manage', '--force-conflicts'];

/** Names an object of the Kubernetes API. */
type Identity = Pick<Manifest, 'apiVersion' | 'kind' | 'metadata'>;

/** The Kubernetes objects of a stack that Terraform does not make. */
export interface CustomObjects {
  /** There are some, or have been: the cluster is asked. */
  readonly concernsCluster: boolean;
  /** An earlier apply has put some in place. */
  readonly holdsAny: boolean;
  /** What {@link CustomObjects.removeAll} would take away, as far as it is there. */
  readonly held: readonly ResourceChange[];
  /** What {@link CustomObjects.remove} and {@link CustomObjects.apply} would change now; `show` takes the differences. */
  readonly changes: (show?: (text: string) => void) => Promise<readonly ResourceChange[]>;
  /** Takes away what an earlier apply has put in place and the stack lists no more, the last one first. @returns what it was */
  readonly remove: () => Promise<readonly ResourceChange[]>;
  /** Takes away all that an earlier apply has put in place. @returns what it was */
  readonly removeAll: () => Promise<readonly ResourceChange[]>;
  /** Brings what the stack lists to what it says, in its order. @returns what was changed */
  readonly apply: () => Promise<readonly ResourceChange[]>;
}

/**
 * Works on the objects that {@link listCustomObject} lists, by kubectl. What was put in place before is known from the
 * stack's state, as its output names it; what others made is left alone.
 *
 * @param state - before anything of the stack is changed
 */
export function customObjects(
  context: OperationContext,
  options: CommonOptions,
  stack: OpenStack,
  state: StateJson,
): CustomObjects {
  const { name, folder, json } = stack;
  const model = modelOf([{ name, path: folder, json: json as TerraformJson }]).stacks[0];
  const listed = model === undefined ? [] : customObjectsOf(model);
  const held = heldIn(state);
  const gone = held.filter((one) => !listed.some(({ manifest }) => isSame(manifest, one)));

  const withKubectl = async <T>(work: (kubectl: Kubectl) => Promise<T>): Promise<T> => {
    const kubectl = await kubectlFor(context, targetOf(context, options));
    try {
      return await work(kubectl);
    } finally {
      kubectl.dispose();
    }
  };
  const wanted = async (): Promise<readonly Manifest[]> => {
    if (model === undefined || listed.length === 0) return [];
    const placeholders = placeholdersOf(model, listed);
    const outputs = placeholders.length === 0 ? {} : await stack.terraform.outputs();
    const values = placeholderValues(placeholders, listed, {
      outputs: Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value])),
      given: {},
    });
    return listed.map(({ manifest }) => fill(manifest, (text) => values.get(text) ?? ''));
  };
  const removeThese = (objects: readonly Identity[]) =>
    objects.length === 0
      ? Promise.resolve([])
      : withKubectl((kubectl) => removed(kubectl, objects));

  return {
    concernsCluster: listed.length > 0 || held.length > 0,
    holdsAny: held.length > 0,
    held: held.map((one) => ({ address: nameOf(one), actions: ['delete'] })),
    changes: async (show) => {
      if (listed.length === 0 && gone.length === 0) return [];
      // Before its first apply a stack has no outputs, and perhaps no cluster: all is still to be made.
      if (state.outputs === undefined || Object.keys(state.outputs).length === 0) {
        return listed.map(({ manifest }) => ({ address: nameOf(manifest), actions: ['create'] }));
      }
      const objects = await wanted();
      return withKubectl(async (kubectl) => [
        ...(await existing(kubectl, gone)).map((one) => ({
          address: nameOf(one),
          actions: ['delete'],
        })),
        ...(await differing(kubectl, objects, show)),
      ]);
    },
    remove: () => removeThese(gone),
    removeAll: () => removeThese(held),
    apply: async () => {
      const objects = await wanted();
      if (objects.length === 0) return [];
      return withKubectl(async (kubectl) => {
        const changes: ResourceChange[] = [];
        for (const manifest of objects) {
          const [change] = await differing(kubectl, [manifest]);
          if (change === undefined) continue;
          const input = JSON.stringify(manifest);
          const ended = await kubectl.run(['apply', ...AS_OWNER, '--filename', '-'], { input });
          if (ended.code !== 0) throw failure(manifest, 'could not be applied', ended);
          context.stderr.write(`${nameOf(manifest)} was applied\n`);
          changes.push(change);
        }
        return changes;
      });
    },
  };
}

/** What the last phase is called, where there is one. */
export const CUSTOM_PHASE = 'Kubernetes objects that Terraform does not make';

function heldIn({ outputs }: StateJson): readonly Identity[] {
  const text = outputs?.[CUSTOM_OBJECTS]?.value;
  return typeof text === 'string' ? (JSON.parse(text) as readonly Identity[]) : [];
}

function isSame(one: Identity, other: Identity): boolean {
  return (
    // Another version of the same group is the same object.
    groupOf(one) === groupOf(other) && nameOf(one) === nameOf(other)
  );
}

function groupOf({ apiVersion }: Identity): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** Such as `ScaledObject etl/file-processing-sns`. */
function nameOf({ kind, metadata: { name, namespace } }: Identity): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

async function removed(
  kubectl: Kubectl,
  objects: readonly Identity[],
): Promise<readonly ResourceChange[]> {
  const changes: ResourceChange[] = [];
  for (const object of await existing(kubectl, objects.toReversed())) {
    const ended = await kubectl.run(['delete', '--ignore-not-found', '--filename', '-'], {
      input: JSON.stringify(object),
    });
    if (ended.code !== 0) throw failure(object, 'could not be deleted', ended);
    changes.push({ address: nameOf(object), actions: ['delete'] });
  }
  return changes;
}

/** Those that are there; one whose kind the cluster does not know is not. */
async function existing<T extends Identity>(
  kubectl: Kubectl,
  objects: readonly T[],
): Promise<readonly T[]> {
  const found: T[] = [];
  for (const object of objects) if (await exists(kubectl, object, true)) found.push(object);
  return found;
}

async function exists(kubectl: Kubectl, object: Identity, mayBeUnknown: boolean): Promise<boolean> {
  const ended = await kubectl.run(
    ['get', '--ignore-not-found', '--output', 'name', '--filename', '-'],
    { input: JSON.stringify(object) },
  );
  if (ended.code === 0) return ended.stdout.trim() !== '';
  if (mayBeUnknown && isUnknownKind(ended)) return false;
  throw failure(object, 'could not be looked up', ended);
}

async function differing(
  kubectl: Kubectl,
  objects: readonly Manifest[],
  show: (text: string) => void = () => undefined,
): Promise<readonly ResourceChange[]> {
  const changes: ResourceChange[] = [];
  for (const manifest of objects) {
    const address = nameOf(manifest);
    if (!(await exists(kubectl, manifest, false))) {
      show(`${address} will be created\n`);
      changes.push({ address, actions: ['create'] });
      continue;
    }
    const ended = await kubectl.run(['diff', ...AS_OWNER, '--filename', '-'], {
      input: JSON.stringify(manifest),
    });
    // As diff(1): 1 is a difference, more is a failure.
    if (ended.code > 1) throw failure(manifest, 'could not be compared', ended);
    if (ended.code === 0) continue;
    show(`${address} will be changed\n${ended.stdout}`);
    changes.push({ address, actions: ['update'] });
  }
  return changes;
}

function isUnknownKind({ stderr }: RunResult): boolean {
  return /no matches for kind|doesn't have a resource type/.test(stderr);
}

function failure(object: Identity, what: string, ended: RunResult): OperationError {
  const { kind, apiVersion } = object;
  const chart = CHARTS[groupOf(object)];
  if (!isUnknownKind(ended)) {
    return new OperationError(`${nameOf(object)} ${what}: ${ended.stderr.trim()}`, {
      next: 'fix that and run the same command again: it continues from there',
    });
  }
  return new OperationError(
    `the cluster knows no ${kind} of ${apiVersion}, which ${chart === undefined ? 'a newer Kubernetes' : `the Helm chart ${chart}`} brings`,
    {
      next: `install ${chart === undefined ? 'it' : `the chart ${chart}`}, and run the same command again: it continues from there`,
      code: EXIT.refused,
    },
  );
}
