/**
 * How a protocol says what happens to streams: its numbers and texts, both Kitex's. What happened is the `reason` of the error, and the
 * same in every protocol.
 *
 * @internal
 */
import type { RawCancellation, RawStatus } from "@millrace/transport/RawStream"

/** @internal */
export type Side = "client" | "server"

/** @internal */
export interface Said {
  readonly code: number
  readonly desc: string
}

/** @internal */
export interface Words {
  /** `millis` is what the stream had when it began; undefined where its time was over by then. */
  readonly deadlineExceeded: (side: Side, millis: number | undefined) => Said
  /** `why` is what ended the call that this one was made for. */
  readonly cancelled: (side: Side, why: RawCancellation | undefined) => Said
  readonly recvTimeout: (side: Side, millis: number, failsAlone: boolean) => Said
  readonly firstMessageTimeout: (side: Side, millis: number) => Said
  readonly sendTimeout: (side: Side, millis: number) => Said
  /** Sending behind a good end, or behind the half close. */
  readonly streamDone: (side: Side) => Said
  /** The stream is used, and its handler has returned. */
  readonly handlerReturned: (side: Side) => Said
  /** What the peer ended the stream with. */
  readonly status: (side: Side, status: RawStatus) => Said
  /** The text of an error as the peer gets it when a handler failed with it. */
  readonly ofHandler: (text: string) => string
  /** The text that a handler failed with; undefined where none did. */
  readonly inHandler: (text: string) => string | undefined
}
