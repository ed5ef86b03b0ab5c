/**
 * Tells a peer that sends a message or a frame too slowly, as far as can be seen now and then.
 *
 * @internal
 */

/** What comes of a message in one `handshakeTimeout`, unless its end does. */
const progressBytes = 16 * 1024

/** @internal */
export const tooSlow = (what: string, handshakeTimeout: number): string =>
  `less than ${progressBytes / 1024} KiB of a ${what} came in ${handshakeTimeout}ms (handshakeTimeout)`

/** @internal */
export class Progress {
  private slowSince: number | undefined = undefined
  private bytes = 0
  private whole = 0

  /**
   * Since when one has come too slowly. `inside`: a part of one is here, and the peer is read. `received`: bytes since the beginning.
   * `whole`: those that came to their ends. `lastReceived`: milliseconds of the last byte.
   */
  since(inside: boolean, received: number, whole: number, lastReceived: number): number | undefined {
    if (!inside) this.slowSince = undefined
    else if (this.slowSince === undefined || this.whole !== whole || received - this.bytes >= progressBytes) {
      this.slowSince = lastReceived
      this.bytes = received
      this.whole = whole
    }
    return this.slowSince
  }
}
