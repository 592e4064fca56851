/**
 * Whether an identity is a session of a role. The ARN of a session has the role's name without its
 * path (IAM User Guide, "IAM identifiers", and STS, "GetCallerIdentity").
 */
export function isSessionOf(roleArn: string, identityArn: string): boolean {
  const role = /^arn:([\w-]+):iam::(\d{12}):role\/(?:.*\/)?([\w+=,.@-]+)$/.exec(roleArn);
  const session = /^arn:([\w-]+):sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/[^/]+$/.exec(
    identityArn,
  );
  if (role === null || session === null) return false;
  return [1, 2, 3].every((part) => role[part] === session[part]);
}
