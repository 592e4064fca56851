/** What a process does: take messages, judge files, or both. */
export const ROLES = ['intake', 'worker', 'both'] as const;
export type Role = (typeof ROLES)[number];

export function takesMessages(role: Role): boolean {
  return role !== 'worker';
}

export function judgesFiles(role: Role): boolean {
  return role !== 'intake';
}
