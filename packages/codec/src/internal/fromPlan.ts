/**
 * Plan → codec: chooses the kind of code, compiles on first use and joins it with the classes.
 */
import { Output } from "../Output.ts"
import type { Functions } from "../Runtime.ts"
import { bindAhead, isAhead, linkOf } from "./ahead.ts"
import { bad } from "./bytes.ts"
import * as Closures from "./closures.ts"
import { cursor } from "./cursor.ts"
import { explainDecode } from "./explainDecode.ts"
import { explainEncode } from "./explainEncode.ts"
import { defaults, type Settings } from "./options.ts"
import type { NamedPlan } from "./plan.ts"
import * as Source from "./source.ts"
import { holdsBinary, namedPlans } from "./wire.ts"

type Mode = "auto" | "source" | "closure"

type Options = { readonly [K in keyof Settings]?: Settings[K] | undefined } & { readonly mode?: Mode | undefined }

interface Codec<A> {
  readonly encodeInto: (value: A, out: Output) => void
  readonly decodeFrom: (bytes: Uint8Array, start: number, end: number) => A
  readonly encode: (value: A) => Uint8Array
  readonly decode: (bytes: Uint8Array) => A
  readonly keepsBytes: boolean
}

const isDefault = (settings: Settings): boolean =>
  (Object.keys(defaults) as Array<keyof Settings>).every((key) => settings[key] === defaults[key])

// Types with a codec made ahead of time use it; what holds them is compiled around it.
const compile = (root: NamedPlan, settings: Settings, mode: Mode): Functions => {
  const usesAhead = mode === "auto" && isDefault(settings)
  const plans = namedPlans([root])
  if (usesAhead) bindAhead(plans.filter(isAhead))
  if (usesAhead && isAhead(root)) return root.compiled!
  const others = usesAhead ? plans.filter((plan) => !isAhead(plan)) : plans
  const isSource = mode === "source" || (mode === "auto" && Source.isAllowed())
  const compiled = isSource ? Source.compile(others, settings) : Closures.compile(others, settings)
  others.forEach((plan, i) => compiled[i]!.bind?.(linkOf(plan)))
  return compiled[0]!
}

const writer =
  ({ encode }: Functions, plan: NamedPlan, settings: Settings) =>
  (value: unknown, out: Output): void => {
    const { position } = out
    const segments = out.segments.length
    try {
      out.position = encode(value, out, position, settings.maxDepth)
    } catch (cause) {
      out.rewind(position, segments)
      throw explainEncode(plan, settings, value, cause)
    }
  }

const reader =
  ({ decode }: Functions, plan: NamedPlan, settings: Settings) =>
  (bytes: Uint8Array, start: number, end: number): unknown => {
    try {
      cursor.view = undefined
      const value = decode(bytes, start, end, settings.maxDepth)
      cursor.view = undefined
      if (value === undefined) throw bad
      return value
    } catch (cause) {
      cursor.view = undefined
      throw explainDecode(plan, settings, bytes, start, end, cause)
    }
  }

// `encode` runs no user code but getters; one that encodes in turn finds no spare output and makes its own
let spare: Output | undefined

/** @internal */
export const fromPlan = <A>(plan: () => NamedPlan, options?: Options): Codec<A> => {
  const settings: Settings = {
    fieldOrder: options?.fieldOrder ?? defaults.fieldOrder,
    absentStruct: options?.absentStruct ?? defaults.absentStruct,
    maxDepth: options?.maxDepth ?? defaults.maxDepth,
    maxContainerSize: options?.maxContainerSize ?? defaults.maxContainerSize
  }
  let isReady = false
  const ready = () => {
    if (isReady) return codec
    const root = plan()
    const compiled = compile(root, settings, options?.mode ?? "auto")
    codec.keepsBytes = holdsBinary(root)
    codec.encodeInto = writer(compiled, root, settings)
    codec.decodeFrom = reader(compiled, root, settings) as (bytes: Uint8Array, start: number, end: number) => A
    isReady = true
    return codec
  }
  // the two hot functions are replaced by the compiled ones on first use
  const codec = {
    encodeInto: (value: A, out: Output): void => ready().encodeInto(value, out),
    decodeFrom: (bytes: Uint8Array, start: number, end: number): A => ready().decodeFrom(bytes, start, end),
    encode: (value: A): Uint8Array => {
      const out = spare ?? new Output()
      spare = undefined
      try {
        codec.encodeInto(value, out)
        return out.toBytes()
      } finally {
        out.clear()
        spare = out
      }
    },
    decode: (bytes: Uint8Array): A => codec.decodeFrom(bytes, 0, bytes.length),
    keepsBytes: true
  }
  return codec
}
