/**
 * What a handler has sent and its client does not read outlives the handler, in the local buffer of the stream. Where
 * sends have a limit, the end of the stream has the same one: the status is the last thing that is sent.
 *
 * @internal
 */
import type { RawServerStream } from "@millrace/transport/RawStream"
import type { TransportError } from "@millrace/transport/TransportError"
import type { Timer, Timers } from "./timers.ts"

class Unread implements Timer {
  at = 0
  index = -1
  readonly #raw: RawServerStream
  readonly #error: TransportError

  constructor(raw: RawServerStream, error: TransportError) {
    this.#raw = raw
    this.#error = error
  }

  fire(): undefined {
    if (this.#raw.buffered > 0) this.#raw.abort("cancel", this.#error)
  }
}

/** Resets a finished stream with this error when something of it is still here after `millis`. @internal */
export const limit = (timers: Timers, raw: RawServerStream, millis: number, error: TransportError): void => {
  if (millis > 0 && raw.buffered > 0) timers.arm(new Unread(raw, error), timers.now() + millis)
}
