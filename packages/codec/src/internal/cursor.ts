/**
 * Where a decoder stopped: decoders call each other, across modules too, and are synchronous, so one place serves all.
 */

/** @internal */
export const cursor: {
  /** The position behind the value; set last before a decoder returns and read at once by its caller. */
  at: number
  /** A view of the message, made when it is first needed. */
  view: DataView | undefined
} = { at: 0, view: undefined }
