/**
 * Codecs as text: a module of encoders and decoders made ahead of time, so that a program needs no code generation while
 * it runs. What `millrace gen` writes beside the schemas; loads nothing of `effect`.
 *
 * @since 0.1.0
 */
import { moduleText } from "./internal/moduleText.ts"
import { defaults } from "./internal/options.ts"
import type { NamedPlan } from "./internal/plan.ts"
import { indented, listed, quoted } from "./internal/text.ts"

/**
 * A struct, union or exception, and the name under which the module exports its codec.
 *
 * @since 0.1.0
 * @category models
 */
export interface Type {
  readonly name: string
  readonly plan: NamedPlan
}

/**
 * Where the codec of a type of another module is: the specifier of the module and the name under which it is exported.
 *
 * @since 0.1.0
 * @category models
 */
export interface Imported {
  readonly from: string
  readonly name: string
}

/**
 * What a module is printed with.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Where the codec of a type is that is held by one of the types, but is none of them. */
  readonly imported: (plan: NamedPlan) => Imported
}

/**
 * The text of a module with the codecs of the types: TypeScript that needs nothing but `@millrace/codec` and the modules
 * of the types that these types hold. Each export is for the option `codec` of its type.
 *
 * **Example**
 *
 * ```ts
 * import { CodecText, Plan, Thrift } from "@millrace/codec"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 *
 * const text = CodecText.print([{ name: "Request", plan: Plan.of(Request) }], {
 *   imported: (plan) => ({ from: "./other.codec.ts", name: plan.label })
 * })
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const print = (types: ReadonlyArray<Type>, options: Options): string => {
  const aliases = aliasesOf()
  const text = moduleText(new Map(types.map(({ name, plan }) => [plan, name])), {
    isTyped: true,
    settings: defaults,
    external: (plan) => {
      const { from, name } = options.imported(plan)
      return `${aliases.of(from)}.${name}`
    }
  })
  const helpers = [...text.helpers, ...text.types.map((name) => `type ${name}`)]
  const codecs = types.map(({ name }, i) => `${text.codecs[i]} as ${name}`)
  const body = indented(text.lines).join("\n")
  const head = [
    ...(body.includes(" = new Array(") ? ["/* eslint-disable unicorn/no-new-array -- the size is known */"] : []),
    ...listed("import { ", helpers, ' } from "@millrace/codec/Runtime"'),
    'import type { Output } from "@millrace/codec/Output"',
    ...aliases.all().map(([from, alias]) => `import * as ${alias} from ${quoted(from)}`),
    ""
  ]
  const exports = indented(listed("export { ", codecs, " }"))
  return [...indented(head), body, "", ...exports, ""].join("\n")
}

// a name for each module, after its file
const aliasesOf = () => {
  const byModule = new Map<string, string>()
  const taken = new Set<string>()
  const of = (from: string): string => {
    const known = byModule.get(from)
    if (known !== undefined) return known
    const file = from.slice(from.lastIndexOf("/") + 1).replace(/(\.codec)?(\.[cm]?[jt]s)?$/, "")
    const base = `$${file.replace(/[^A-Za-z0-9_]/g, "_")}`
    let alias = base
    for (let i = 2; taken.has(alias); i++) alias = `${base}$${i}`
    taken.add(alias)
    byModule.set(from, alias)
    return alias
  }
  return { of, all: () => [...byModule] }
}
