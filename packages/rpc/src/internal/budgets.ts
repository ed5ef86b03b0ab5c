/**
 * Budgets of time as calls use them.
 *
 * @internal
 */
import * as Duration from "effect/Duration"

/** The budgets of one end in milliseconds; 0 is none. `deadline` is a time of the clock. @internal */
export interface Budgets {
  readonly deadline: number
  readonly firstMessage: number
  readonly recv: number
  /** A receive that takes longer than `recv` fails alone: the stream goes on. */
  readonly recvFailsAlone: boolean
  readonly send: number
  readonly stallWarning: number
}

/** How long an end may stand still before it is logged, unless an option says otherwise. @internal */
export const defaultStallWarning = 60_000

/** An option as a budget: an infinite duration is none. @internal */
export const millis = (input: Duration.Input | undefined, otherwise = 0): number => {
  if (input === undefined) return otherwise
  const value = Duration.toMillis(input)
  return value === Infinity ? 0 : value
}
