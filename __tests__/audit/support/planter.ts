import type { Json, Stacks } from './renamed-stack.ts';

/** A statement of a policy, to be changed. */
export type Statement = Record<string, unknown>;

/**
 * Changes single lines of synthesized stacks. Resources are found by their type and by what they hold,
 * never by name, so that the same change can be made in renamed stacks.
 */
export interface Planter {
  /** Sets an argument such as `vpc_config.endpoint_public_access`; lists of one are seen through. */
  readonly set: (type: string, path: string, value: unknown, where?: RegExp) => void;
  /** Changes an argument. */
  readonly change: (
    type: string,
    path: string,
    edit: (value: unknown) => unknown,
    where?: RegExp,
  ) => void;
  /** Removes an argument. */
  readonly drop: (type: string, path: string, where?: RegExp) => void;
  /** Removes a resource, and its name from every `depends_on`. */
  readonly remove: (type: string, where?: RegExp) => void;
  /** Adds a resource to the stack that has one of another type. */
  readonly add: (type: string, attributes: Json, beside: string) => void;
  /** Adds a copy of a resource, with some arguments changed. */
  readonly copy: (type: string, changes?: Json, where?: RegExp) => void;
  /** Changes the statement of a policy that holds a text. */
  readonly statement: (where: RegExp, edit: (statement: Statement) => void) => void;
  /** Changes the list of statements of the policy that holds a text. */
  readonly statements: (where: RegExp, edit: (list: Statement[]) => unknown) => void;
  /** Changes a JSON text of an argument that is not a policy. */
  readonly json: (type: string, path: string, edit: (value: Json) => void, where?: RegExp) => void;
  /** The whole JSON of the stack that has a resource of a type. */
  readonly stackWith: (type: string) => Json;
  /** Address of a resource. */
  readonly address: (type: string, where?: RegExp) => string;
}

/** A planter for some stacks, which it changes in place. */
export function planterFor(stacks: Stacks): Planter {
  const blocksOf = (type: string) =>
    Object.values(stacks).flatMap((json) =>
      ['resource', 'data'].flatMap((mode) =>
        Object.entries(member(member(json, mode), type)).map(([name, attributes]) => ({
          json,
          name,
          named: member(member(json, mode), type),
          attributes: attributes as Json,
        })),
      ),
    );
  const find = (type: string, where: RegExp = /./) => {
    const found = blocksOf(type).find(({ attributes }) => where.test(JSON.stringify(attributes)));
    if (found === undefined) throw new Error(`There is no ${type} with ${where}`);
    return found;
  };
  const holder = (attributes: Json, path: string): readonly [Json, string] => {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let at: unknown = attributes;
    for (const key of keys) {
      const one = Array.isArray(at) && !/^\d+$/.test(key) ? at[0] : at;
      if (typeof (one as Json)[key] !== 'object') (one as Json)[key] = {};
      at = (one as Json)[key];
    }
    return [(Array.isArray(at) && !/^\d+$/.test(last) ? at[0] : at) as Json, last];
  };
  const statements: Planter['statements'] = (where, edit) => {
    for (const json of Object.values(stacks)) {
      for (const attributes of resourcesOf(json)) {
        for (const argument of ['policy', 'assume_role_policy']) {
          const text = (attributes as Json)[argument];
          if (typeof text !== 'string' || !text.includes('"Statement"') || !where.test(text))
            continue;
          const policy = JSON.parse(text) as { Statement: Statement[] };
          const edited = edit(policy.Statement);
          if (Array.isArray(edited)) policy.Statement = edited as Statement[];
          (attributes as Json)[argument] = JSON.stringify(policy);
          return;
        }
      }
    }
    throw new Error(`There is not a policy with ${where}`);
  };
  return {
    set: (type, path, value, where) => {
      const [block, key] = holder(find(type, where).attributes, path);
      block[key] = value;
    },
    change: (type, path, edit, where) => {
      const [block, key] = holder(find(type, where).attributes, path);
      block[key] = edit(block[key]);
    },
    drop: (type, path, where) => {
      const [block, key] = holder(find(type, where).attributes, path);
      if (!(key in block)) throw new Error(`${type} has no ${path}`);
      delete block[key];
    },
    remove: (type, where) => {
      const { json, name, named } = find(type, where);
      delete named[name];
      for (const other of resourcesOf(json)) {
        const depends = (other as Json).depends_on;
        if (Array.isArray(depends)) {
          (other as Json).depends_on = depends.filter((address) => address !== `${type}.${name}`);
        }
      }
    },
    add: (type, attributes, beside) => {
      const { json } = find(beside);
      const resources = json.resource as Json;
      resources[type] = { ...member(resources, type), planted: attributes };
    },
    copy: (type, changes = {}, where) => {
      const { named, attributes } = find(type, where);
      named.planted = { ...structuredClone(attributes), ...changes };
    },
    statement: (where, edit) => {
      statements(where, (list) => {
        const found = list.find((statement) => where.test(JSON.stringify(statement)));
        if (found === undefined) throw new Error(`There is no statement with ${where}`);
        edit(found);
      });
    },
    statements,
    json: (type, path, edit, where) => {
      const [block, key] = holder(find(type, where).attributes, path);
      const value = JSON.parse(String(block[key])) as Json;
      edit(value);
      block[key] = JSON.stringify(value);
    },
    stackWith: (type) => find(type).json,
    address: (type, where) => `${type}.${find(type, where).name}`,
  };
}

function resourcesOf(json: Json): readonly unknown[] {
  return Object.values(member(json, 'resource')).flatMap((named) => Object.values(Object(named)));
}

/** An object inside another; an empty one where there is none. */
export function member(value: unknown, key: string): Json {
  return ((Object(value) as Json)[key] ?? {}) as Json;
}
