/** A relay between a client and a server that counts connections, and can cut them. */
import { Effect, type Scope } from "effect"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

export interface Relay {
  readonly address: string
  /** Connections that were ever made. */
  readonly dials: () => number
  /** Those that are open. */
  readonly open: () => number
  /** Cuts all that are open, without a goodbye. */
  readonly cut: () => void
}

/** Hands the first bytes on one by one, a millisecond between them. */
const dribble = (from: Socket, to: Socket, bytes: number): void => {
  let left = bytes
  const onData = async (chunk: Buffer) => {
    from.pause()
    const slow = Math.min(left, chunk.length)
    left -= slow
    for (let i = 0; i < slow; i++) {
      to.write(chunk.subarray(i, i + 1))
      await sleep(1)
    }
    if (slow < chunk.length) to.write(chunk.subarray(slow))
    if (left > 0) return from.resume()
    from.off("data", onData)
    from.pipe(to)
  }
  from.on("data", onData)
}

/** With `slow` so many first bytes of a client arrive one by one. */
export const relayTo = (address: string, slow = 0): Effect.Effect<Relay, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(
        () =>
          new Promise<Relay & { readonly close: () => void }>((resolve) => {
            const [host, port] = address.split(":")
            const open = new Set<Socket>()
            let dials = 0
            const server = createServer({ noDelay: true }, (near) => {
              dials++
              open.add(near)
              const far = connect({ host: host!, port: Number(port), noDelay: true })
              if (slow === 0) near.pipe(far)
              else dribble(near, far, slow)
              far.pipe(near)
              for (const [one, other] of [
                [near, far],
                [far, near]
              ] as const) {
                one.on("error", () => other.destroy())
                one.on("close", () => {
                  open.delete(near)
                  other.destroy()
                })
              }
            })
            const cut = () => {
              for (const near of open) near.resetAndDestroy()
            }
            server.listen(0, "127.0.0.1", () =>
              resolve({
                address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
                dials: () => dials,
                open: () => open.size,
                cut,
                close: () => {
                  server.close()
                  cut()
                }
              })
            )
          })
      ),
      ({ close }) => Effect.sync(close)
    ),
    (relay): Relay => relay
  )
