/** The stacks of an environment, by their names on the command line. */
export const STACK_NAMES = ['foundation-network', 'file-processing'] as const;

/** Name of a stack. */
export type StackName = (typeof STACK_NAMES)[number];

/** The stack that a command works on when nobody names one. */
export const DEFAULT_STACK: StackName = 'file-processing';

/** Whether a text is the name of a stack. */
export function isStackName(text: string | undefined): text is StackName {
  return STACK_NAMES.some((name) => name === text);
}
