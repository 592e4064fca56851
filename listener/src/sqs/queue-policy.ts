/** Services that put events into a queue, and by what in a statement each is held to its own sources. */
const SENDERS: Readonly<Record<string, readonly string[]>> = {
  'sns.amazonaws.com': ['aws:sourcearn'],
  's3.amazonaws.com': ['aws:sourcearn', 'aws:sourceaccount'],
  'events.amazonaws.com': ['aws:sourcearn', 'aws:sourceaccount'],
};

/** Operators that compare with something that must be there; those with `IfExists` let pass what has none. */
const OPERATORS = /^(String(Equals|Like)|Arn(Equals|Like))$/;

interface Statement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: string | readonly string[];
  readonly NotAction?: unknown;
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >;
}

/**
 * Why a policy of a queue lets others send than those services for sources that it names (Amazon S3 User Guide,
 * "Granting permissions to publish event notification messages"; Amazon EventBridge User Guide, "Amazon SQS permissions").
 *
 * @param policy - as SQS says it; undefined where the queue has none
 * @returns empty where it lets only those send
 */
export function senderFaults(policy: string | undefined): readonly string[] {
  if (!policy) return ['it has no policy, so that no service may send to it'];
  const { Statement = [] } = JSON.parse(policy) as { Statement?: Statement | Statement[] };
  return [Statement].flat().filter(letsSend).flatMap(faultsOf);
}

function letsSend({ Effect, Action, NotAction }: Statement): boolean {
  if (Effect !== 'Allow') return false;
  const actions = [Action ?? []].flat().map((action) => action.toLowerCase());
  return (
    NotAction !== undefined || actions.some((action) => pattern(action).test('sqs:sendmessage'))
  );
}

/** Of an action; IAM knows two wildcards, and no difference between cases. */
function pattern(action: string): RegExp {
  const escaped = action.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

function faultsOf(statement: Statement): readonly string[] {
  const { Sid = 'a statement', Principal, NotPrincipal } = statement;
  if (NotPrincipal !== undefined) return [`${Sid} lets all but some send`];
  const principals = principalsOf(Principal);
  const conditions = Object.entries(statement.Condition ?? {})
    .filter(([operator]) => OPERATORS.test(operator))
    .flatMap(([, keys]) => Object.entries(keys))
    .filter(([, values]) => [values].flat().every(isNarrow))
    .map(([key]) => key.toLowerCase());
  return principals.flatMap((principal) => {
    const needed = SENDERS[principal];
    if (needed === undefined) return [`${Sid} lets ${principal} send`];
    const missing = needed.filter((key) => !conditions.includes(key));
    return missing.map((key) => `${Sid} lets ${principal} send without ${NAMES[key]}`);
  });
}

const NAMES: Readonly<Record<string, string>> = {
  'aws:sourcearn': 'aws:SourceArn',
  'aws:sourceaccount': 'aws:SourceAccount',
};

/** Services by their host; others by kind and id, `*` for everybody. */
function principalsOf(principal: unknown): readonly string[] {
  if (typeof principal !== 'object' || principal === null) return [String(principal)];
  return Object.entries(principal).flatMap(([kind, ids]) =>
    [ids].flat().map((id) => (kind === 'Service' ? String(id) : `${kind} ${id}`)),
  );
}

/** An account without wildcards; an ARN without them up to where its resource has begun. */
function isNarrow(value: string): boolean {
  const [prefix, ...parts] = value.split(':');
  if (prefix !== 'arn') return !/[*?]/.test(value);
  return !/[*?]/.test(parts.slice(0, 4).join(':')) && !/^[*?]/.test(parts[4] ?? '*');
}
