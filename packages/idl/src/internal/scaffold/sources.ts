/**
 * The files of a scaffold that grow with the service: handlers, client and tests, an entry a method.
 *
 * @internal
 */
import * as Program from "../../Program.ts"
import { type Context, isStreamed } from "./context.ts"
import { arrow, call, type Node, object, print, printBehind, text } from "../emit/layout.ts"
import { memberName } from "../emit/names.ts"
import { type Declaration, type Entry, type Import, importLines, indent, type Parts, usedImports } from "./merge.ts"
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

const argumentName = (context: Context, field: Program.Field): string => memberName("method", field, context)

/** An answer to the one argument that a call has; to several there is none that makes sense. */
const pingPongHandler = (context: Context, method: Program.Method, result: Program.Type): Node => {
  const [field, ...others] = method.arguments
  if (field === undefined || others.length > 0) return arrow("()", call("Effect.succeed", valueOf(context, result)))
  const { request, value } = answerOf(context, `args.${argumentName(context, field)}`, field.type, result)
  return arrow(request === "unused" ? "()" : "(args)", call("Effect.succeed", value))
}

const handler = (context: Context, method: Program.Method): Node => {
  const { mode, result } = method
  if (result === undefined) return arrow("()", text("Effect.void"))
  if (!isStreamed(method)) return pingPongHandler(context, method, result)
  if (mode === "client") {
    return arrow("(requests)", call("Effect.as", text("Stream.runDrain(requests)"), valueOf(context, result)))
  }
  const { request, value } = answerOf(context, "request", requestOf(method), result)
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

// ---- clients

/** The class by which a method is called, and what makes it. */
const clients = {
  Streams: "StreamClient",
  PingPong: "Client"
} as const

type ClientName = keyof typeof clients

const clientOf = (method: Program.Method): ClientName => (isStreamed(method) ? "Streams" : "PingPong")

/** Those that the methods need; one of them where there is no method. */
const clientsOf = ({ methods }: Context): ReadonlyArray<ClientName> => {
  const used = new Set(methods.map(clientOf))
  return used.size === 0 ? ["PingPong"] : (["Streams", "PingPong"] as const).filter((name) => used.has(name))
}

const declaration = (context: Context, name: ClientName, prefix: string): Declaration => ({
  name,
  text: `class ${name} extends ${clients[name]}.Service<${name}>()("${prefix}/${name}", ${context.reference(context.service)}) {}`
})

/** The layers of the clients, as one. */
const layers = (context: Context, options: string): string => {
  const each = clientsOf(context).map((name) => `${name}.layer(${options})`)
  return each.length === 1 ? each[0]! : `Layer.mergeAll(${each.join(", ")})`
}

// ---- client

const isManySent = ({ mode }: Program.Method): boolean => mode === "bidirectional" || mode === "client"

const isManyReceived = ({ mode }: Program.Method): boolean => mode === "bidirectional" || mode === "server"

const sampleArguments = (context: Context, method: Program.Method): Node =>
  object(
    method.arguments.map((field) => ({
      key: argumentName(context, field),
      value: sampleOf(context, field.type, { ...field, default: undefined })
    }))
  )

/** The call of the method with a sample. */
const sampleCall = (context: Context, method: Program.Method): Node => {
  if (!isStreamed(method)) return call(calling(method.name), sampleArguments(context, method))
  const sample = sampleOf(context, requestOf(method))
  return call(calling(method.name), isManySent(method) ? call("Stream.make", sample) : sample)
}

const shownCall = (context: Context, method: Program.Method): Node => {
  const sent = sampleCall(context, method)
  const name = text(JSON.stringify(method.name))
  if (method.result === undefined) return call("Effect.andThen", sent, call("Console.log", name))
  const show = arrow("(response)", call("Console.log", name, text("response")))
  return call(isManyReceived(method) ? "Stream.runForEach" : "Effect.flatMap", sent, show)
}

const clientCall = (context: Context, method: Program.Method): string => {
  const printed = print(shownCall(context, method), 4, 4, 0)
  return dedent(`Effect.flatMap(${clientOf(method)}, (client) =>\n    ${printed}\n  )`, 2)
}

/** @internal */
export const clientFile = (context: Context): SourceFile => {
  const { service } = context
  const entries = context.methods.map((method) => ({
    name: method.name,
    text: `${key(method.name)}: ${clientCall(context, method)}`,
    uses: declaration(context, clientOf(method), context.name)
  }))
  const imports = [
    ...named("@effect/platform-node", "NodeRuntime", "NodeServices"),
    ...named("@millrace/rpc", ...clientsOf(context).map((name) => clients[name])),
    ...named("@millrace/transport/node", "NodeTransport"),
    ...named("effect", "Console", "Effect", "Layer", "Stream"),
    ...named("effect/cli", "Command", "Flag"),
    ...context.generated("src")
  ]
  const classes = clientsOf(context).map((name) => declaration(context, name, context.name).text)
  const body = `${classes.join("\n")}

/** A call of each method. */
const calls = ${inBraces(entries)}

const address = Flag.String("address").pipe(
  Flag.withDefault("127.0.0.1:8888"),
  Flag.withDescription("HOST:PORT of the server")
)

const clients = (address: string) =>
  ${layers(context, "{ hostPorts: [address] }")}.pipe(Layer.provide(NodeTransport.layerClient))

Command.make("client", { address }, ({ address }) =>
  Effect.all(Object.values(calls), { discard: true }).pipe(Effect.provide(clients(address)))
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
`
  return {
    path: "src/client.ts",
    text: assemble(`Calls every method of ${service.name} once and prints the answers.`, imports, body),
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
  if (method.result === undefined) return `assert.isUndefined(${response})`
  const target = Program.target(method.result)
  return "tag" in target && target.tag === "Struct" && target.kind !== "union"
    ? `assert.instanceOf(${response}, ${context.reference(target)})`
    : `assert.isDefined(${response})`
}

const test = (context: Context, method: Program.Method): string => {
  const sent = sampleCall(context, method)
  const [name, received] = isManyReceived(method) ? ["responses", call("Stream.runCollect", sent)] : ["response", sent]
  const printed = printBehind(`const ${name} = yield*`, received, 6, 6, 0)
  return `it.effect("${method.name}", () =>
  Effect.gen(function* () {
    const client = yield* ${clientOf(method)}
    ${dedent(printed, 2)}
    ${check(context, method, isManyReceived(method) ? "responses[0]" : "response")}
  }).pipe(Effect.provide(ClientTest))
)`
}

/** @internal */
export const testFile = (context: Context): SourceFile => {
  const { service } = context
  const entries = context.methods.map((method) => ({
    name: method.name,
    text: test(context, method),
    uses: declaration(context, clientOf(method), "test")
  }))
  const imports = [
    ...named("@effect/vitest", "assert", "describe", "it"),
    ...named("@millrace/rpc", ...clientsOf(context).map((name) => clients[name])),
    ...named("@millrace/rpc/testing", "Testing"),
    ...named("effect", "Effect", "Layer", "Stream"),
    ...context.generated("test"),
    ...named("../src/handlers.ts", "HandlersLive")
  ]
  const reference = context.reference(service)
  const tests = entries.map(({ text }) => `${indent(text, "  ")}\n`).join("\n")
  const classes = clientsOf(context).map((name) => declaration(context, name, "test").text)
  const body = `${classes.join("\n")}

const ClientTest = ${layers(context, "{}")}.pipe(
  Layer.provide(Testing.layer([${reference}])),
  Layer.provide(HandlersLive)
)

describe("${service.name}", () => {
${tests}})
`
  return {
    path: "test/service.test.ts",
    text: assemble("The handlers, called in memory by clients.", imports, body),
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
