/**
 * What the example programs share: their flags, the line that says a server is ready, and printing.
 */
import { Server } from "@millrace/rpc"
import { Console, Effect, Stdio, Stream } from "effect"
import { Flag } from "effect/cli"

export const host = Flag.String("host").pipe(
  Flag.withDefault("127.0.0.1"),
  Flag.withDescription("the address to listen on")
)

export const port = Flag.Int("port").pipe(
  Flag.withDefault(8888),
  Flag.withDescription("the port to listen on, 0 for any free one")
)

export const address = Flag.String("address").pipe(Flag.withDescription("HOST:PORT of the server"))

export const duplex = Flag.Literals("duplex", ["half", "full"]).pipe(
  Flag.withDefault("full"),
  Flag.withDescription("how Echo goes: message by message, or both sides at once")
)

export const transport = Flag.Literals("transport", ["grpc", "ttheader-streaming", "auto"]).pipe(
  Flag.withDefault("grpc"),
  Flag.withDescription("what carries the streams; servers take them all")
)

/** The address of a server that listens, as `HOST:PORT`. */
export const serverAddress = Effect.map(Server.Server, ({ address }) => `${address.hostname}:${address.port}`)

export const announce = Effect.flatMap(serverAddress, (address) => Console.log(`listening on ${address}`))

/** Writes a piece of text, at once and without a line end. */
export const print = (text: string) =>
  Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(Stream.succeed(text), stdio.stdout({ endOnDone: false }))).pipe(
    Effect.orDie
  )
