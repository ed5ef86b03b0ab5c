/**
 * Plan → text of a decoder.
 *
 * A function `decodeX(b, p, end, d)` reads from position `p`, may nest `d` deep, leaves the position behind in
 * `cursor.at` and returns the value, for a union without any member `undefined`. Nothing is read before it is known to
 * lie before `end`.
 */
import type { Settings } from "./options.ts"
import type { NamedPlan, Plan, StructPlan, UnionPlan } from "./plan.ts"
import { absentText, access, listed, quoted, type Scope, typeText } from "./text.ts"
import { leastBytes, mayBeAbsent, wireType } from "./wire.ts"
import { fixedSize, isFixedSize } from "./wireType.ts"

interface Body extends Scope {
  readonly settings: Settings
  /** Whether i64 and double are read through a view, which pays from a few of them on. */
  readonly isMany: boolean
  readonly lines: Array<string>
  readonly next: () => string
}

const check = (s: Body, isWrong: string): void => {
  s.lines.push(`if (${isWrong}) throw ${s.use("bad")}`)
}

// the byte at a position that was checked
const byte = (s: Scope, at: string): string => (s.isTyped ? `b[${at}]!` : `b[${at}]`)

const i16 = (s: Scope, at: number): string =>
  `((${byte(s, at === 0 ? "p" : `p + ${at}`)} << 24) >> 16) | ${byte(s, `p + ${at + 1}`)}`

const i32 = (s: Scope, at: number): string => {
  const bytes = [0, 1, 2, 3].map((i) => byte(s, at + i === 0 ? "p" : `p + ${at + i}`))
  return `(${bytes[0]} << 24) | (${bytes[1]} << 16) | (${bytes[2]} << 8) | ${bytes[3]}`
}

const typed = (s: Scope, type: string): string => (s.isTyped ? `: ${type}` : "")

// eight bytes by a method of the view, which is made once for a message when it is first needed
const viewed = (s: Body, v: string, method: string): void => {
  s.lines.push(`if (w === undefined) w = ${s.use("cursor")}.view = ${s.use("viewOf")}(b)`)
  s.lines.push(`${v} = w.${method}(p)`, "p += 8")
}

// Reads a value into the variable `v`; `known` says that it is whole if it is of fixed size. A union without a member
// is `undefined` where `mayBeAbsent`.
const value = (s: Body, plan: Plan, v: string, known: boolean, mayBeAbsent: boolean): void => {
  const { isMany, lines } = s
  const type = wireType(plan)
  if (!known && isFixedSize(type)) check(s, `end - p < ${fixedSize(type)}`)
  switch (plan.kind) {
    case "bool":
      lines.push(`${v} = b[p++] === 1`)
      return
    case "i8":
      lines.push(`${v} = (${byte(s, "p++")} << 24) >> 24`)
      return
    case "i16":
      lines.push(`${v} = ${i16(s, 0)}`, "p += 2")
      return
    case "i32":
    case "enum":
      lines.push(`${v} = ${i32(s, 0)}`, "p += 4")
      return
    case "i64":
      if (isMany) return viewed(s, v, "getBigInt64")
      lines.push(`${v} = ${s.use("readI64")}(b, p)`, "p += 8")
      return
    case "i64number":
      lines.push(`${v} = ${s.use("readI64Number")}(b, p)`, "p += 8")
      check(s, `Number.isNaN(${v})`)
      return
    case "i64string":
      lines.push(`${v} = ${s.use("readI64String")}(b, p)`, "p += 8")
      return
    case "double":
      if (isMany) return viewed(s, v, "getFloat64")
      lines.push(`${v} = ${s.use("readDouble")}(b, p)`, "p += 8")
      return
    case "string":
    case "binary": {
      const n = s.next()
      check(s, "end - p < 4")
      lines.push(`const ${n} = ${i32(s, 0)}`, "p += 4")
      check(s, `${n} < 0 || ${n} > end - p`)
      lines.push(`${v} = ${s.use(plan.kind === "string" ? "readString" : "readBinary")}(b, p, ${n})`, `p += ${n}`)
      return
    }
    case "transform":
      value(s, plan.inner, v, known, false)
      lines.push(`${v} = ${s.transform(plan)}.decode(${v})`)
      return
    case "struct":
    case "union":
      lines.push(`${v} = ${s.decoder(plan)}(b, p, end, d - 1)`, `p = ${s.use("cursor")}.at`)
      if (plan.kind === "union" && !mayBeAbsent) check(s, `${v} === undefined`)
      return
    case "list":
    case "set": {
      const isSet = plan.collection === "set"
      const n = size(s, `${byte(s, "p")} !== ${wireType(plan.element)}`, 5, leastBytes(plan.element))
      const i = s.next()
      const e = s.next()
      const made = s.next()
      const inner = { ...s, isMany: true }
      lines.push(
        `const ${made}${typed(s, typeText(plan))} = ${isSet ? "new Set()" : `new Array(${n})`}`,
        `for (let ${i} = 0; ${i} < ${n}; ${i}++) {`,
        `let ${e}${typed(s, typeText(plan.element))}`
      )
      value(inner, plan.element, e, isFixedSize(wireType(plan.element)), false)
      lines.push(isSet ? `${made}.add(${e})` : `${made}[${i}] = ${e}`, "}", `${v} = ${made}`)
      return
    }
    case "map": {
      const isMap = plan.collection === "map"
      const types = `${byte(s, "p")} !== ${wireType(plan.key)} || ${byte(s, "p + 1")} !== ${wireType(plan.value)}`
      const n = size(s, `(${types})`, 6, leastBytes(plan.key) + leastBytes(plan.value))
      const i = s.next()
      const key = s.next()
      const item = s.next()
      const made = s.next()
      const known = isFixedSize(wireType(plan.key)) && isFixedSize(wireType(plan.value))
      const inner = { ...s, isMany: true }
      lines.push(
        `const ${made}${typed(s, typeText(plan))} = ${isMap ? "new Map()" : `new Array(${n})`}`,
        `for (let ${i} = 0; ${i} < ${n}; ${i}++) {`,
        `let ${key}${typed(s, typeText(plan.key))}`,
        `let ${item}${typed(s, typeText(plan.value))}`
      )
      value(inner, plan.key, key, known, false)
      value(inner, plan.value, item, known, false)
      lines.push(isMap ? `${made}.set(${key}, ${item})` : `${made}[${i}] = [${key}, ${item}]`, "}", `${v} = ${made}`)
    }
  }
}

// The head of a container: its size fits what is left, and its types are those declared unless it is empty.
const size = (s: Body, mismatch: string, head: number, least: number): string => {
  const n = s.next()
  check(s, `end - p < ${head}`)
  s.lines.push(`const ${n} = ${i32(s, head - 4)}`)
  check(s, `${n} !== 0 && ${mismatch}`)
  s.lines.push(`p += ${head}`)
  check(s, `${n} < 0 || ${n} > ${s.settings.maxContainerSize} || ${least === 1 ? n : `${n} * ${least}`} > end - p`)
  return n
}

// Reads members until STOP; `read` reads the one of the given place.
const fields = (
  s: Body,
  members: ReadonlyArray<{ readonly id: number; readonly plan: Plan }>,
  read: (index: number) => void,
  isResult: boolean
): void => {
  const { lines } = s
  lines.push("for (;;) {")
  check(s, "p >= end")
  lines.push(`const t = ${byte(s, "p")}`, "if (t === 0) {", "p++", "break", "}")
  check(s, "end - p < 3")
  if (members.length > 0 || isResult) lines.push(`const id = ${i16(s, 1)}`)
  lines.push("p += 3")
  if (members.length > 0) {
    lines.push("switch (id) {")
    members.forEach(({ id, plan }, index) => {
      lines.push(`case ${id}: {`, `if (t !== ${wireType(plan)}) break`)
      read(index)
      lines.push("continue", "}")
    })
    lines.push("}")
  }
  if (isResult) lines.push("if (t === 1 && id === 0 && p < end && b[p] === 0) {", "p++", "continue", "}")
  lines.push(`p = ${s.use("skip")}(b, p, end, t, ${s.settings.maxDepth})`, "}")
}

const structBody = (s: Body, plan: StructPlan): void => {
  const { lines } = s
  const { members } = plan
  members.forEach((member, i) => lines.push(`let m${i}${typed(s, optional(typeText(member.plan)))}`))
  fields(s, members, (i) => value(s, members[i]!.plan, `m${i}`, false, mayBeAbsent(members[i]!)), plan.isResult)
  members.forEach((member, i) => {
    if (member.requiredness === "required") check(s, `m${i} === undefined`)
    else if (!mayBeAbsent(member)) lines.push(`if (m${i} === undefined) m${i} = ${absent(s, plan, i)}`)
  })
  const name = s.name(plan)
  const values = members.map((_, i) => `m${i}`)
  const at = `${s.use("cursor")}.at = p`
  if (plan.isException) {
    lines.push(...listed(`const fields = new Message${name}(`, values, ")", 2))
    lines.push(`const made = link${name}.make(fields)`, at, "return made")
  } else lines.push(at, ...listed(`return new Message${name}(`, values, ")", 2))
}

const optional = (type: string): string => (type === "unknown" ? type : `${type} | undefined`)

const absent = (s: Body, plan: StructPlan, index: number): string => {
  const member = plan.members[index]!
  const made = `link${s.name(plan)}.defaults[${index}]${s.isTyped ? "!" : ""}()`
  const type = typeText(member.plan)
  return absentText(member) ?? (s.isTyped && type !== "unknown" ? `${made} as ${type}` : made)
}

const unionBody = (s: Body, plan: UnionPlan): void => {
  const { lines } = s
  lines.push("const first = p", `let tag${typed(s, "string | undefined")}`, `let x${typed(s, "unknown")}`)
  const read = (i: number) => {
    const { plan: payload, tag } = plan.cases[i]!
    value(s, payload, "x", false, false)
    lines.push(`tag = ${quoted(tag)}`)
  }
  fields(s, plan.cases, read, false)
  lines.push(`${s.use("cursor")}.at = p`, "if (tag !== undefined) return { _tag: tag, value: x }")
  check(s, "p - first > 1")
  lines.push("return undefined")
}

/** @internal */
export const decoderText = (
  plan: NamedPlan,
  scope: Scope,
  settings: Settings,
  isElement: boolean
): ReadonlyArray<string> => {
  let count = 0
  const s: Body = { ...scope, settings, isMany: isElement, lines: [], next: () => `x${count++}` }
  if (plan.kind === "struct") structBody(s, plan)
  else unionBody(s, plan)
  const usesView = s.lines.some((line) => line.startsWith("if (w === undefined)"))
  return [
    s.isTyped
      ? `function decode${s.name(plan)}(b: Uint8Array, p: number, end: number, d: number): unknown {`
      : `function decode${s.name(plan)}(b, p, end, d) {`,
    `if (d === 0) throw ${s.use("bad")}`,
    ...(usesView ? [`let w = ${s.use("cursor")}.view`] : []),
    ...s.lines,
    "}"
  ]
}

/** Whether the decoder needs the link to its class for more than a prototype.
 *
 * @internal
 */
export const usesLink = (plan: StructPlan): boolean =>
  plan.isException ||
  plan.members.some(
    (member) => member.requiredness !== "required" && !mayBeAbsent(member) && absentText(member) === undefined
  )

/** A constructor that makes instances of a class without running the constructor of the class.
 *
 * @internal
 */
export const constructorText = (plan: StructPlan, scope: Scope): ReadonlyArray<string> => {
  const own = scope.isTyped && (plan.members.length > 0 || plan.constants.length > 0) ? ["this: any"] : []
  const parameters = plan.members.map((_, i) => `m${i}${typed(scope, "unknown")}`)
  const lines = plan.constants.map(([name, value]) => `${access("this", name)} = ${constant(value)}`)
  plan.members.forEach((member, i) => {
    const assign = `${access("this", member.name)} = m${i}`
    lines.push(mayBeAbsent(member) ? `if (m${i} !== undefined) ${assign}` : assign)
  })
  const head = listed(`const Message${scope.name(plan)} = function (`, [...own, ...parameters], ") {")
  const tail = scope.isTyped ? `} as unknown as ${scope.useType("Constructor")}` : "}"
  return lines.length === 0 ? [head.join("") + tail] : [...head, ...lines, tail]
}

const constant = (value: unknown): string =>
  typeof value === "string" ? quoted(value) : typeof value === "bigint" ? `${value}n` : String(value)
