/**
 * A gateway between a client and a server of TTHeader streaming, as meshes have them: it hands frames on, puts its name into the path of a
 * cancellation that goes through, and may end a stream itself, in both directions. Connections of anything else it does not look at.
 */
import { Effect, type Scope } from "effect"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { type Decoded, encode, exception, frameReader, isStreaming } from "./ttframes.ts"

export interface Gateway {
  /** What it calls itself in the path of a cancellation. */
  readonly name: string
  /** Where a message of a client has this word, its stream is ended in both directions. */
  readonly reset?: string
  /** Where a message of a client has this word, the connection is cut in both directions. */
  readonly cut?: string
}

const code = 1204

const rst = (name: string, { method = "", stream }: Decoded) =>
  encode({
    stream,
    type: "5",
    method,
    strings: { ttscp: name },
    payload: exception(method, stream, `${name} canceled`, code)
  })

const passing = (name: string, frame: Decoded): Buffer => {
  if (frame.type !== "5") return frame.bytes
  const { method, payload, stream, strings, type } = frame
  const path = strings["ttscp"] === undefined ? name : `${strings["ttscp"]},${name}`
  return encode({ stream, type, ...(method === undefined ? undefined : { method }), strings: { ttscp: path }, payload })
}

const join = (near: Socket, far: Socket, { cut, name, reset }: Gateway): void => {
  const hand = (from: Socket, to: Socket, fromClient: boolean) => {
    const read = frameReader()
    let plain: boolean | undefined
    from.on("data", (chunk: Buffer) => {
      // the answers of a server that was never asked in frames are none
      plain ??= !isStreaming(chunk)
      if (plain) return void to.write(chunk)
      for (const frame of read(chunk)) {
        const has = (text: string | undefined) => text !== undefined && fromClient && frame.payload.includes(text)
        if (has(cut)) {
          from.destroy()
          return void to.destroy()
        }
        if (has(reset)) {
          from.write(rst(name, frame))
          to.write(rst(name, frame))
        } else {
          to.write(passing(name, frame))
        }
      }
    })
    from.on("error", () => to.destroy())
    from.on("close", () => to.destroy())
  }
  hand(near, far, true)
  hand(far, near, false)
}

/** The address of a gateway to a server. */
export const gatewayTo = (address: string, gateway: Gateway): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(
        () =>
          new Promise<{ readonly address: string; readonly close: () => void }>((resolve) => {
            const [host, port] = address.split(":")
            const open = new Set<Socket>()
            const server = createServer({ noDelay: true }, (near) => {
              open.add(near)
              near.on("close", () => open.delete(near))
              join(near, connect({ host: host!, port: Number(port), noDelay: true }), gateway)
            })
            server.listen(0, "127.0.0.1", () =>
              resolve({
                address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
                close: () => {
                  server.close()
                  for (const near of open) near.destroy()
                }
              })
            )
          })
      ),
      ({ close }) => Effect.sync(close)
    ),
    (gateway) => gateway.address
  )
