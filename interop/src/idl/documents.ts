/**
 * Random IDL files as lists of words, right ones and, where a mistake is asked for, wrong ones.
 *
 * @since 0.1.0
 */
import type { Random } from "./random.ts"
import * as Scope from "./scope.ts"
import * as Values from "./values.ts"

/** What can be wrong on purpose. */
export const mistakes = [
  "name of a definition twice",
  "name with a dot",
  "unknown type",
  "constant as a type",
  "service as a type",
  "field id twice",
  "field name twice",
  "odd field id",
  "struct in itself",
  "member of an enum twice",
  "number of an enum twice",
  "number beyond an enum",
  "bare member of an enum",
  "typedef of itself",
  "wrong value",
  "unknown value",
  "function twice",
  "inherited function",
  "unknown base",
  "service that extends itself",
  "oneway with a result",
  "oneway with throws",
  "throws what is no exception",
  "wrong mode",
  "two modes",
  "no argument",
  "two arguments",
  "stream without a response",
  "stream of numbers",
  "missing include"
] as const

export type Mistake = (typeof mistakes)[number]

export interface Document {
  readonly words: ReadonlyArray<string>
  readonly scope: Scope.Scope
}

// words that mean something elsewhere are names like others here
const memberNames = "user Order item2 _x struct list string enum service void class Map id message".split(" ")
const declaredNames = "User order structure mapping listing stringy boolean i32x voidness onewayThing Class E _T".split(
  " "
)
const functionNames = "get Put list string _hidden void".split(" ")
const enumNames = "A b RED _m enum".split(" ")
const unknownTypes = "Nowhere uuid float void slist nowhere.Type base.Nowhere list".split(" ")
const unknownValues = "NOWHERE nowhere.X Color.NOWHERE a.b.c.D True".split(" ")
const oddIds = "0 -1 0x10 017 +5 32768 99999999999 0o7".split(" ")
const modes = ["bidirectional", "client", "server", "unary"]
const wrongModes = ["", "Client", " client", "both", "bidi", "server,client"]
const annotationKeys = ["go.tag", "api.query", "deprecated", "a"]
const annotationValues = ["", "x", 'json:"a"', "中"]

const i32: Values.Type = { tag: "base", name: "i32" }

/** Writes one file that includes the others. */
export const make = (random: Random, includes: ReadonlyArray<Scope.Include>, mistake?: Mistake): Document => {
  if (mistake === undefined && random.chance(0.01)) return { words: [], scope: Scope.empty() }
  const words: Array<string> = []
  const scope = Scope.empty()
  let count = random.integer(40)
  let pending = mistake

  const write = (...more: ReadonlyArray<string>) => words.push(...more)
  /** Whether the mistake is made here: once, at the first place or at a later one. */
  const err = (what: Mistake): boolean => {
    if (pending !== what || random.chance(0.3)) return false
    pending = undefined
    return true
  }
  const separator = () => {
    if (random.chance(0.7)) write(random.pick([",", ";"]))
  }

  const annotations = (chance: number) => {
    if (!random.chance(chance)) return
    write("(")
    for (let i = random.integer(3); i > 0; i--) {
      write(random.pick(annotationKeys), "=", Values.literal(random, random.pick(annotationValues)))
      separator()
    }
    write(")")
  }

  const structs = () => Scope.visible("types", scope, includes).filter(({ tag }) => tag === "struct")

  const type = (depth = 0): Values.Type => {
    const declared = Scope.visible("types", scope, includes)
    const kind = random.integer(depth > 2 ? 6 : 10)
    if (kind < 4 || (kind < 7 && declared.length === 0)) return { tag: "base", name: random.pick(Values.bases) }
    if (kind < 7) return random.pick(declared)
    if (kind === 7) return { tag: "list", element: type(depth + 1) }
    if (kind === 8) return { tag: "set", element: type(depth + 1) }
    return { tag: "map", key: type(depth + 1), value: type(depth + 1) }
  }

  const cppType = () => {
    if (random.chance(0.03)) write("cpp_type", Values.literal(random, "std::vector"))
  }

  const writeType = (of: Values.Type): void => {
    if (err("unknown type")) write(random.pick(unknownTypes))
    else if (scope.constants.length > 0 && err("constant as a type")) write(random.pick(scope.constants).name)
    else if (scope.services.length > 0 && err("service as a type")) write(random.pick(scope.services).name)
    else if (of.tag === "list") {
      write("list", "<")
      writeType(of.element)
      write(">")
      cppType()
    } else if (of.tag === "set") {
      write("set")
      cppType()
      write("<")
      writeType(of.element)
      write(">")
    } else if (of.tag === "map") {
      write("map")
      cppType()
      write("<")
      writeType(of.key)
      write(",")
      writeType(of.value)
      write(">")
    } else write(of.name)
    annotations(0.04)
  }

  const writeValue = (of: Values.Type): void => {
    const same = scope.constants.filter(({ type }) => Values.equals(type, of))
    const members = scope.types.flatMap((each) => (each.tag === "enum" ? each.members : []))
    if (err("wrong value")) write(...Values.wrong(random, of))
    else if (err("unknown value")) write(random.pick(unknownValues))
    else if (members.length > 0 && err("bare member of an enum")) write(random.pick(members))
    else if (same.length > 0 && random.chance(0.3)) write(random.pick(same).name)
    else write(...Values.write(random, of))
  }

  /** Members, arguments or exceptions, of the types that `of` gives. */
  const fields = (
    count: number,
    of: () => Values.Type,
    options: { readonly self?: string; readonly defaults?: true } = {}
  ) => {
    let id = 0
    const used: Array<string> = []
    for (let i = 0; i < count; i++) {
      const implicit = random.chance(0.1)
      const before = id
      id += implicit ? 1 : 1 + random.integer(3)
      if (i > 0 && err("field id twice")) write(`${before}`, ":")
      else if (err("odd field id")) write(random.pick(oddIds), ":")
      else if (!implicit) write(`${id}`, ":")
      const fieldType = of()
      // a struct that needs itself has no value
      if (fieldType.tag === "struct" && fieldType.name === options.self) write("optional")
      else if (random.chance(0.4)) write(random.pick(["required", "optional"]))
      writeType(fieldType)
      const name = `${random.pick(memberNames)}${i === 0 && random.chance(0.3) ? "" : i}`
      write(used.length > 0 && err("field name twice") ? random.pick(used) : name)
      used.push(name)
      if (options.defaults && Values.isWritable(fieldType) && random.chance(0.25)) {
        write("=")
        writeValue(fieldType)
      }
      annotations(0.15)
      separator()
    }
  }

  const declare = (): string => {
    const declared = Scope.names(scope)
    if (declared.length > 0 && err("name of a definition twice")) return random.pick(declared)
    const name = `${random.chance(0.01) ? "requiredness" : random.pick(declaredNames)}${count++}`
    return err("name with a dot") ? `${name}.${name}` : name
  }

  const writeStruct = (kind: "struct" | "union" | "exception") => {
    const name = declare()
    const target = kind === "exception" ? scope.exceptions : scope.types
    const self: Values.Named = { tag: kind === "union" ? "union" : "struct", name }
    // some are known to their own members
    const early = random.chance(0.3)
    if (early) target.push(self)
    write(kind, name, "{")
    if (err("struct in itself")) write("100", ":", random.pick(["required", "optional"]), name, "inner")
    fields(random.integer(5), type, kind === "union" ? { self: name } : { self: name, defaults: true })
    write("}")
    if (!early) target.push(self)
  }

  const writeEnum = () => {
    const name = declare()
    const members: Array<string> = []
    const numbers: Array<number> = []
    write("enum", name, "{")
    for (let i = random.integer(5); i > 0; i--) {
      const member = `${random.pick(enumNames)}${members.length}`
      write(members.length > 0 && err("member of an enum twice") ? members[0]! : member)
      members.push(member)
      const implicit = (numbers.at(-1) ?? -1) + 1
      const number = random.chance(0.5) ? implicit + random.integer(5) : implicit
      if (number !== implicit || random.chance(0.3)) {
        const twice = numbers.length > 0 && err("number of an enum twice")
        const beyond = err("number beyond an enum")
        write("=", twice ? `${numbers[0]}` : beyond ? "2147483648" : Values.integer(random, BigInt(number)))
      }
      numbers.push(number)
      annotations(0.05)
      separator()
    }
    write("}")
    scope.types.push({ tag: "enum", name, members })
  }

  const writeTypedef = () => {
    const name = declare()
    const to = type()
    write("typedef")
    if (err("typedef of itself")) write(...random.pick([[name], ["list", "<", name, ">"]]))
    else writeType(to)
    write(name)
    scope.types.push({ tag: "typedef", name, to })
  }

  const writeConst = () => {
    const any = type(1)
    const of = Values.isWritable(any) ? any : i32
    const name = declare()
    write("const")
    writeType(of)
    write(name, "=")
    writeValue(of)
    separator()
    scope.constants.push({ name, type: of })
  }

  const throws = () => {
    const exceptions = Scope.visible("exceptions", scope, includes)
    write("throws", "(")
    fields(1 + random.integer(2), () =>
      err("throws what is no exception") || exceptions.length === 0 ? type() : random.pick(exceptions)
    )
    write(")")
  }

  const writeStreaming = (name: string) => {
    const message = () => (err("stream of numbers") ? i32 : random.pick(structs()))
    if (err("stream without a response")) write("void")
    else writeType(message())
    write(name, "(")
    fields(err("no argument") ? 0 : err("two arguments") ? 2 : 1, message)
    write(")", "(", "streaming.mode", "=")
    write(Values.literal(random, random.pick(err("wrong mode") ? wrongModes : modes)))
    separator()
    if (err("two modes")) {
      write("streaming.mode", "=", Values.literal(random, random.pick(modes)))
      separator()
    }
    write(")")
  }

  const writeFunction = (name: string) => {
    const oneway = random.chance(pending?.startsWith("oneway") === true ? 0.8 : 0.15)
    if (oneway) write("oneway")
    if (oneway ? !err("oneway with a result") : random.chance(0.3)) write("void")
    else writeType(type())
    write(name, "(")
    fields(random.integer(4), type, { defaults: true })
    write(")")
    const canThrow = Scope.visible("exceptions", scope, includes).length > 0
    if (canThrow && (oneway ? err("oneway with throws") : random.chance(0.3))) throws()
    annotations(0.15)
  }

  const writeService = () => {
    const name = declare()
    const bases = Scope.visibleServices(scope, includes)
    let inherited: ReadonlyArray<string> = []
    write("service", name)
    if (err("unknown base")) write("extends", random.pick(["Nowhere", "base.Nowhere", "nowhere.Service"]))
    else if (err("service that extends itself")) write("extends", name)
    else if (bases.length > 0 && random.chance(0.4)) {
      const base = random.pick(bases)
      inherited = base.functions
      write("extends", base.name)
    }
    write("{")
    const own: Array<string> = []
    for (let i = random.integer(5); i > 0; i--) {
      const twice = own.length > 0 && err("function twice") ? own[0] : undefined
      const again = inherited.length > 0 && err("inherited function") ? inherited[0] : undefined
      const each = twice ?? again ?? `${random.pick(functionNames)}${count++}`
      own.push(each)
      if (structs().length > 0 && random.chance(0.5)) writeStreaming(each)
      else writeFunction(each)
      separator()
    }
    write("}")
    scope.services.push({ name, functions: [...inherited, ...own] })
  }

  const writers = [
    () => writeStruct("struct"),
    () => writeStruct("struct"),
    () => writeStruct(random.pick(["union", "exception"])),
    writeEnum,
    writeTypedef,
    writeConst,
    writeService
  ]
  for (const { path } of includes) write("include", Values.literal(random, path))
  if (err("missing include")) write("include", Values.literal(random, "nowhere.thrift"))
  if (random.chance(0.1)) write("cpp_include", Values.literal(random, "<vector>"))
  for (let i = random.integer(3); i > 0; i--) {
    write(
      "namespace",
      random.pick(["go", "ts", "js", "*", "py.asyncio"]),
      random.pick(["echo", "a.b.c", "demo.user_api"])
    )
    annotations(0.1)
  }
  for (let i = 1 + random.integer(8); i > 0; i--) {
    random.pick(writers)()
    annotations(0.05)
  }
  // some mistakes need a file that has more
  for (let i = 0; i < 30 && pending !== undefined; i++) random.pick(writers)()
  return { words, scope }
}
