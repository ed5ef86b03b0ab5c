/** What editors and errors of the compiler show of a method: names and values, no schemas. */
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, it } from "@effect/vitest"

const source = `
import { Thrift } from "@millrace/codec"
import { type Client, type Handlers, Method, Service } from "@millrace/rpc"

class Busy extends Thrift.Exception<Busy>()("e.Busy", {}) {}
class Echoes extends Service.make("Echoes", {
  methods: [
    Method.pingPong("Echo", {
      arguments: { s: Thrift.field(1, Thrift.String) },
      response: Thrift.String,
      exceptions: { busy: Thrift.field(1, Busy) }
    }),
    Method.oneway("Note", { arguments: { s: Thrift.field(1, Thrift.String) } })
  ]
}) {}
declare const client: Client.Client<typeof Echoes>
declare const handlers: Handlers.Handlers<(typeof Echoes)["methods"], never>
const shown: ReadonlyArray<number> = [client.Echo, client.Note, handlers.Echo, handlers.Note]
`

const compilerOptions = {
  noEmit: true,
  target: "ES2024",
  module: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noErrorTruncation: true,
  types: ["node"]
}

it("methods show the types of their arguments and errors", () => {
  const folder = Path.join(import.meta.dirname, ".cache/hovers")
  Fs.mkdirSync(folder, { recursive: true })
  Fs.writeFileSync(Path.join(folder, "shown.ts"), source)
  Fs.writeFileSync(Path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
  const tsc = Path.join(import.meta.dirname, "../../../../node_modules/.bin/tsc")
  const { stdout } = spawnSync(tsc, ["-p", folder, "--pretty", "false"], { encoding: "utf8" })
  assert.deepStrictEqual(
    Array.from(stdout.matchAll(/Type '(.*)' is not assignable to type 'number'/g), ([, type]) => type),
    [
      "(args: { readonly s: string; }, options?: ClientCallOptions | undefined) => Effect<string, Busy | CallError, never>",
      "(args: { readonly s: string; }, options?: ClientCallOptions | undefined) => Effect<void, CallError, never>",
      "(args: { readonly s: string; }, call: ServerCall) => Effect<string, Busy | CallError, never>",
      "(args: { readonly s: string; }, call: ServerCall) => Effect<void, never, never>"
    ]
  )
})
