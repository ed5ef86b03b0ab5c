/**
 * Plan → text of an encoder.
 *
 * A function `encodeX(v, out, p, d)` writes from position `p`, may nest `d` deep, and returns the position behind. Room
 * is asked for once for everything of fixed size in a struct, and at each value of variable size for it and the fixed
 * rest.
 */
import { inlineLimit } from "./bytes.ts"
import type { Settings } from "./options.ts"
import type { Member, NamedPlan, Plan, StructPlan, UnionPlan } from "./plan.ts"
import { absentText, access, quoted, type Scope } from "./text.ts"
import { inOrder, isNilable, isStructLike, mayBeAbsent, omitsDefault, wireType } from "./wire.ts"
import { isFixedSize } from "./wireType.ts"

interface Body extends Scope {
  readonly settings: Settings
  readonly lines: Array<string>
  readonly next: () => string
}

// the bytes of a value that are there whatever the value is
const fixedBytes = (plan: Plan): number => {
  switch (plan.kind) {
    case "bool":
    case "i8":
      return 1
    case "i16":
      return 2
    case "i32":
    case "enum":
    case "string":
    case "binary":
      return 4
    case "i64":
    case "i64number":
    case "i64string":
    case "double":
      return 8
    case "list":
    case "set":
      return 5
    case "map":
      return 6
    case "struct":
    case "union":
      return 0
    case "transform":
      return fixedBytes(plan.inner)
  }
}

// what the encoder of a member may write without asking: an absent struct may be a lone STOP
const memberBytes = (member: Member): number => 3 + Math.max(fixedBytes(member.plan), 1)

// the fourth byte is that of the value behind, which is at least one byte
const header = (s: Body, id: number, type: number): void => {
  s.lines.push(`w.setInt32(p, ${(type << 24) | ((id & 0xffff) << 8)})`, "p += 3")
}

const room = (s: Body, size: string | number, grown: string): void => {
  s.lines.push(`if (b.length - p < ${size}) {`, `b = ${grown}`, "w = out.view", "}")
}

const ensure = (s: Body, size: string | number): void => room(s, size, `${s.use("grow")}(out, p, ${size})`)

const check = (s: Body, isWrong: string): void => {
  s.lines.push(`if (${isWrong}) throw ${s.use("bad")}`)
}

// Writes the value in the variable `v`. `rest` are the bytes that follow it for certain, for which there must be room
// when it is written; there is room for `rest` and its own fixed bytes before.
const value = (s: Body, plan: Plan, v: string, rest: number): void => {
  const { lines } = s
  switch (plan.kind) {
    case "bool":
      lines.push(`if (${v} === true) b[p++] = 1`, `else if (${v} === false) b[p++] = 0`, `else throw ${s.use("bad")}`)
      return
    case "i8":
      check(s, `(${v} << 24) >> 24 !== ${v}`)
      lines.push(`b[p++] = ${v}`)
      return
    case "i16":
      check(s, `(${v} << 16) >> 16 !== ${v}`)
      lines.push(`w.setInt16(p, ${v})`, "p += 2")
      return
    case "i32":
    case "enum":
      check(s, `(${v} | 0) !== ${v}`)
      lines.push(`w.setInt32(p, ${v})`, "p += 4")
      return
    case "i64":
      check(s, `typeof ${v} !== "bigint" || BigInt.asIntN(64, ${v}) !== ${v}`)
      lines.push(`w.setBigInt64(p, ${v})`, "p += 8")
      return
    case "i64number":
      check(s, `!Number.isSafeInteger(${v})`)
      lines.push(`w.setInt32(p, Math.floor(${v} / 4294967296))`, `w.setUint32(p + 4, ${v} >>> 0)`, "p += 8")
      return
    case "i64string":
      lines.push(`${s.use("writeI64String")}(w, p, ${v})`, "p += 8")
      return
    case "double":
      check(s, `typeof ${v} !== "number"`)
      lines.push(`w.setFloat64(p, ${v})`, "p += 8")
      return
    case "string":
      check(s, `typeof ${v} !== "string"`)
      room(s, `${v}.length * 3 + ${4 + rest}`, `${s.use("growString")}(out, p, ${v}, ${4 + rest})`)
      lines.push(`p = ${s.use("writeString")}(b, w, p, ${v})`)
      return
    case "binary":
      check(s, `!(${v} instanceof Uint8Array)`)
      lines.push(`if (${v}.length < ${inlineLimit}) {`)
      ensure(s, `${v}.length + ${4 + rest}`)
      lines.push("}", `p = ${s.use("writeBinary")}(out, b, w, p, ${v})`)
      return
    case "transform": {
      const wire = s.next()
      lines.push(`const ${wire} = ${s.transform(plan)}.encode(${v})`)
      return value(s, plan.inner, wire, rest)
    }
    case "struct":
    case "union": {
      const call = `p = ${s.encoder(plan)}(${v}, out, p, d - 1)`
      if (s.settings.absentStruct === "empty") lines.push(`if (${v} === undefined) b[p++] = 0`, `else ${call}`)
      else lines.push(call)
      lines.push("b = out.buffer", "w = out.view")
      if (rest > 0) ensure(s, rest)
      return
    }
    case "list":
    case "set":
      return listValue(s, plan.element, plan.collection === "set", v, rest)
    case "map":
      return mapValue(s, plan.key, plan.value, plan.collection === "map", v, rest)
  }
}

const listValue = (s: Body, plan: Plan, isSet: boolean, v: string, rest: number): void => {
  const { lines } = s
  check(s, isSet ? `!(${v} instanceof Set)` : `!Array.isArray(${v})`)
  const size = s.next()
  lines.push(`const ${size} = ${v}.${isSet ? "size" : "length"}`)
  lines.push(`b[p] = ${wireType(plan)}`, `w.setInt32(p + 1, ${size})`, "p += 5")
  const each = elementBytes(plan)
  if (each > 0) ensure(s, sum(`${size} * ${each}`, rest))
  const e = s.next()
  if (isSet) lines.push(`for (const ${e} of ${v}) {`)
  else {
    const i = s.next()
    lines.push(`for (let ${i} = 0; ${i} < ${size}; ${i}++) {`, `const ${e} = ${v}[${i}]`)
  }
  element(s, plan, e, each, rest)
  lines.push("}")
  again(s, each, rest)
}

const mapValue = (s: Body, keyPlan: Plan, valuePlan: Plan, isMap: boolean, v: string, rest: number): void => {
  const { lines } = s
  check(s, isMap ? `!(${v} instanceof Map)` : `!Array.isArray(${v})`)
  const size = s.next()
  lines.push(`const ${size} = ${v}.${isMap ? "size" : "length"}`)
  lines.push(`b[p] = ${wireType(keyPlan)}`, `b[p + 1] = ${wireType(valuePlan)}`, `w.setInt32(p + 2, ${size})`, "p += 6")
  const keyEach = elementBytes(keyPlan)
  const valueEach = elementBytes(valuePlan)
  const isFixed = keyEach > 0 && valueEach > 0
  const each = isFixed ? keyEach + valueEach : 0
  if (each > 0) ensure(s, sum(`${size} * ${each}`, rest))
  const key = s.next()
  const item = s.next()
  if (isMap) lines.push(`for (const [${key}, ${item}] of ${v}) {`)
  else {
    const e = s.next()
    lines.push(`for (const ${e} of ${v}) {`)
    check(s, `!Array.isArray(${e}) || ${e}.length !== 2`)
    lines.push(`const ${key} = ${e}[0]`, `const ${item} = ${e}[1]`)
  }
  if (!isFixed) ensure(s, fixedBytes(keyPlan) + fixedBytes(valuePlan) + rest + 2)
  value(s, keyPlan, key, isFixed ? 0 : fixedBytes(valuePlan) + 1 + rest)
  value(s, valuePlan, item, isFixed ? 0 : rest)
  lines.push("}")
  again(s, each, rest)
}

const sum = (size: string, rest: number): string => (rest === 0 ? size : `${size} + ${rest}`)

// elements of one size are written after one check for all of them
const elementBytes = (plan: Plan): number => (isFixedSize(wireType(plan)) ? fixedBytes(plan) : 0)

const again = (s: Body, each: number, rest: number): void => {
  if (each === 0 && rest > 0) ensure(s, rest)
}

const element = (s: Body, plan: Plan, v: string, each: number, rest: number): void => {
  // strings check for themselves, structs begin with a check
  if (each === 0 && !["string", "struct", "union"].includes(plan.kind)) {
    ensure(s, Math.max(fixedBytes(plan), 1) + rest)
  }
  if (isStructLike(plan) && s.settings.absentStruct === "empty") ensure(s, 1)
  value(s, plan, v, each === 0 && !isStructLike(plan) && plan.kind !== "string" ? rest : 0)
}

// what else must hold for an optional member to be written
const differs = (s: Body, member: Member, v: string): string => {
  if (!omitsDefault(member)) return ""
  const value = absentText(member)!
  return member.plan.kind === "binary" ? ` && !${s.use("sameBytes")}(${v}, ${value})` : ` && ${v} !== ${value}`
}

const structBody = (s: Body, plan: StructPlan): void => {
  const members = inOrder(plan.members, s.settings.fieldOrder)
  let rest = members.reduce((sum, member) => sum + memberBytes(member), 1)
  const { lines } = s
  ensure(s, rest)
  for (const member of members) {
    rest -= memberBytes(member)
    const v = s.next()
    lines.push(`const ${v} = ${access("v", member.name)}`)
    memberValue(s, member, v, rest)
  }
  lines.push("b[p++] = 0", "return p")
}

const memberValue = (s: Body, member: Member, v: string, rest: number): void => {
  const { lines } = s
  const type = wireType(member.plan)
  const isEmpty = s.settings.absentStruct === "empty" && isNilable(member.plan)
  // the nil of an optional binary is not its default either, so Kitex writes it
  const isNilWritten = isEmpty && (member.requiredness !== "optional" || omitsDefault(member))
  const mayBeLeftOut = member.requiredness === "optional" || (!isNilWritten && mayBeAbsent(member))
  if (isNilWritten) {
    lines.push(`if (${v} === undefined) {`)
    header(s, member.id, type)
    empty(s, member.plan)
    lines.push(mayBeLeftOut ? `} else if (${v} !== undefined${differs(s, member, v)}) {` : "} else {")
  } else if (mayBeLeftOut) {
    lines.push(`if (${v} !== undefined${differs(s, member, v)}) {`)
  }
  header(s, member.id, type)
  value(s, member.plan, v, rest)
  if (isNilWritten || mayBeLeftOut) lines.push("}")
}

const empty = (s: Body, plan: Plan): void => {
  const { lines } = s
  switch (plan.kind) {
    case "binary":
      lines.push("w.setInt32(p, 0)", "p += 4")
      return
    case "list":
    case "set":
      lines.push(`b[p] = ${wireType(plan.element)}`, "w.setInt32(p + 1, 0)", "p += 5")
      return
    case "map":
      lines.push(`b[p] = ${wireType(plan.key)}`, `b[p + 1] = ${wireType(plan.value)}`)
      lines.push("w.setInt32(p + 2, 0)", "p += 6")
      return
    default:
      lines.push("b[p++] = 0")
  }
}

const unionBody = (s: Body, plan: UnionPlan): void => {
  const { lines } = s
  lines.push("const tag = v._tag", "const x = v.value")
  plan.cases.forEach(({ id, tag, plan: payload }, i) => {
    lines.push(`${i === 0 ? "" : "} else "}if (tag === ${quoted(tag)}) {`)
    ensure(s, 5 + fixedBytes(payload))
    header(s, id, wireType(payload))
    value(s, payload, "x", 2)
  })
  lines.push(`} else throw ${s.use("bad")}`, "b[p++] = 0", "return p")
}

/** @internal */
export const encoderText = (plan: NamedPlan, scope: Scope, settings: Settings): ReadonlyArray<string> => {
  let count = 0
  const s: Body = { ...scope, settings, lines: [], next: () => `x${count++}` }
  // a union without members has no values
  const isEmpty = (plan.kind === "struct" ? plan.members : plan.cases).length === 0
  if (isEmpty) s.lines.push(`if (b.length - p < 1) b = ${s.use("grow")}(out, p, 1)`, "b[p++] = 0", "return p")
  else if (plan.kind === "struct") structBody(s, plan)
  else unionBody(s, plan)
  return [
    s.isTyped
      ? `function encode${s.name(plan)}(v: any, out: Output, p: number, d: number): number {`
      : `function encode${s.name(plan)}(v, out, p, d) {`,
    `if (typeof v !== "object" || v === null || d === 0) throw ${s.use("bad")}`,
    "let b = out.buffer",
    ...(isEmpty ? [] : ["let w = out.view"]),
    ...s.lines,
    "}"
  ]
}
