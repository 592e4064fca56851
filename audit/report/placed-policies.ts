import type { Model, Resource } from '../../src/synthesized/model/model.ts';
import { policiesOf } from '../policy/policies.ts';
import { type PolicyDocument, parsePolicy } from '../policy/policy-document.ts';

/** A policy as a report shows it. */
export interface ShownPolicy {
  readonly stack: string;
  /** Address of the resource that carries it. */
  readonly address: string;
  /** Who has what it grants, where the statements name nobody: roles, by their addresses. */
  readonly holders: readonly string[];
  /** What it is about, where the statements name nothing. */
  readonly about: string;
  /** Undefined where the JSON does not tell. */
  readonly document: PolicyDocument | undefined;
}

/**
 * Every policy in the stacks: those in the places that are known, and whatever else is a policy by its
 * form, so that a new kind of resource is not left out.
 */
export function shownPolicies(model: Model): readonly ShownPolicy[] {
  const known = policiesOf(model);
  const listed = known.map(({ stack, address, kind, holder, about, document }) => ({
    stack,
    address,
    holders: kind === 'identity' ? holdersOf(model, holder, about) : [],
    about: (about ?? holder).address,
    document,
  }));
  const others = model.resources
    .filter((resource) => !known.some(({ holder }) => holder === resource))
    .flatMap((resource) =>
      Object.values(resource.attributes).flatMap((value) => {
        const document = parsePolicy(value);
        const { stack, address } = resource;
        return document === undefined
          ? []
          : [{ stack, address, holders: [], about: address, document }];
      }),
    );
  return [...listed, ...others];
}

/** A policy of others that a role has: AWS's managed ones, above all. */
export interface AttachedPolicy {
  readonly stack: string;
  readonly address: string;
  readonly role: string;
  readonly policyArn: string;
}

/** Attachments of policies whose text is not in the stacks. */
export function attachedPolicies(model: Model): readonly AttachedPolicy[] {
  return attachments(model).flatMap((attachment) => {
    const stack = model.stackOf(attachment);
    const { policy_arn: policy } = attachment.attributes;
    if (stack.target(policy) !== undefined) return [];
    const { address } = attachment;
    return [
      {
        stack: stack.name,
        address,
        role: principalOf(model, attachment),
        policyArn: String(policy),
      },
    ];
  });
}

function holdersOf(model: Model, holder: Resource, about: Resource | undefined): readonly string[] {
  if (about !== undefined && about !== holder) return [about.address];
  if (about === undefined) return [principalOf(model, holder)];
  return attachments(model)
    .filter(
      (attachment) => model.stackOf(attachment).target(attachment.attributes.policy_arn) === holder,
    )
    .map((attachment) => principalOf(model, attachment));
}

function attachments(model: Model): readonly Resource[] {
  return model.resources.filter(
    ({ type, attributes }) => type.startsWith('aws_iam_') && 'policy_arn' in attributes,
  );
}

function principalOf(model: Model, { stack, attributes }: Resource): string {
  const value = attributes.role ?? attributes.user ?? attributes.group ?? attributes.roles;
  return model.stackOf({ stack }).target(value)?.address ?? String(value);
}
