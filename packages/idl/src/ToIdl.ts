/**
 * The way back: the IDL of a service that was written schema first, for teams that start from one.
 *
 * @since 0.1.0
 */
import * as CodecError from "@millrace/codec/CodecError"
import * as Plan from "@millrace/codec/Plan"
import type * as Method from "@millrace/rpc/Method"
import type * as Service from "@millrace/rpc/Service"
import * as Checker from "./Checker.ts"
import { type Definitions, definitions } from "./internal/toIdl/definitions.ts"
import { checked } from "./internal/toIdl/names.ts"
import * as Loader from "./Loader.ts"
import * as Printer from "./Printer.ts"

/**
 * What the IDL says beside the service.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * The namespace for Go, whose last segment in lower case is the package of the service. Default: the package itself,
   * if it comes back from an IDL.
   */
  readonly namespace?: string | undefined
}

const fields = (types: Definitions, path: ReadonlyArray<string>, fields: Method.Fields): string =>
  Object.entries(fields)
    .map(
      ([name, { id, schema, thriftName }]) =>
        `${id}: ${types.type(Plan.ofType(schema), [...path, name])} ${checked(path.join("."), thriftName ?? name)}`
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
 * comment says what it is called in the program. A transformed member is the type that it has on the wire.
 *
 * Throws `CodecError` where an IDL cannot say it: a type that no IDL has, two arguments with one id. So it does for a
 * package that is not in lower case, or has dots: the package that comes back from an IDL is the last segment of the Go
 * namespace in lower case. Name the namespace then, and the service has the package of that. A service without a package
 * has no namespace, and comes back with the name of its file for one.
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
  const namespace = options.namespace ?? checkedPackage(service.package)
  const types = definitions([name])
  const methods = service.methods.map((each) => `  ${method(types, name, each)}\n`)
  const text = methods.length === 0 ? `service ${name} {}` : `service ${name} {\n${methods.join("")}}`
  const header = namespace === "" ? [] : [`namespace go ${checkedNamespace(namespace)}`]
  return formatted(name, `${[...header, ...types.texts, text].join("\n\n")}\n`)
}

// what fits on a line is for the printer to say, and what is right for the checker
const formatted = (service: string, text: string): string => {
  const path = "service.thrift"
  const { program, diagnostics } = Checker.compile([path], { read: Loader.fromRecord({ [path]: text }) })
  const error = diagnostics.find(({ severity }) => severity === "error")
  if (error !== undefined) throw CodecError.make("BadType", service, `no IDL can say it: ${error.message}`)
  const { source, document } = program.entries[0]!
  return Printer.print(source, document)
}

const checkedPackage = (name: string): string => {
  if (name === name.toLowerCase() && !name.includes(".")) return name
  const came = name.split(".").at(-1)!.toLowerCase()
  throw CodecError.make(
    "BadType",
    "package",
    `the package ${JSON.stringify(name)} would come back as ${JSON.stringify(came)}, as a package of Kitex is in lower case and without dots; choose a namespace by the option namespace`
  )
}

const checkedNamespace = (namespace: string): string => {
  for (const segment of namespace.split(".")) checked("namespace", segment)
  return namespace
}
