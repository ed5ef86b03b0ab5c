/**
 * What is on the wire for an IDL: the plans that its codecs are made from, as text for people and other tools.
 *
 * @since 0.1.0
 */
import * as Plan from "@millrace/codec/Plan"
import { defaults, type Options } from "./Emitter.ts"
import { identities } from "./internal/emit/identity.ts"
import { type Plans, plans } from "./internal/plan.ts"
import * as Program from "./Program.ts"

const isStreamed = ({ mode }: Program.Method): boolean =>
  mode === "client" || mode === "server" || mode === "bidirectional"

/** The structs around the arguments and the result of a call, which Thrift gives no name of their own. */
const wrappers = (service: Program.Service, method: Program.Method, all: Plans): ReadonlyArray<Plan.NamedPlan> => {
  const member = (field: Program.Field) => ({
    id: field.id,
    name: field.name,
    plan: all.ofType(field.type, field)
  })
  const name = `${service.name}.${method.name}`
  const args = Plan.wrapper(`${name}_args`, false, method.arguments.map(member))
  if (method.mode === "oneway") return [args]
  const success = method.result === undefined ? [] : [{ id: 0, name: "success", plan: all.ofType(method.result) }]
  return [args, Plan.wrapper(`${name}_result`, true, [...success, ...method.throws.map(member)])]
}

const serviceText = (service: Program.Service, all: Plans): string => {
  const nameOf = (type: Program.Type) => all.of(Program.target(type) as Program.Struct).name
  const lines = Program.allMethods(service).map((method) => {
    const messages = isStreamed(method) ? ` ${nameOf(method.arguments[0]!.type)} -> ${nameOf(method.result!)}` : ""
    return `  ${method.name}: ${method.mode}${messages}\n`
  })
  return `service ${service.name}\n${lines.join("")}`
}

/**
 * What a file of a program without errors declares, and all that it holds: services with the modes of their methods,
 * then structs, unions and exceptions with ids, requiredness and types, then enums. `_args` and `_result` are the
 * messages of a call; streams carry those that are named.
 *
 * **Example**
 *
 * ```ts
 * import { Checker, Loader, Plans } from "@millrace/idl"
 *
 * const read = Loader.fromRecord({ "echo.thrift": "namespace go echo struct Request { 1: optional string message }" })
 * const { program } = Checker.compile(["echo.thrift"], { read })
 *
 * Plans.describe(program, program.entries[0]!)
 * // struct echo.Request
 * //   1: optional string message
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const describe = (program: Program.Program, file: Program.File, options: Partial<Options> = {}): string => {
  const all = { ...defaults, ...options }
  const forms = plans({ ...all, identities: identities(program, all) })
  const services = file.definitions.filter((each) => each.tag === "Service")
  const calls = services.flatMap((service) =>
    Program.allMethods(service).flatMap((method) => (isStreamed(method) ? [] : wrappers(service, method, forms)))
  )
  const structs = file.definitions.flatMap((each) => (each.tag === "Struct" ? [forms.of(each)] : []))
  const text = Plan.describe([...calls, ...structs])
  return services.map((service) => serviceText(service, forms)).join("") + (text === "" ? "" : `${text}\n`)
}
