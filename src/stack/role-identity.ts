/** What an account demands of every IAM role. */
export interface RoleSettings {
  readonly iam_path: string;
  readonly iam_role_name_prefix: string;
  readonly permissions_boundary_arn: string;
}

/** The arguments of a role that the account's rules give; what is not set is left out. */
export interface RoleIdentity {
  readonly name: string;
  readonly path?: string;
  readonly permissionsBoundary?: string;
}

/** Name, path and permissions boundary of a role that the stack calls `name`. */
export function roleIdentity(settings: RoleSettings, name: string): RoleIdentity {
  return {
    name: `${settings.iam_role_name_prefix}${name}`,
    ...pathOf(settings),
    ...(settings.permissions_boundary_arn !== '' && {
      permissionsBoundary: settings.permissions_boundary_arn,
    }),
  };
}

/** The path of what the stack makes in IAM, policies too. */
export function pathOf({ iam_path }: Pick<RoleSettings, 'iam_path'>): { readonly path?: string } {
  return iam_path === '/' ? {} : { path: iam_path };
}
