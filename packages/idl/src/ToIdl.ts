/**
 * The way back: the IDL of a service that was written schema first, for teams that start from one.
 *
 * @since 0.1.0
 */
import * as CodecError from "@millrace/codec/CodecError"
import * as Plan from "@millrace/codec/Plan"
import type * as Method from "@millrace/rpc/Method"
import type * as Service from "@millrace/rpc/Service"
import { type Definitions, definitions } from "./internal/toIdl/definitions.ts"
import { checked } from "./internal/toIdl/names.ts"
import * as Parser from "./Parser.ts"
import * as Printer from "./Printer.ts"

/**
 * What the IDL says beside the service.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The namespace for Go, whose last segment is the package of the service. Default: the package itself. */
  readonly namespace?: string | undefined
}

const fields = (types: Definitions, path: ReadonlyArray<string>, fields: Method.Fields): string =>
  Object.entries(fields)
    .map(
      ([name, { id, schema }]) =>
        `${id}: ${types.type(Plan.ofType(schema), [...path, name])} ${checked(path.join("."), name)}`
    )
    .join(", ")

const throws = (types: Definitions, path: ReadonlyArray<string>, exceptions: Method.Fields): string => {
  for (const [name, { schema }] of Object.entries(exceptions)) {
    const plan = Plan.ofType(schema)
    if (plan.kind === "struct" && plan.isException) continue
    throw CodecError.make("BadType", [...path, name].join("."), "what an IDL throws is made by Thrift.Exception")
  }
  const text = fields(types, path, exceptions)
  return text === "" ? "" : ` throws (${text})`
}

const modes: { readonly [mode in Method.Any["mode"]]: string } = {
  bidirectional: "bidirectional",
  client: "client",
  server: "server",
  unary: "unary",
  pingPong: "",
  oneway: ""
}

const method = (types: Definitions, service: string, method: Method.Any): string => {
  const path = [checked(service, method.name)]
  const isStream = method.mode === "bidirectional" || method.mode === "client" || method.mode === "server"
  const parameters = isStream
    ? `1: ${types.type(Plan.ofType(method.request!), [...path, "request"])} req`
    : fields(types, path, method.args)
  const result =
    method.response === undefined ? "void" : types.type(Plan.ofType(method.response), [...path, "response"])
  const oneway = method.mode === "oneway" ? "oneway " : ""
  const streaming = modes[method.mode] === "" ? "" : ` (streaming.mode = "${modes[method.mode]}")`
  return `${oneway}${result} ${method.name}(${parameters})${throws(types, path, method.exceptions)}${streaming}`
}

/**
 * Prints the IDL of a service, in the canonical form that `millrace fmt` gives: its methods, inherited ones too, and all
 * types that they refer to. Loaded again, it gives the same bytes on the wire.
 *
 * Types are called by the last segment of their names. Where two would have one name, the second gets a number, and a
 * comment says what it is called in the program. A transformed member is the type that it has on the wire. Throws
 * `CodecError` where a type cannot be said in an IDL.
 *
 * **Example**
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { ToIdl } from "@millrace/idl"
 * import { Method, Service } from "@millrace/rpc"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   package: "echo",
 *   methods: [Method.bidirectional("Echo", { request: Request, response: Request })]
 * }) {}
 *
 * ToIdl.toIdl(TestService)
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toIdl = (service: Service.Any, options: Options = {}): string => {
  const name = checked("service", service.name_)
  const namespace = options.namespace ?? service.package
  const types = definitions([name])
  const methods = service.methods.map((each) => `  ${method(types, name, each)}\n`)
  const text = methods.length === 0 ? `service ${name} {}` : `service ${name} {\n${methods.join("")}}`
  const header = namespace === "" ? [] : [`namespace go ${checkedNamespace(namespace)}`]
  return formatted(`${[...header, ...types.texts, text].join("\n\n")}\n`)
}

// what fits on a line is for the printer to say
const formatted = (text: string): string => {
  const source = { path: "", text }
  return Printer.print(source, Parser.parse(source).document)
}

const checkedNamespace = (namespace: string): string => {
  for (const segment of namespace.split(".")) checked("namespace", segment)
  return namespace
}
