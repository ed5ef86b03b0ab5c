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
import { access, literal, type Names } from "./text.ts"
import { absentValue, inOrder, isNilable, isStructLike, mayBeAbsent, omitsDefault, wireType } from "./wire.ts"
import { isFixedSize } from "./wireType.ts"

interface Scope {
  readonly types: Names
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
const header = (id: number, type: number): string => `w.setInt32(p, ${(type << 24) | ((id & 0xffff) << 8)}); p += 3`

const ensure = (size: string | number): string =>
  `if (b.length - p < ${size}) { b = grow(out, p, ${size}); w = out.view }`

// Writes the value in the variable `v`. `rest` are the bytes that follow it for certain, for which there must be room
// when it is written; there is room for `rest` and its own fixed bytes before.
const value = (s: Scope, plan: Plan, v: string, rest: number): void => {
  const { lines } = s
  switch (plan.kind) {
    case "bool":
      lines.push(`if (${v} === true) b[p++] = 1; else if (${v} === false) b[p++] = 0; else throw bad`)
      return
    case "i8":
      lines.push(`if (${v} << 24 >> 24 !== ${v}) throw bad`, `b[p++] = ${v}`)
      return
    case "i16":
      lines.push(`if (${v} << 16 >> 16 !== ${v}) throw bad`, `w.setInt16(p, ${v}); p += 2`)
      return
    case "i32":
    case "enum":
      lines.push(`if ((${v} | 0) !== ${v}) throw bad`, `w.setInt32(p, ${v}); p += 4`)
      return
    case "i64":
      lines.push(`if (typeof ${v} !== "bigint" || BigInt.asIntN(64, ${v}) !== ${v}) throw bad`)
      lines.push(`w.setBigInt64(p, ${v}); p += 8`)
      return
    case "i64number":
      lines.push(
        `if (!Number.isSafeInteger(${v})) throw bad`,
        `w.setInt32(p, Math.floor(${v} / 4294967296)); w.setUint32(p + 4, ${v} >>> 0); p += 8`
      )
      return
    case "double":
      lines.push(`if (typeof ${v} !== "number") throw bad`, `w.setFloat64(p, ${v}); p += 8`)
      return
    case "string":
      lines.push(
        `if (typeof ${v} !== "string") throw bad`,
        `if (b.length - p < ${v}.length * 3 + ${4 + rest}) { b = growString(out, p, ${v}, ${4 + rest}); w = out.view }`,
        `p = writeString(b, w, p, ${v})`
      )
      return
    case "binary":
      lines.push(
        `if (!(${v} instanceof Uint8Array)) throw bad`,
        `if (${v}.length < ${inlineLimit}) { ${ensure(`${v}.length + ${4 + rest}`)} }`,
        `p = writeBinary(out, b, w, p, ${v})`
      )
      return
    case "transform": {
      const wire = s.next()
      lines.push(`const ${wire} = ${s.types.transform(plan)}.encode(${v})`)
      return value(s, plan.inner, wire, rest)
    }
    case "struct":
    case "union": {
      const call = `p = encode${s.types.of(plan)}(${v}, out, p, d - 1)`
      lines.push(
        s.settings.absentStruct === "empty" ? `if (${v} === undefined) b[p++] = 0; else ${call}` : call,
        "b = out.buffer; w = out.view"
      )
      if (rest > 0) lines.push(ensure(rest))
      return
    }
    case "list":
    case "set": {
      const size = s.next()
      const i = s.next()
      const e = s.next()
      const isSet = plan.collection === "set"
      lines.push(
        isSet ? `if (!(${v} instanceof Set)) throw bad` : `if (!Array.isArray(${v})) throw bad`,
        `const ${size} = ${v}.${isSet ? "size" : "length"}`,
        `b[p] = ${wireType(plan.element)}; w.setInt32(p + 1, ${size}); p += 5`
      )
      const each = elementBytes(plan.element)
      room(s, size, each, rest)
      lines.push(
        isSet ? `for (const ${e} of ${v}) {` : `for (let ${i} = 0; ${i} < ${size}; ${i}++) {`,
        ...(isSet ? [] : [`const ${e} = ${v}[${i}]`])
      )
      element(s, plan.element, e, each, rest)
      lines.push("}")
      again(s, each, rest)
      return
    }
    case "map": {
      const size = s.next()
      const e = s.next()
      const key = s.next()
      const item = s.next()
      const isMap = plan.collection === "map"
      lines.push(
        isMap ? `if (!(${v} instanceof Map)) throw bad` : `if (!Array.isArray(${v})) throw bad`,
        `const ${size} = ${v}.${isMap ? "size" : "length"}`,
        `b[p] = ${wireType(plan.key)}; b[p + 1] = ${wireType(plan.value)}; w.setInt32(p + 2, ${size}); p += 6`
      )
      const keyEach = elementBytes(plan.key)
      const valueEach = elementBytes(plan.value)
      const isFixed = keyEach > 0 && valueEach > 0
      const each = isFixed ? keyEach + valueEach : 0
      room(s, size, each, rest)
      lines.push(
        isMap ? `for (const [${key}, ${item}] of ${v}) {` : `for (const ${e} of ${v}) {`,
        ...(isMap
          ? []
          : [`if (!Array.isArray(${e}) || ${e}.length !== 2) throw bad`, `const ${key} = ${e}[0], ${item} = ${e}[1]`])
      )
      if (!isFixed) {
        const ahead = fixedBytes(plan.key) + fixedBytes(plan.value) + rest
        lines.push(ensure(ahead + 2))
      }
      value(s, plan.key, key, isFixed ? 0 : fixedBytes(plan.value) + 1 + rest)
      value(s, plan.value, item, isFixed ? 0 : rest)
      lines.push("}")
      again(s, each, rest)
    }
  }
}

// elements of one size are written after one check for all of them
const elementBytes = (plan: Plan): number => (isFixedSize(wireType(plan)) ? fixedBytes(plan) : 0)

const room = (s: Scope, size: string, each: number, rest: number): void => {
  if (each > 0) s.lines.push(ensure(`${size} * ${each} + ${rest}`))
}

const again = (s: Scope, each: number, rest: number): void => {
  if (each === 0 && rest > 0) s.lines.push(ensure(rest))
}

const element = (s: Scope, plan: Plan, v: string, each: number, rest: number): void => {
  // strings check for themselves, structs begin with a check
  if (each === 0 && !["string", "struct", "union"].includes(plan.kind)) {
    const ahead = Math.max(fixedBytes(plan), 1) + rest
    s.lines.push(ensure(ahead))
  }
  if (isStructLike(plan) && s.settings.absentStruct === "empty") {
    s.lines.push(ensure(1))
  }
  value(s, plan, v, each === 0 && !isStructLike(plan) && plan.kind !== "string" ? rest : 0)
}

// what else must hold for an optional member to be written
const differs = (member: Member, v: string, types: Names): string => {
  if (!omitsDefault(member)) return ""
  const value = literal(member.plan, absentValue(member), types)
  return member.plan.kind === "binary" ? ` && !sameBytes(${v}, ${value})` : ` && ${v} !== ${value}`
}

const structBody = (s: Scope, plan: StructPlan): void => {
  const members = inOrder(plan.members, s.settings.fieldOrder)
  let rest = members.reduce((sum, member) => sum + memberBytes(member), 1)
  const { lines } = s
  lines.push(ensure(rest))
  for (const member of members) {
    rest -= memberBytes(member)
    const v = s.next()
    const type = wireType(member.plan)
    const open = header(member.id, type)
    lines.push(`const ${v} = ${access("v", member.name)}`)
    const isEmpty = s.settings.absentStruct === "empty"
    if (member.requiredness === "optional") {
      const unequal = differs(member, v, s.types)
      // the nil of an optional binary is not its default either, so Kitex writes it
      const isWritten = isEmpty && omitsDefault(member) && isNilable(member.plan)
      if (isWritten) lines.push(`if (${v} === undefined) { ${open}; ${empty(member.plan)} } else`)
      lines.push(`if (${v} !== undefined${unequal}) {`, open)
      value(s, member.plan, v, rest)
      lines.push("}")
    } else if (isEmpty && isNilable(member.plan)) {
      lines.push(open, `if (${v} === undefined) { ${empty(member.plan)} } else {`)
      value(s, member.plan, v, rest)
      lines.push("}")
    } else if (mayBeAbsent(member)) {
      lines.push(`if (${v} !== undefined) {`, open)
      value(s, member.plan, v, rest)
      lines.push("}")
    } else {
      lines.push(open)
      value(s, member.plan, v, rest)
    }
  }
  lines.push("b[p++] = 0", "return p")
}

const empty = (plan: Plan): string => {
  switch (plan.kind) {
    case "binary":
      return `w.setInt32(p, 0); p += 4`
    case "list":
    case "set":
      return `b[p] = ${wireType(plan.element)}; w.setInt32(p + 1, 0); p += 5`
    case "map":
      return `b[p] = ${wireType(plan.key)}; b[p + 1] = ${wireType(plan.value)}; w.setInt32(p + 2, 0); p += 6`
    default:
      return "b[p++] = 0"
  }
}

const unionBody = (s: Scope, plan: UnionPlan): void => {
  const { lines } = s
  lines.push("const x = v.value", "switch (v._tag) {")
  for (const { id, tag, plan: payload } of plan.cases) {
    const size = 5 + fixedBytes(payload)
    lines.push(`case ${JSON.stringify(tag)}: {`, ensure(size))
    lines.push(header(id, wireType(payload)))
    value(s, payload, "x", 2)
    lines.push("break", "}")
  }
  lines.push("default: throw bad", "}", "b[p++] = 0", "return p")
}

/** @internal */
export const encoderText = (plan: NamedPlan, types: Names, settings: Settings): string => {
  let count = 0
  const scope: Scope = { types, settings, lines: [], next: () => `x${count++}` }
  if (plan.kind === "struct") structBody(scope, plan)
  else unionBody(scope, plan)
  return [
    `function encode${types.of(plan)}(v, out, p, d) {`,
    `if (typeof v !== "object" || v === null || d === 0) throw bad`,
    "let b = out.buffer, w = out.view",
    ...scope.lines,
    "}"
  ].join("\n")
}
