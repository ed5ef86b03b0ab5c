/**
 * Plan → text of a decoder.
 *
 * A function `decodeX(b, p, end, d)` reads from position `p`, may nest `d` deep, leaves the position behind in `at` and
 * returns the value, for a union without any member `undefined`. Nothing is read before it is known to lie before
 * `end`.
 */
import type { Settings } from "./options.ts"
import type { NamedPlan, Plan, StructPlan, UnionPlan } from "./plan.ts"
import { access, literal, type Names } from "./text.ts"
import { absentValue, leastBytes, mayBeAbsent, wireType } from "./wire.ts"
import { fixedSize, isFixedSize } from "./wireType.ts"

interface Scope {
  readonly types: Names
  readonly settings: Settings
  /** Whether i64 and double are read through a view, which pays from a few of them on. */
  readonly isMany: boolean
  readonly lines: Array<string>
  readonly next: () => string
}

const i32 = (at: string): string => `(b[${at}] << 24 | b[${at} + 1] << 16 | b[${at} + 2] << 8 | b[${at} + 3])`

// one view for a message, made when it is first needed
const needView = "if (w === undefined) w = view = viewOf(b)"

// Reads a value into the variable `v`; `known` says that it is whole if it is of fixed size. A union without a member
// is `undefined` where `mayBeAbsent`.
const value = (s: Scope, plan: Plan, v: string, known: boolean, mayBeAbsent: boolean): void => {
  const { isMany, lines } = s
  const type = wireType(plan)
  if (!known && isFixedSize(type)) lines.push(`if (end - p < ${fixedSize(type)}) throw bad`)
  switch (plan.kind) {
    case "bool":
      lines.push(`${v} = b[p++] === 1`)
      return
    case "i8":
      lines.push(`${v} = b[p++] << 24 >> 24`)
      return
    case "i16":
      lines.push(`${v} = b[p] << 24 >> 16 | b[p + 1]; p += 2`)
      return
    case "i32":
    case "enum":
      lines.push(`${v} = ${i32("p")}; p += 4`)
      return
    case "i64":
      lines.push(isMany ? `${needView}; ${v} = w.getBigInt64(p); p += 8` : `${v} = readI64(b, p); p += 8`)
      return
    case "i64number":
      lines.push(`${v} = readI64Number(b, p); p += 8`, `if (${v} !== ${v}) throw bad`)
      return
    case "double":
      lines.push(isMany ? `${needView}; ${v} = w.getFloat64(p); p += 8` : `${v} = readDouble(b, p); p += 8`)
      return
    case "string":
    case "binary": {
      const n = s.next()
      lines.push(
        "if (end - p < 4) throw bad",
        `const ${n} = ${i32("p")}; p += 4`,
        `if (${n} < 0 || ${n} > end - p) throw bad`,
        `${v} = ${plan.kind === "string" ? "readString" : "readBinary"}(b, p, ${n}); p += ${n}`
      )
      return
    }
    case "transform":
      value(s, plan.inner, v, known, false)
      lines.push(`${v} = ${s.types.transform(plan)}.decode(${v})`)
      return
    case "struct":
    case "union":
      lines.push(`${v} = decode${s.types.of(plan)}(b, p, end, d - 1); p = at`)
      if (plan.kind === "union" && !mayBeAbsent) lines.push(`if (${v} === undefined) throw bad`)
      return
    case "list":
    case "set": {
      const isSet = plan.collection === "set"
      const n = size(s, `b[p] !== ${wireType(plan.element)}`, 5, leastBytes(plan.element))
      const i = s.next()
      const e = s.next()
      lines.push(
        `${v} = ${isSet ? "new Set()" : `new Array(${n})`}`,
        `for (let ${i} = 0; ${i} < ${n}; ${i}++) {`,
        `let ${e}`
      )
      value({ ...s, isMany: true }, plan.element, e, isFixedSize(wireType(plan.element)), false)
      lines.push(isSet ? `${v}.add(${e})` : `${v}[${i}] = ${e}`, "}")
      return
    }
    case "map": {
      const isMap = plan.collection === "map"
      const types = `b[p] !== ${wireType(plan.key)} || b[p + 1] !== ${wireType(plan.value)}`
      const n = size(s, types, 6, leastBytes(plan.key) + leastBytes(plan.value))
      const i = s.next()
      const key = s.next()
      const item = s.next()
      const known = isFixedSize(wireType(plan.key)) && isFixedSize(wireType(plan.value))
      lines.push(
        `${v} = ${isMap ? "new Map()" : `new Array(${n})`}`,
        `for (let ${i} = 0; ${i} < ${n}; ${i}++) {`,
        `let ${key}, ${item}`
      )
      value({ ...s, isMany: true }, plan.key, key, known, false)
      value({ ...s, isMany: true }, plan.value, item, known, false)
      lines.push(isMap ? `${v}.set(${key}, ${item})` : `${v}[${i}] = [${key}, ${item}]`, "}")
    }
  }
}

// The head of a container: its size fits what is left, and its types are those declared unless it is empty.
const size = (s: Scope, mismatch: string, head: number, least: number): string => {
  const n = s.next()
  s.lines.push(
    `if (end - p < ${head}) throw bad`,
    `const ${n} = ${i32(`p + ${head - 4}`)}`,
    `if (${n} !== 0 && (${mismatch})) throw bad`,
    `p += ${head}`,
    `if (${n} < 0 || ${n} > ${s.settings.maxContainerSize} || ${n} * ${least} > end - p) throw bad`
  )
  return n
}

const fields = (
  s: Scope,
  members: ReadonlyArray<{ readonly id: number; readonly plan: Plan; readonly isAbsentable: boolean }>,
  read: (index: number) => void,
  isResult: boolean
): void => {
  const { lines } = s
  lines.push("for (;;) {", "if (p >= end) throw bad", "const t = b[p]", "if (t === 0) { p++; break }")
  lines.push("if (end - p < 3) throw bad", "const id = b[p + 1] << 24 >> 16 | b[p + 2]", "p += 3")
  if (members.length > 0) {
    lines.push("switch (id) {")
    members.forEach(({ id, plan }, index) => {
      lines.push(`case ${id}: if (t === ${wireType(plan)}) {`)
      read(index)
      lines.push("continue", "}", "break")
    })
    lines.push("}")
  }
  if (isResult) lines.push("if (t === 1 && id === 0 && p < end && b[p] === 0) { p++; continue }")
  lines.push(`p = skip(b, p, end, t, ${s.settings.maxDepth})`, "}")
}

const structBody = (s: Scope, plan: StructPlan): void => {
  const { lines, types } = s
  const { members } = plan
  if (members.length > 0) lines.push(`let ${members.map((_, i) => `m${i}`).join(", ")}`)
  fields(
    s,
    members.map((member) => ({ id: member.id, plan: member.plan, isAbsentable: mayBeAbsent(member) })),
    (i) => value(s, members[i]!.plan, `m${i}`, false, mayBeAbsent(members[i]!)),
    plan.isResult
  )
  members.forEach((member, i) => {
    if (member.requiredness === "required") lines.push(`if (m${i} === undefined) throw bad`)
    else if (!mayBeAbsent(member)) {
      lines.push(`if (m${i} === undefined) m${i} = ${literal(member.plan, absentValue(member), types)}`)
    }
  })
  const name = types.of(plan)
  const made = `new Construct${name}(${members.map((_, i) => `m${i}`).join(", ")})`
  if (plan.isException) lines.push(`const made = link${name}.make(${made})`, "view = w", "at = p", "return made")
  else lines.push("at = p", `return ${made}`)
}

const unionBody = (s: Scope, plan: UnionPlan): void => {
  const { lines } = s
  lines.push("let tag, x, first = p")
  fields(
    s,
    plan.cases.map(({ id, plan }) => ({ id, plan, isAbsentable: false })),
    (i) => {
      const { tag, plan: payload } = plan.cases[i]!
      value(s, payload, "x", false, false)
      lines.push(`tag = ${JSON.stringify(tag)}`)
    },
    false
  )
  lines.push("at = p", "if (tag !== undefined) return { _tag: tag, value: x }", "if (p - first > 1) throw bad")
}

/** @internal */
export const decoderText = (plan: NamedPlan, types: Names, settings: Settings, isElement: boolean): string => {
  let count = 0
  const scope: Scope = { types, settings, isMany: isElement, lines: [], next: () => `x${count++}` }
  if (plan.kind === "struct") structBody(scope, plan)
  else unionBody(scope, plan)
  return [
    `function decode${types.of(plan)}(b, p, end, d) {`,
    "if (d === 0) throw bad",
    "let w = view",
    ...scope.lines,
    "}"
  ].join("\n")
}

/** A constructor that makes instances of a class without running the constructor of the class.
 *
 * @internal
 */
export const constructorText = (plan: StructPlan, types: Names): string => {
  const parameters = plan.members.map((_, i) => `m${i}`)
  const lines = plan.constants.map(([name, value]) => `${access("this", name)} = ${constant(value)}`)
  plan.members.forEach((member, i) => {
    const assign = `${access("this", member.name)} = m${i}`
    lines.push(mayBeAbsent(member) ? `if (m${i} !== undefined) ${assign}` : assign)
  })
  return [`function Construct${types.of(plan)}(${parameters.join(", ")}) {`, ...lines, "}"].join("\n")
}

const constant = (value: unknown): string => (typeof value === "bigint" ? `${value}n` : JSON.stringify(value))
