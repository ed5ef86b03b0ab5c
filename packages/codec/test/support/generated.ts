/** Modules of codecs as `millrace gen` writes them. */
import { CodecText, Plan, type Runtime } from "@millrace/codec"
import { mkdirSync, writeFileSync } from "node:fs"
import { messagePlanOf } from "../../src/internal/fromSchema.ts"
import { namedPlans } from "../../src/internal/wire.ts"
import { types } from "../golden.ts"

export const folder = new URL("../.cache/", import.meta.url)

type Codecs = Readonly<Record<string, Runtime.Compiled>>

/** Writes the module `<base>.codec.ts` and loads it. */
export const generated = async (
  base: string,
  types: ReadonlyArray<CodecText.Type>,
  from = "./other.codec.ts"
): Promise<Codecs> => {
  mkdirSync(folder, { recursive: true })
  const file = new URL(`${base}.codec.ts`, folder)
  writeFileSync(file, CodecText.print(types, { imported: (plan) => ({ from, name: plan.label }) }))
  return import(file.href)
}

export const goldenTypes: ReadonlyArray<CodecText.Type> = Object.entries(types).map(([name, schema]) => ({
  name,
  plan: Plan.of(schema)
}))

/** The plan of a schema as if its types named these codecs. */
export const withCodecs = (schema: Parameters<typeof Plan.of>[0], codecs: Codecs): Plan.NamedPlan => {
  const root = messagePlanOf(schema)
  const copies = new Map<Plan.Plan, Plan.NamedPlan>(
    namedPlans([root]).map((plan) => [plan, { ...plan, compiled: codecs[plan.label] }])
  )
  const copy = (plan: Plan.Plan): Plan.Plan => {
    switch (plan.kind) {
      case "list":
      case "set":
        return { ...plan, element: copy(plan.element) }
      case "map":
        return { ...plan, key: copy(plan.key), value: copy(plan.value) }
      default:
        return copies.get(plan) ?? plan
    }
  }
  for (const plan of copies.values()) {
    const copied = <P extends { readonly plan: Plan.Plan }>(each: P): P =>
      Object.assign({}, each, { plan: copy(each.plan) })
    if (plan.kind === "struct") plan.members = plan.members.map(copied)
    else plan.cases = plan.cases.map(copied)
  }
  return copies.get(root)!
}
