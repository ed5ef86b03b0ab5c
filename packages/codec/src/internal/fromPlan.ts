/**
 * Plan → codec: chooses the kind of code, compiles on first use and joins it with the classes.
 */
import { Output } from "../Output.ts"
import type { Compiled, Link } from "../Runtime.ts"
import * as Closures from "./closures.ts"
import { explainDecode } from "./explainDecode.ts"
import { explainEncode } from "./explainEncode.ts"
import { defaults, type Settings } from "./options.ts"
import * as Plan from "./plan.ts"
import * as Source from "./source.ts"
import { holdsBinary, namedPlans } from "./wire.ts"

type Mode = "auto" | "source" | "closure"

type Options = { readonly [K in keyof Settings]?: Settings[K] | undefined } & { readonly mode?: Mode | undefined }

interface Functions<A> {
  readonly encodeInto: (value: A, out: Output) => void
  readonly decodeFrom: (bytes: Uint8Array, start: number, end: number) => A
  readonly encode: (value: A) => Uint8Array
  readonly decode: (bytes: Uint8Array) => A
  readonly keepsBytes: boolean
}

const link = (plan: Plan.NamedPlan, settings: Settings): Link => {
  const make = plan.kind === "struct" ? plan.make : undefined
  const isException = plan.kind === "struct" && plan.isException
  return {
    // an exception is made by its constructor, from a plain object
    prototype: isException ? Object.prototype : Plan.prototypeOf(make),
    make: make ?? ((fields) => fields),
    encodeFailure: (value, cause) => explainEncode(plan, settings, value, cause),
    decodeFailure: (bytes, start, end, cause) => explainDecode(plan, settings, bytes, start, end, cause)
  }
}

const isDefault = (settings: Settings): boolean =>
  (Object.keys(defaults) as Array<keyof Settings>).every((key) => settings[key] === defaults[key])

const compile = (root: Plan.NamedPlan, settings: Settings, mode: Mode): Compiled<any> => {
  const plans = namedPlans(root)
  const ahead = plans.map((plan) => plan.compiled)
  const compiled: ReadonlyArray<Compiled<any>> =
    mode === "auto" && isDefault(settings) && ahead.every((found) => found !== undefined)
      ? (ahead as ReadonlyArray<Compiled<any>>)
      : mode === "source" || (mode === "auto" && Source.isAllowed())
        ? Source.compile(plans, settings)
        : Closures.compile(plans, settings)
  plans.forEach((plan, i) => compiled[i]!.bind(link(plan, settings)))
  return compiled[0]!
}

// `encode` runs no user code but getters; one that encodes in turn finds no spare output and makes its own
let spare: Output | undefined

/** @internal */
export const fromPlan = <A>(plan: () => Plan.NamedPlan, options?: Options): Functions<A> => {
  const settings: Settings = {
    fieldOrder: options?.fieldOrder ?? defaults.fieldOrder,
    absentStruct: options?.absentStruct ?? defaults.absentStruct,
    maxDepth: options?.maxDepth ?? defaults.maxDepth,
    maxContainerSize: options?.maxContainerSize ?? defaults.maxContainerSize
  }
  let compiled: Compiled<A> | undefined
  const ready = (): Compiled<A> => {
    if (compiled === undefined) {
      const root = plan()
      compiled = compile(root, settings, options?.mode ?? "auto")
      codec.keepsBytes = holdsBinary(root)
      codec.encodeInto = compiled.encodeInto
      codec.decodeFrom = compiled.decodeFrom
    }
    return compiled
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
