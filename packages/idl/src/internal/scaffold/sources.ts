/**
 * The files of a scaffold that grow with the service: handlers, client and tests, an entry a method.
 *
 * @internal
 */
import * as Program from "../../Program.ts"
import { type Context, isStreamed } from "./context.ts"
import { arrow, call, type Node, print, printBehind, text } from "../emit/layout.ts"
import { type Entry, type Import, importLines, indent, type Parts, usedImports } from "./merge.ts"
import { answerOf, sampleOf, valueOf } from "./values.ts"

/** @internal */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly parts: Parts
}

const named = (from: string, ...bindings: ReadonlyArray<string>): ReadonlyArray<Import> =>
  bindings.map((binding) => ({ binding, from, isNamespace: false }))

const isIdentifier = (name: string): boolean => name !== "__proto__"

const key = (name: string): string => (isIdentifier(name) ? name : `["${name}"]`)

const calling = (name: string): string => `client${isIdentifier(name) ? `.${name}` : `["${name}"]`}`

const requestOf = (method: Program.Method): Program.Type => method.arguments[0]!.type

const assemble = (doc: string, imports: ReadonlyArray<Import>, body: string): string =>
  [`/**\n * ${doc}\n */`, ...importLines(usedImports(imports, [body])), "", body].join("\n")

const inBraces = (entries: ReadonlyArray<Entry>): string =>
  entries.length === 0 ? "{}" : `{\n${entries.map(({ text }) => `${indent(text, "  ")},\n`).join("")}}`

/** Text for a line that is indented, without the indentation. */
const dedent = (text: string, by: number): string => text.replaceAll(`\n${" ".repeat(by)}`, "\n")

// ---- handlers

const handler = (context: Context, method: Program.Method): Node => {
  const { mode, result } = method
  if (result === undefined) return arrow("()", text("Effect.void"))
  if (mode === "pingPong" || mode === "oneway") return arrow("()", call("Effect.succeed", valueOf(context, result)))
  if (mode === "client") {
    return arrow("(requests)", call("Effect.as", text("Stream.runDrain(requests)"), valueOf(context, result)))
  }
  const { request, value } = answerOf(context, requestOf(method), result)
  const parameter = request === "unused" ? "()" : "(request)"
  if (mode === "unary") return arrow(parameter, call("Effect.succeed", value))
  if (mode === "server") return arrow(parameter, call("Stream.make", value))
  return arrow(
    "(requests)",
    request === "returned" ? text("requests") : call("Stream.map", text("requests"), arrow(parameter, value))
  )
}

/** @internal */
export const handlersFile = (context: Context): SourceFile => {
  const { service } = context
  const entries = context.methods.map((method) => ({
    name: method.name,
    text: dedent(printBehind(`${key(method.name)}:`, handler(context, method), 2, 2, 1), 2)
  }))
  const imports = [...named("effect", "Effect", "Stream"), ...context.generated("src")]
  const doc = `What the methods of ${service.name} do.`
  const body = `export const HandlersLive = ${context.reference(service)}.toLayer(${inBraces(entries)})\n`
  return {
    path: "src/handlers.ts",
    text: assemble(doc, imports, body),
    parts: {
      imports,
      entries,
      container: {
        kind: "object",
        anchor: new RegExp(
          `(?<![\\w$])${context.reference(service).split(".").at(-1)}\\s*\\.\\s*toLayer\\s*\\(\\s*\\{`
        ),
        description: `object of ${service.name}.toLayer({ ... })`
      }
    }
  }
}

// ---- client

const isManySent = ({ mode }: Program.Method): boolean => mode === "bidirectional" || mode === "client"

const isManyReceived = ({ mode }: Program.Method): boolean => mode === "bidirectional" || mode === "server"

/** The call of the method with a sample. */
const sampleCall = (context: Context, method: Program.Method): Node => {
  const sample = sampleOf(context, requestOf(method))
  return call(calling(method.name), isManySent(method) ? call("Stream.make", sample) : sample)
}

const clientCall = (context: Context, method: Program.Method): string => {
  const each = isManyReceived(method) ? "Stream.runForEach" : "Effect.flatMap"
  const show = arrow("(response)", call("Console.log", text(JSON.stringify(method.name)), text("response")))
  const printed = print(call(each, sampleCall(context, method), show), 4, 4, 0)
  return dedent(`Effect.flatMap(Client, (client) =>\n    ${printed}\n  )`, 2)
}

/** @internal */
export const clientFile = (context: Context): SourceFile => {
  const { service } = context
  const entries = context.methods.filter(isStreamed).map((method) => ({
    name: method.name,
    text: `${key(method.name)}: ${clientCall(context, method)}`
  }))
  const imports = [
    ...named("@effect/platform-node", "NodeRuntime", "NodeServices"),
    ...named("@millrace/rpc", "StreamClient"),
    ...named("@millrace/transport/node", "NodeTransport"),
    ...named("effect", "Console", "Effect", "Layer", "Stream"),
    ...named("effect/cli", "Command", "Flag"),
    ...context.generated("src")
  ]
  const body = `class Client extends StreamClient.Service<Client>()("${context.name}/Client", ${context.reference(service)}) {}

/** A call of each method. */
const calls = ${inBraces(entries)}

const address = Flag.String("address").pipe(
  Flag.withDefault("127.0.0.1:8888"),
  Flag.withDescription("HOST:PORT of the server")
)

Command.make("client", { address }, ({ address }) =>
  Effect.all(Object.values(calls), { discard: true }).pipe(
    Effect.provide(Client.layer({ hostPorts: [address] }).pipe(Layer.provide(NodeTransport.layerClient)))
  )
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
`
  return {
    path: "src/client.ts",
    text: assemble(
      `Calls every streaming and unary method of ${service.name} once and prints the answers.`,
      imports,
      body
    ),
    parts: {
      imports,
      entries,
      container: {
        kind: "object",
        anchor: /(?<![\w$])const\s+calls\b[^={]*=\s*\{/,
        description: "object const calls = { ... }"
      }
    }
  }
}

// ---- tests

const check = (context: Context, method: Program.Method, response: string): string => {
  const target = method.result === undefined ? undefined : Program.target(method.result)
  return target !== undefined && "tag" in target && target.tag === "Struct" && target.kind !== "union"
    ? `assert.instanceOf(${response}, ${context.reference(target)})`
    : `assert.isDefined(${response})`
}

const test = (context: Context, method: Program.Method): string => {
  const sent = sampleCall(context, method)
  const [name, received] = isManyReceived(method) ? ["responses", call("Stream.runCollect", sent)] : ["response", sent]
  const printed = printBehind(`const ${name} = yield*`, received, 6, 6, 0)
  return `it.effect("${method.name}", () =>
  Effect.gen(function* () {
    const client = yield* Client
    ${dedent(printed, 2)}
    ${check(context, method, isManyReceived(method) ? "responses[0]" : "response")}
  }).pipe(Effect.provide(ClientTest))
)`
}

/** @internal */
export const testFile = (context: Context): SourceFile => {
  const { service } = context
  const entries = context.methods
    .filter(isStreamed)
    .map((method) => ({ name: method.name, text: test(context, method) }))
  const imports = [
    ...named("@effect/vitest", "assert", "describe", "it"),
    ...named("@millrace/rpc", "StreamClient"),
    ...named("@millrace/rpc/testing", "Testing"),
    ...named("effect", "Effect", "Layer", "Stream"),
    ...context.generated("test"),
    ...named("../src/handlers.ts", "HandlersLive")
  ]
  const reference = context.reference(service)
  const tests = entries.map(({ text }) => `${indent(text, "  ")}\n`).join("\n")
  const body = `class Client extends StreamClient.Service<Client>()("test/Client", ${reference}) {}

const ClientTest = Client.layer({}).pipe(Layer.provide(Testing.layer([${reference}])), Layer.provide(HandlersLive))

describe("${service.name}", () => {
${tests}})
`
  return {
    path: "test/service.test.ts",
    text: assemble("The handlers, called in memory by a client.", imports, body),
    parts: {
      imports,
      entries,
      container: {
        kind: "block",
        anchor: /(?<![\w$.])describe\s*\([^{}]*=>\s*\{/,
        description: `block of describe("${service.name}", () => { ... })`
      }
    }
  }
}
