/**
 * Resolved services → values of `Service`.
 */
import * as Thrift from "@millrace/codec/Thrift"
import * as Method from "@millrace/rpc/Method"
import * as Service from "@millrace/rpc/Service"
import type * as Schema from "effect/Schema"
import * as Program from "../../Program.ts"
import { thriftName } from "../emit/names.ts"
import type { Types } from "./types.ts"

/** A method of which only the IDL knows what it takes and gives.
 *
 * @internal
 */
export type UntypedMethod =
  | Method.Streaming<string, "bidirectional", Schema.Top, Schema.Top>
  | Method.Streaming<string, "client", Schema.Top, Schema.Top>
  | Method.Streaming<string, "server", Schema.Top, Schema.Top>
  | Method.Unary<string, Schema.Top, Schema.Top | undefined, Method.Fields>
  | Method.PingPong<string, Method.Fields, Schema.Top | undefined, Method.Fields>
  | Method.Oneway<string, Method.Fields>

type UntypedService = Service.ServiceClass<string, ReadonlyArray<UntypedMethod>>

const fields = (types: Types, members: ReadonlyArray<Program.Field>): Method.Fields =>
  Object.fromEntries(
    members.map((member) => {
      const property = types.property("method", member)
      const name = thriftName(member, property)
      return [property, Thrift.field(member.id, types.of(member.type, member), { name })]
    })
  )

const method = (types: Types, { name, mode, arguments: parameters, result, throws }: Program.Method): UntypedMethod => {
  if (mode === "oneway") return Method.oneway(name, { arguments: fields(types, parameters) })
  const exceptions = fields(types, throws)
  const response = result === undefined ? undefined : types.of(result)
  if (mode === "pingPong") return Method.pingPong(name, { arguments: fields(types, parameters), response, exceptions })
  const parameter = parameters[0]!
  const request = types.of(parameter.type, parameter)
  if (mode === "unary") return Method.unary(name, { request, response, exceptions, argumentId: parameter.id })
  // the checker knows that these have one
  const messages = { request, response: response! }
  switch (mode) {
    case "client":
      return Method.clientStreaming(name, messages)
    case "server":
      return Method.serverStreaming(name, messages)
    case "bidirectional":
      return Method.bidirectional(name, messages)
  }
}

/** Makes services; a method that several inherit is one value.
 *
 * @internal
 */
export const services = (types: Types): ((service: Program.Service) => UntypedService) => {
  const known = new Map<Program.Method, UntypedMethod>()
  const methodOf = (from: Program.Method): UntypedMethod => {
    let made = known.get(from)
    if (made === undefined) known.set(from, (made = method(types, from)))
    return made
  }
  const serviceOf = (from: Program.Service): UntypedService =>
    Service.make(from.name, {
      package: Program.packageName(from.file),
      ...(from.extends !== undefined && { extends: serviceOf(from.extends) }),
      methods: from.methods.map(methodOf)
    })
  return serviceOf
}
