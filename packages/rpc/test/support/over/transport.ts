/** What carries the streams of this run: vitest.workspace.ts runs the same files over each. */
import type { Transport } from "@millrace/transport"

type Name = Exclude<Transport.StreamTransport, "auto">

const isName = (name: string): name is Name => name === "grpc" || name === "ttheader-streaming"

const nameOf = (name: string): Name => {
  if (isName(name)) return name
  throw new Error(`MILLRACE_TRANSPORT is "${name}": it is "grpc" or "ttheader-streaming"`)
}

export const transport = nameOf(process.env["MILLRACE_TRANSPORT"] ?? "grpc")
