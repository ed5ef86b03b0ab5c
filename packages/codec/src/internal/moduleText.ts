/**
 * Plans → the statements of a module of codecs, as JavaScript or as TypeScript: for each type a constant that the option
 * `codec` of `Thrift.Struct` takes. The text depends on the plans alone.
 */
import type * as Runtime from "../Runtime.ts"
import { constructorText, decoderText, usesLink } from "./decoderText.ts"
import { shapeOf } from "./describe.ts"
import { encoderText } from "./encoderText.ts"
import type { Settings } from "./options.ts"
import type { NamedPlan, TransformPlan } from "./plan.ts"
import type { Scope } from "./text.ts"
import { elementPlans } from "./wire.ts"

/** @internal */
export interface Options {
  readonly isTyped: boolean
  readonly settings: Settings
  /** What the codec of a type of another module is called. */
  readonly external: (plan: NamedPlan) => string
}

/** @internal */
export interface ModuleText {
  readonly lines: ReadonlyArray<string>
  /** The names of the constants, one for each type. */
  readonly codecs: ReadonlyArray<string>
  /** What of `Runtime` the text uses. */
  readonly helpers: ReadonlyArray<string>
  readonly types: ReadonlyArray<string>
  /** What the text calls `transforms`; text made ahead of time has none. */
  readonly transforms: ReadonlyArray<TransformPlan>
}

/** The text for types and the names they have in it.
 *
 * @internal
 */
export const moduleText = (names: ReadonlyMap<NamedPlan, string>, options: Options): ModuleText => {
  const helpers = new Set<keyof typeof Runtime>()
  const types = new Set<string>()
  const transforms: Array<TransformPlan> = []
  const functionOf = (kind: "encode" | "decode") => (plan: NamedPlan) => {
    const name = names.get(plan)
    return name === undefined ? `${options.external(plan)}.${kind}` : `${kind}${name}`
  }
  const scope: Scope = {
    isTyped: options.isTyped,
    name: (plan) => names.get(plan)!,
    encoder: functionOf("encode"),
    decoder: functionOf("decode"),
    transform: (plan) => {
      if (!transforms.includes(plan)) transforms.push(plan)
      return `transforms[${transforms.indexOf(plan)}]`
    },
    use: (name) => {
      helpers.add(name)
      return name
    },
    useType: (name) => {
      types.add(name)
      return name
    }
  }
  const plans = [...names.keys()]
  const elements = elementPlans(plans)
  const lines: Array<string> = []
  for (const plan of plans) {
    for (const part of typeText(plan, scope, options.settings, elements.has(plan))) {
      if (lines.length > 0) lines.push("")
      for (const line of part) lines.push(line)
    }
  }
  return {
    lines,
    codecs: plans.map((plan) => `codec${names.get(plan)}`),
    helpers: [...helpers].sort(),
    types: [...types].sort(),
    transforms
  }
}

// the statements of a type, each in its lines
const typeText = (
  plan: NamedPlan,
  scope: Scope,
  settings: Settings,
  isElement: boolean
): ReadonlyArray<ReadonlyArray<string>> => {
  const name = scope.name(plan)
  const type = scope.isTyped ? `: ${scope.useType("Compiled")}` : ""
  const functions = [encoderText(plan, scope, settings), decoderText(plan, scope, settings, isElement)]
  const codec = [
    `const codec${name}${type} = {`,
    // text that is not kept cannot differ from its type
    ...(scope.isTyped ? [`shape: "${shapeOf(plan)}",`] : []),
    `encode: encode${name},`
  ]
  if (plan.kind === "union") return [...functions, [...codec, `decode: decode${name}`, "}"]]
  const isLinked = usesLink(plan)
  return [
    ...(isLinked ? [[scope.isTyped ? `let link${name}: ${scope.useType("Link")}` : `let link${name}`]] : []),
    constructorText(plan, scope),
    ...functions,
    [
      ...codec,
      `decode: decode${name},`,
      "bind(link) {",
      `Message${name}.prototype = link.prototype`,
      ...(isLinked ? [`link${name} = link`] : []),
      "}",
      "}"
    ]
  ]
}
