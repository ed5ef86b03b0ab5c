/**
 * Sequence ids: one counter for the whole process, as in Kitex. 0 is for frames that belong to no call.
 *
 * @internal
 */

/** The id behind another: an i32 that wraps and is never 0. @internal */
export const following = (sequenceId: number): number => (sequenceId + 1) | 0 || 1

let last = 0

/** @internal */
export const nextSequenceId = (): number => (last = following(last))
