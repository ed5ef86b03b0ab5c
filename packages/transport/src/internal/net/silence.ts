/**
 * Waits until a client that was told to go, or may have something on its way, has sent nothing for a while.
 *
 * @internal
 */

interface Heard {
  readonly closed: boolean
  /** Bytes received since the beginning. */
  readonly received: number
}

/** @internal */
export class Silence {
  private readonly later: (run: () => void) => void
  private awaited = false

  /** `later`: runs a function when what the peer had sent by now has arrived. */
  constructor(later: (run: () => void) => void) {
    this.later = later
  }

  /** Says then whether nothing has come, unless the connection is closed. Once at a time. */
  await(connection: Heard, then: (silent: boolean) => void): void {
    if (this.awaited) return
    this.awaited = true
    const { received } = connection
    this.later(() => {
      this.awaited = false
      if (!connection.closed) then(connection.received === received)
    })
  }
}
