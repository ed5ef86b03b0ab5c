/**
 * An IDL at run time: from its text to the services and schemas that generated code would hold, with no file written.
 * The ground of gateways, of tools and of calls whose types nobody knew when the program was written.
 *
 * **Example**
 *
 * ```ts
 * import { Idl } from "@millrace/idl"
 * import { Effect } from "effect"
 *
 * const text = `
 *   namespace go echo
 *   struct Request { 1: optional string message }
 *   service TestService { Request Echo(1: Request req) (streaming.mode = "unary") }
 * `
 *
 * const program = Effect.gen(function*() {
 *   const idl = yield* Idl.load({ files: { "echo.thrift": text }, entry: "echo.thrift" })
 *   return yield* Idl.service(idl)
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Service_ from "@millrace/rpc/Service"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Checker from "./Checker.ts"
import * as Diagnostic from "./Diagnostic.ts"
import { lazyMap } from "./internal/runtime/lazyMap.ts"
import { exceeded } from "./internal/runtime/limits.ts"
import { nameConflicts } from "./internal/emit/conflicts.ts"
import { identities } from "./internal/emit/identity.ts"
import { conflictOf } from "./internal/runtime/combine.ts"
import { services as servicesOf, type UntypedMethod } from "./internal/runtime/services.ts"
import { types as typesOf } from "./internal/runtime/types.ts"
import * as Loader from "./Loader.ts"
import * as Program from "./Program.ts"
import * as Report from "./Report.ts"
import { position } from "./Source.ts"

/**
 * A finding that kept an IDL from being loaded, as plain data. Lines and columns count from 1.
 *
 * @since 0.1.0
 * @category models
 */
export const Finding = Schema.Struct({
  code: Schema.String,
  severity: Schema.Literals(["error", "warning"]),
  message: Schema.String,
  path: Schema.String,
  line: Schema.Int,
  column: Schema.Int,
  hint: Schema.optionalKey(Schema.String)
})

/**
 * The IDL is wrong, or is not what was asked for. `message` shows the places; `findings` has at most 100 of them.
 *
 * @since 0.1.0
 * @category errors
 */
export class IdlError extends Schema.TaggedError<IdlError>("@millrace/idl/IdlError")("IdlError", {
  findings: Schema.Array(Finding),
  message: Schema.String
}) {}

/**
 * What to load, and how types look in TypeScript. The latter are the options of the same names of `millrace gen`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Texts by path, or what reads them. */
  readonly files: Readonly<Record<string, string>> | Loader.Reader
  /** The path of the IDL; what it includes is found in `files`. */
  readonly entry: string
  /** Where includes are looked for last. */
  readonly includeDirs?: ReadonlyArray<string> | undefined
  readonly compat?: "kitex" | "apache" | undefined
  /** How much is read: by default 4096 files of 16 Mi UTF-16 units in all. */
  readonly limits?: Partial<Loader.Limits> | undefined
  /** What an i64 is where no annotation says it. Default: `"bigint"`. */
  readonly i64?: "bigint" | "number" | undefined
  /** Whether members are called as in the IDL (the default) or in camel case. */
  readonly case?: "keep" | "camel" | undefined
  /** The names of types begin with the namespace of the first of these scopes that a file declares. */
  readonly namespaceScopes?: ReadonlyArray<string> | undefined
  /** Replaces namespaces by others, `old` and all below it by `new`, or that of one file by its path. */
  readonly namespaceMap?: ReadonlyArray<readonly [from: string, to: string]> | undefined
}

/**
 * A method of any mode, of which only the IDL knows what it takes and gives.
 *
 * @since 0.1.0
 * @category models
 */
export type Method = UntypedMethod

/**
 * A service of such methods.
 *
 * @since 0.1.0
 * @category models
 */
export type Service = Service_.ServiceClass<string, ReadonlyArray<Method>>

/**
 * A loaded IDL. What the entry declares goes by its name, what other files declare by `prefix.Name` as in an IDL. Values
 * are made when they are asked for: an IDL of thousands of types costs those that are used.
 *
 * @since 0.1.0
 * @category models
 */
export interface Idl {
  readonly services: ReadonlyMap<string, Service>
  /** The schemas of structs, unions, exceptions, enums and typedefs. */
  readonly types: ReadonlyMap<string, Schema.Top>
  readonly constants: ReadonlyMap<string, unknown>
  readonly program: Program.Program
  /** What was found and does not matter enough to fail. */
  readonly warnings: ReadonlyArray<Diagnostic.Diagnostic>
}

/**
 * Which service of the entry is meant: the last one (as Kitex chooses), the first, all in one (named `CombinedServices`,
 * as Kitex does), or one by the name that it has in `services`.
 *
 * @since 0.1.0
 * @category options
 */
export type Choice = "last" | "first" | "combine" | { readonly name: string }

const maxFindings = 100

const finding = ({ code, severity, message, source, span, hint }: Diagnostic.Diagnostic): typeof Finding.Type => ({
  code,
  severity,
  message,
  path: source.path,
  ...position(source, span.start),
  ...(hint === undefined ? undefined : { hint })
})

const failure = (diagnostics: ReadonlyArray<Diagnostic.Diagnostic>): IdlError => {
  const errors = diagnostics.filter(({ severity }) => severity === "error").slice(0, maxFindings)
  return new IdlError({ findings: errors.map(finding), message: Report.pretty(errors, { color: false, width: 120 }) })
}

// names as the entry writes them; what it does not include itself comes after what it does
const named = <D extends Program.Definition, V>(
  { entries, files }: Program.Program,
  pick: (definition: Program.Definition) => definition is D,
  make: (definition: D) => V
): ReadonlyMap<string, V> => {
  const makers = new Map<string, () => V>()
  const [entry] = entries
  const included = entry!.includes.map(({ file }) => file)
  for (const file of new Set([entry!, ...included, ...files])) {
    for (const definition of file.definitions) {
      const name = file === entry ? definition.name : `${file.prefix}.${definition.name}`
      if (pick(definition) && !makers.has(name)) makers.set(name, () => make(definition))
    }
  }
  return lazyMap(makers)
}

const isService = (definition: Program.Definition): definition is Program.Service => definition.tag === "Service"

const isConst = (definition: Program.Definition): definition is Program.Const => definition.tag === "Const"

const isType = (definition: Program.Definition): definition is Program.Struct | Program.Enum | Program.Typedef =>
  definition.tag === "Struct" || definition.tag === "Enum" || definition.tag === "Typedef"

/**
 * Loads an IDL. It may come from anyone: its size, the nesting and the growth of its types are bounded, and no name in
 * it reaches the prototype of an object.
 *
 * @since 0.1.0
 * @category constructors
 */
export const load = (options: Options): Effect.Effect<Idl, IdlError> =>
  Effect.suspend(() => {
    const { files, entry, includeDirs, compat, limits } = options
    const { program, diagnostics } = Checker.compile([entry], {
      read: typeof files === "function" ? files : Loader.fromRecord(files),
      limits: { characters: 16 * 1024 * 1024, ...limits },
      includeDirs,
      compat
    })
    if (Diagnostic.hasErrors(diagnostics)) return Effect.fail(failure(diagnostics))
    const limit = exceeded(program)
    if (limit !== undefined) return Effect.fail(failure([limit]))
    const looks = { case: options.case ?? "keep", i64: options.i64 ?? "bigint" } as const
    const conflicts = program.files.flatMap(({ definitions }) => nameConflicts(definitions, looks))
    if (conflicts.length > 0) return Effect.fail(failure(conflicts))

    const namespaces = {
      namespaceScopes: options.namespaceScopes ?? Program.namespaceScopes,
      namespaceMap: options.namespaceMap ?? []
    }
    const types = typesOf({ ...looks, identity: identities(program, namespaces) })
    return Effect.succeed({
      services: named(program, isService, servicesOf(types)),
      types: named(program, isType, types.named),
      constants: named(program, isConst, types.constant),
      program,
      warnings: diagnostics
    })
  })

/**
 * A service of a loaded IDL. Combined services must not have two methods of one name, save one that they inherit from the
 * same service.
 *
 * @since 0.1.0
 * @category getters
 */
export const service = (idl: Idl, choice: Choice = "last"): Effect.Effect<Service, IdlError> => {
  const file = idl.program.entries[0]!
  const own = file.definitions.filter(isService)
  const fail = (message: string, hint?: string) =>
    Effect.fail(failure([Diagnostic.make("E_NO_SERVICE", file.source, file.document, message, { hint })]))
  if (typeof choice === "object") {
    const found = idl.services.get(choice.name)
    if (found !== undefined) return Effect.succeed(found)
    return fail(`there is no service "${choice.name}"`, `there are: ${[...idl.services.keys()].join(", ")}`)
  }
  if (own.length === 0) return fail("no service defined in the IDL")
  if (choice !== "combine") return Effect.succeed(idl.services.get(own.at(choice === "last" ? -1 : 0)!.name)!)
  const conflict = conflictOf(own)
  if (conflict !== undefined) return Effect.fail(failure([conflict]))
  const services = own.map(({ name }) => idl.services.get(name)!)
  const methods = [...new Set(services.flatMap(({ methods }) => methods))]
  const name: string = "CombinedServices"
  return Effect.succeed(Service_.make(name, { package: services[0]!.package, methods }))
}
