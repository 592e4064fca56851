import {
  blocksOf,
  type Model,
  type Resource,
  type StackModel,
  valueAt,
} from '../../src/synthesized/model/model.ts';
import words from './words.json' with { type: 'json' };

/** How one place that holds data is encrypted at rest. */
export interface Encryption {
  readonly stack: string;
  /** Address, or `terraform` for the state. */
  readonly address: string;
  /** What is kept there, such as `messages`. */
  readonly data: string;
  /** With which key, in words. */
  readonly key: string;
  /** Whether it is encrypted at all. */
  readonly encrypted: boolean;
}

interface Place {
  readonly data: string;
  /** Path of the key's ARN or id. */
  readonly key: string;
  /** Path of a switch that must be true; where there is none, the service always encrypts. */
  readonly switch?: string;
  /** Without a key of its own: who encrypts then. @default nobody */
  readonly otherwise?: string;
}

const PLACES: Readonly<Record<string, Place>> = words.dataAtRest;

/** What is encrypted at rest, with which key: resources, disks of machines and the state. */
export function encryptionOf(model: Model): readonly Encryption[] {
  return model.stacks.flatMap((stack) => [
    ...stack.resources.flatMap((resource) => ofResource(stack, resource)),
    ...ofState(stack),
  ]);
}

function ofResource(stack: StackModel, resource: Resource): readonly Encryption[] {
  const { address, type, attributes } = resource;
  if (type === 'aws_launch_template') {
    return blocksOf(attributes.block_device_mappings).map((mapping) =>
      ofPlace(stack, address, valueAt(mapping, 'ebs'), {
        data: `disk ${String(mapping.device_name)} of each machine`,
        key: 'kms_key_id',
        switch: 'encrypted',
        otherwise: "the account's default key for disks",
      }),
    );
  }
  const place = PLACES[type];
  return place === undefined ? [] : [ofPlace(stack, address, attributes, place)];
}

function ofPlace(
  stack: StackModel,
  address: string,
  attributes: unknown,
  place: Place,
): Encryption {
  const key = stack.resolve(valueAt(attributes, place.key));
  const target = stack.target(valueAt(attributes, place.key));
  const switched =
    place.switch === undefined || String(valueAt(attributes, place.switch)) === 'true';
  const given = key !== undefined && key !== '';
  const encrypted =
    switched && (given || place.otherwise !== undefined || place.switch !== undefined);
  const named = given
    ? keyInWords(stack, String(key), target)
    : (place.otherwise ?? words.ownedByAws);
  return {
    stack: stack.name,
    address,
    data: place.data,
    key: encrypted ? named : 'not encrypted',
    encrypted,
  };
}

function ofState(stack: StackModel): readonly Encryption[] {
  return Object.entries(valueAt(stack.json.terraform, 'backend') ?? {}).map(([type, backend]) => {
    const encrypted = type === 's3' && valueAt(backend, 'encrypt') === true;
    const key = valueAt(backend, 'kms_key_id');
    const named =
      key === undefined ? "the bucket's key" : keyInWords(stack, String(key), undefined);
    return {
      stack: stack.name,
      address: 'terraform',
      data: `state (${type})`,
      key: encrypted ? named : 'not encrypted by Terraform: protect the disk that holds it',
      encrypted,
    };
  });
}

function keyInWords(stack: StackModel, key: string, target: Resource | undefined): string {
  if (target === undefined) {
    return key.startsWith('alias/aws/')
      ? `AWS's managed key ${key}`
      : `${key} (not of these stacks)`;
  }
  const { enable_key_rotation: rotates, rotation_period_in_days: days } = target.attributes;
  if (stack.resolve(rotates) !== true) return `${target.address}, never rotated`;
  // Without a period, KMS takes a year (AWS KMS Developer Guide, "Rotate AWS KMS keys").
  const period = days === undefined ? 'year' : `${String(stack.resolve(days))} days`;
  return `${target.address}, rotated every ${period}`;
}
