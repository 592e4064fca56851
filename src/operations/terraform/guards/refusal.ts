import { EXIT } from '../../exit-codes.ts';
import { OperationError } from '../../operation-error.ts';

/** A reason not to apply a plan. */
export interface Refusal {
  /** What the plan would do, and to what. */
  readonly reason: string;
  /** The ways out. */
  readonly next: string;
}

/**
 * Stops a command, with every reason at once.
 *
 * @throws OperationError (EXIT.refused) unless there is no reason
 */
export function refuse(refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  throw new OperationError(`refused: ${refusals.map(({ reason }) => reason).join('\nrefused: ')}`, {
    next: refusals.map(({ next }) => next).join('\nnext: '),
    code: EXIT.refused,
  });
}
