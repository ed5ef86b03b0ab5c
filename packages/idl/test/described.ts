/** What schemas and services say, as data that can be compared. */
import { Plan, Thrift } from "@millrace/codec"
import type { Method, Service } from "@millrace/rpc"
import { Schema } from "effect"

/** The plan of any type, as text. */
export const typeText = (schema: Schema.Top): string =>
  Plan.describe(Plan.of(Schema.Struct({ it: Thrift.field(1, schema) })))

export const serviceText = (service: Service.Any) => {
  const fields = (fields: Method.Fields) =>
    Object.entries(fields).map(([name, { id, schema }]) => `${id}: ${name} ${typeText(schema)}`)
  return {
    name: service.name_,
    package: service.package,
    methods: service.methods.map(({ name, mode, request, response, args, exceptions }) => ({
      name,
      mode,
      request: request && typeText(request),
      response: response && typeText(response),
      args: fields(args),
      exceptions: fields(exceptions)
    }))
  }
}
