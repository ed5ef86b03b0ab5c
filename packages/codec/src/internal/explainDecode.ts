/**
 * Why reading failed: reads once more, slowly, and knows where it is.
 */
import * as CodecError from "../CodecError.ts"
import * as Bytes from "./bytes.ts"
import type { Settings } from "./options.ts"
import type { NamedPlan, Plan } from "./plan.ts"
import { leastBytes, mayBeAbsent, wireType } from "./wire.ts"
import { fixedSize, isWireType, WireType } from "./wireType.ts"

class Walk {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly settings: Settings
  position: number

  constructor(bytes: Uint8Array, start: number, end: number, settings: Settings) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.position = start
    this.settings = settings
  }

  fail(kind: CodecError.Kind, path: string, detail: string): never {
    throw CodecError.make(kind, path, detail, this.position - this.start)
  }

  need(size: number, path: string, what: string): void {
    const left = this.end - this.position
    if (left < size) this.fail("Truncated", path, `expected ${what}, ${left} of its ${size} bytes are left`)
  }

  length(path: string, what: string): number {
    this.need(4, path, what)
    const length = Bytes.readI32(this.bytes, this.position)
    if (length < 0) this.fail("NegativeSize", path, `invalid data length ${length} of ${what}`)
    this.position += 4
    return length
  }

  named(plan: NamedPlan, path: string, depth: number): unknown {
    if (depth === 0) this.fail("DepthLimit", path, `depth limit exceeded, ${this.settings.maxDepth} levels are allowed`)
    const members = plan.kind === "struct" ? plan.members : plan.cases.map((x) => ({ ...x, name: x.tag }))
    const seen = new Set<number>()
    const first = this.position
    for (;;) {
      this.need(1, path, "a field or STOP")
      const type = this.bytes[this.position]!
      if (type === 0) {
        this.position++
        break
      }
      this.need(3, path, "a field header")
      const id = ((this.bytes[this.position + 1]! << 24) >> 16) | this.bytes[this.position + 2]!
      this.position += 3
      const index = members.findIndex((member) => member.id === id)
      const member = members[index]
      if (member !== undefined && wireType(member.plan) === type) {
        const isAbsentable = plan.kind === "struct" && mayBeAbsent(plan.members[index]!)
        this.value(member.plan, `${path}.${member.name}`, depth, isAbsentable)
        seen.add(index)
        continue
      }
      const isVoid = plan.kind === "struct" && plan.isResult && type === WireType.Void && id === 0
      if (isVoid && this.position < this.end && this.bytes[this.position] === 0) {
        this.position++
        continue
      }
      this.skip(type, this.settings.maxDepth, path, `field ${id} skip type ${type} error: `)
    }
    if (plan.kind === "struct") {
      plan.members.forEach((member, index) => {
        if (member.requiredness === "required" && !seen.has(index)) {
          this.fail(
            "MissingRequired",
            `${path}.${member.name}`,
            `required field ${member.thriftName ?? member.name} is not set`
          )
        }
      })
      return plan
    }
    if (seen.size > 0) return plan
    if (this.position - first > 1) this.fail("BadValue", path, "union has no known member set")
    return undefined
  }

  value(plan: Plan, path: string, depth: number, isAbsentable: boolean): unknown {
    switch (plan.kind) {
      case "string":
      case "binary": {
        const length = this.length(path, plan.kind)
        const left = this.end - this.position
        if (length > left) this.fail("Truncated", path, `expected ${length} bytes of ${plan.kind}, ${left} are left`)
        const at = this.position
        this.position += length
        return plan.kind === "string" ? Bytes.readString(this.bytes, at, length) : at
      }
      case "transform":
        return this.value(plan.inner, path, depth, false)
      case "struct":
      case "union": {
        const found = this.named(plan, path, depth - 1)
        if (found === undefined && !isAbsentable) this.fail("BadValue", path, "union has no known member set")
        return found
      }
      case "list":
      case "set": {
        this.need(5, path, plan.kind)
        const type = this.bytes[this.position]!
        const size = this.size(path, plan.kind, 1, leastBytes(plan.element))
        if (size > 0) this.elementType(type, plan.element, path, "elements")
        for (let i = 0; i < size; i++) this.value(plan.element, `${path}[${i}]`, depth, false)
        return plan
      }
      case "map": {
        this.need(6, path, "map")
        const keyType = this.bytes[this.position]!
        const valueType = this.bytes[this.position + 1]!
        const size = this.size(path, "map", 2, leastBytes(plan.key) + leastBytes(plan.value))
        if (size > 0) {
          this.elementType(keyType, plan.key, path, "keys")
          this.elementType(valueType, plan.value, path, "values")
        }
        for (let i = 0; i < size; i++) {
          const key = this.value(plan.key, `${path}.keys[${i}]`, depth, false)
          this.value(plan.value, `${path}[${typeof key === "string" ? JSON.stringify(key) : i}]`, depth, false)
        }
        return plan
      }
      default: {
        const size = fixedSize(wireType(plan))
        this.need(size, path, plan.kind)
        if (plan.kind === "i64number" && Number.isNaN(Bytes.readI64Number(this.bytes, this.position))) {
          const value = Bytes.readI64(this.bytes, this.position)
          this.fail("BadValue", path, `expected a safe integer, got ${value}`)
        }
        this.position += size
        return plan
      }
    }
  }

  elementType(type: number, plan: Plan, path: string, what: string): void {
    if (type !== wireType(plan))
      this.fail("BadType", path, `expected ${what} of type ${wireType(plan)}, got type ${type}`)
  }

  size(path: string, what: string, types: number, least: number): number {
    const head = this.position
    this.position += types
    const size = this.length(path, what)
    const after = this.position
    this.position = head
    const { maxContainerSize } = this.settings
    if (size > maxContainerSize) {
      this.fail("SizeLimit", path, `a ${what} of ${size} elements, ${maxContainerSize} are allowed`)
    }
    if (size * least > this.end - after) {
      this.fail("Truncated", path, `a ${what} of ${size} elements cannot fit in ${this.end - after} bytes`)
    }
    this.position = after
    return size
  }

  skip(type: number, depth: number, path: string, prefix: string): void {
    if (!isWireType(type)) this.fail("BadType", path, `${prefix}unknown data type ${type}`)
    const fixed = fixedSize(type)
    if (fixed > 0) {
      if (this.end - this.position < fixed) this.fail("Truncated", path, `${prefix}buffer too short`)
      this.position += fixed
      return
    }
    if (type === WireType.String) {
      const length = this.skipLength(path, prefix)
      if (length > this.end - this.position) this.fail("Truncated", path, `${prefix}buffer too short`)
      this.position += length
      return
    }
    if (depth === 0) this.fail("DepthLimit", path, `${prefix}depth limit exceeded`)
    if (type === WireType.Struct) {
      for (;;) {
        if (this.position >= this.end) this.fail("Truncated", path, `${prefix}buffer too short`)
        const member = this.bytes[this.position++]!
        if (member === 0) return
        if (this.end - this.position < 2) this.fail("Truncated", path, `${prefix}buffer too short`)
        this.position += 2
        this.skip(member, depth - 1, path, prefix)
      }
    }
    const types = type === WireType.Map ? 2 : 1
    if (this.end - this.position < types + 4) this.fail("Truncated", path, `${prefix}buffer too short`)
    const elements = [...this.bytes.subarray(this.position, this.position + types)]
    this.position += types
    const size = this.skipLength(path, prefix)
    if (size === 0) return
    for (const element of elements) {
      if (!isWireType(element)) this.fail("BadType", path, `${prefix}unknown data type ${element}`)
    }
    for (let i = 0; i < size; i++) {
      for (const element of elements) this.skip(element, depth - 1, path, prefix)
    }
  }

  skipLength(path: string, prefix: string): number {
    if (this.end - this.position < 4) this.fail("Truncated", path, `${prefix}buffer too short`)
    const length = Bytes.readI32(this.bytes, this.position)
    if (length < 0) this.fail("NegativeSize", path, `${prefix}invalid data length`)
    this.position += 4
    return length
  }
}

/** @internal */
export const explainDecode = (
  plan: NamedPlan,
  settings: Settings,
  bytes: Uint8Array,
  start: number,
  end: number,
  cause: unknown
): CodecError.CodecError => {
  try {
    const walk = new Walk(bytes, start, end, settings)
    walk.value(plan, plan.label, settings.maxDepth + 1, false)
  } catch (error) {
    if (error instanceof CodecError.CodecError) return error
    return CodecError.make("BadValue", plan.label, String(error))
  }
  return CodecError.make("BadValue", plan.label, String(cause))
}
