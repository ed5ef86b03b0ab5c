/**
 * Ids of streams: one counter for all clients of the process, as in Kitex. 0 is for what belongs to no stream.
 *
 * @internal
 */

let last = 0

/** The id behind another. @internal */
export const idAfter = (id: number): number => (id + 1) | 0 || 1

/** @internal */
export const nextStreamId = (): number => (last = idAfter(last))
