/**
 * CallsService with Apache's `thrift` of npm: a client and a processor by hand, in the shape of what Apache's compiler writes, on the binary
 * protocol of the package. Values are plain records.
 */
import type { AddressInfo } from "node:net"
import thrift, { type TProtocol, type TTransport } from "thrift"

const { MessageType, TApplicationException, TApplicationExceptionType, Type } = thrift.Thrift

export type Value = Record<string, unknown>
type Kind = "string" | "binary" | "i32" | Members
type Members = ReadonlyArray<readonly [id: number, name: string, kind: Kind]>

const request: Members = [
  [1, "message", "string"],
  [2, "count", "i32"],
  [3, "blob", "binary"],
  [4, "key", "string"]
]
const response: Members = request.slice(0, 3)
const refused: Members = [
  [1, "code", "i32"],
  [2, "why", "string"]
]

interface Method {
  readonly args: Members
  /** Undefined for a oneway method. */
  readonly result: Members | undefined
}

const methods: Readonly<Record<string, Method>> = {
  Call: {
    args: [[1, "req", request]],
    result: [
      [0, "success", response],
      [1, "refused", refused]
    ]
  },
  Bytes: { args: [[1, "bytes", "binary"]], result: [[0, "success", "binary"]] },
  Nothing: { args: [], result: [] },
  Tell: {
    args: [
      [1, "text", "string"],
      [2, "key", "string"]
    ],
    result: undefined
  },
  Missing: { args: [[1, "text", "string"]], result: [[0, "success", "string"]] }
}

const wireType = (kind: Kind) => (typeof kind !== "string" ? Type.STRUCT : kind === "i32" ? Type.I32 : Type.STRING)

const writeValue = (out: TProtocol, kind: Kind, value: unknown): void => {
  if (typeof kind !== "string") return write(out, kind, value as Value)
  if (kind === "i32") return out.writeI32(value as number)
  if (kind === "binary") return out.writeBinary(value as Buffer)
  return out.writeString(value as string)
}

const write = (out: TProtocol, members: Members, value: Value): void => {
  out.writeStructBegin("")
  for (const [id, name, kind] of members) {
    if (value[name] === undefined) continue
    out.writeFieldBegin(name, wireType(kind), id)
    writeValue(out, kind, value[name])
    out.writeFieldEnd()
  }
  out.writeFieldStop()
  out.writeStructEnd()
}

const readValue = (input: TProtocol, kind: Kind): unknown => {
  if (typeof kind !== "string") return read(input, kind)
  if (kind === "i32") return input.readI32()
  return kind === "binary" ? input.readBinary() : input.readString()
}

const read = (input: TProtocol, members: Members): Value => {
  const value: Value = {}
  input.readStructBegin()
  for (;;) {
    const { fid, ftype } = input.readFieldBegin()
    if (ftype === Type.STOP) break
    const member = members.find(([id]) => id === fid)
    if (member === undefined || wireType(member[2]) !== ftype) input.skip(ftype)
    else value[member[1]] = readValue(input, member[2])
    input.readFieldEnd()
  }
  input.readStructEnd()
  return value
}

type Callback = (error: unknown, result?: unknown) => void

class Client {
  readonly output: TTransport
  readonly pClass: new (transport: TTransport) => TProtocol
  /** The connection puts what it read here, under negative ids. */
  readonly _reqs: Record<number, Callback> = {}
  #sequenceId = 0

  constructor(output: TTransport, pClass: new (transport: TTransport) => TProtocol) {
    this.output = output
    this.pClass = pClass
    for (const [name, { result }] of Object.entries(methods)) {
      if (result !== undefined) Object.assign(this, { [`recv_${name}`]: this.#receiver(result) })
    }
  }

  #receiver(result: Members) {
    return (input: TProtocol, type: number, id: number) => {
      const callback = this._reqs[id]!
      delete this._reqs[id]
      if (type === MessageType.EXCEPTION) {
        const error = new TApplicationException(0, "")
        error.read(input)
        input.readMessageEnd()
        return callback(error)
      }
      const { success, ...exceptions } = read(input, result)
      input.readMessageEnd()
      const exception = Object.entries(exceptions)[0]
      return exception === undefined ? callback(undefined, success) : callback(exception[1])
    }
  }

  call(name: string, args: Value): Promise<unknown> {
    const { args: members, result } = methods[name]!
    const id = ++this.#sequenceId
    return new Promise((resolve, reject) => {
      if (result !== undefined)
        this._reqs[id] = (error, value) => (error === undefined ? resolve(value) : reject(error))
      const out = new this.pClass(this.output)
      out.writeMessageBegin(name, result === undefined ? MessageType.ONEWAY : MessageType.CALL, id)
      write(out, members, args)
      out.writeMessageEnd()
      out.flush()
      if (result === undefined) resolve(undefined)
    })
  }
}

/** What a handler of the server returns; a throw of `refused` is the declared exception. */
export type Handler = (name: string, args: Value) => Promise<unknown>

/** A declared exception. */
export class Refused {
  readonly value: Value
  constructor(value: Value) {
    this.value = value
  }
}

class Processor {
  readonly #handler: Handler
  constructor(handler: Handler) {
    this.#handler = handler
  }

  process(input: TProtocol, out: TProtocol): void {
    const { fname, rseqid } = input.readMessageBegin()
    const answer = (type: number, body: (out: TProtocol) => void) => {
      out.writeMessageBegin(fname, type, rseqid)
      body(out)
      out.writeMessageEnd()
      out.flush()
    }
    const exception = (type: number, text: string) =>
      answer(MessageType.EXCEPTION, (to) => new TApplicationException(type, text).write(to))
    const method = fname === "Missing" ? undefined : methods[fname]
    if (method === undefined) {
      input.skip(Type.STRUCT)
      input.readMessageEnd()
      return exception(TApplicationExceptionType.UNKNOWN_METHOD, `Unknown function ${fname}`)
    }
    const args = read(input, method.args)
    input.readMessageEnd()
    const { result } = method
    this.#handler(fname, args).then(
      (success) => {
        if (result !== undefined) answer(MessageType.REPLY, (to) => write(to, result, { success }))
      },
      (error: unknown) => {
        if (result === undefined) return
        if (error instanceof Refused) answer(MessageType.REPLY, (to) => write(to, result, { refused: error.value }))
        else exception(TApplicationExceptionType.UNKNOWN, (error as Error).message)
      }
    )
  }
}

export type Framing = "buffered" | "framed"

const options = (framing: Framing) => ({
  transport: framing === "framed" ? thrift.TFramedTransport : thrift.TBufferedTransport,
  protocol: thrift.TBinaryProtocol
})

/** A server on a free port; `close` ends its connections too. */
export const serve = (framing: Framing, handler: Handler) =>
  new Promise<{ readonly address: string; readonly connections: () => number; readonly close: () => void }>(
    (resolve) => {
      const server = thrift.createServer<Processor, Handler>(Processor, handler, options(framing))
      const sockets = new Set<{ destroy(): void }>()
      let connections = 0
      server.on("connection", (socket: { destroy(): void }) => {
        connections++
        sockets.add(socket)
      })
      server.on("error", () => {})
      server.listen(0, "127.0.0.1", () =>
        resolve({
          address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
          connections: () => connections,
          close: () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
        })
      )
    }
  )

/** A call of a client. */
export type Call = (name: string, args: Value) => Promise<unknown>

/** A client with one connection, whose calls are all on their way at once. */
export const connect = (framing: Framing, address: string) => {
  const [host, port] = address.split(":")
  const connection = thrift.createConnection(host, Number(port), options(framing))
  connection.on("error", () => {})
  const client = thrift.createClient(Client, connection)
  return { call: (name: string, args: Value) => client.call(name, args), close: () => connection.destroy() }
}
