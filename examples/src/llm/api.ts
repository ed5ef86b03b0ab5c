// Code generated from examples/llm/api.thrift by millrace. DO NOT EDIT.

/** A service that writes text token by token. */

import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import * as codec from "./api.codec.ts"

export class Prompt extends Thrift.Struct<Prompt>("llm.Prompt", { codec: codec.Prompt })({
  text: Thrift.required(1, Thrift.String),
  maxTokens: Thrift.optional(2, Thrift.I32),
  /** The speed asked for, in place of the model's own; 0 is as fast as it can. */
  tokensPerSecond: Thrift.optional(3, Thrift.Double)
}) {}

export class Token extends Thrift.Struct<Token>("llm.Token", { codec: codec.Token })({
  index: Thrift.required(1, Thrift.I32),
  text: Thrift.required(2, Thrift.String),
  /** The last token of an answer; a chat goes on after it. */
  last: Thrift.required(3, Thrift.Bool)
}) {}

export class TokenCount extends Thrift.Struct<TokenCount>("llm.TokenCount", { codec: codec.TokenCount })({
  count: Thrift.required(1, Thrift.I32)
}) {}

export class Llm extends Service.make("Llm", {
  package: "llm",
  methods: [
    Method.serverStreaming("Generate", { request: Prompt, response: Token }),
    Method.bidirectional("Chat", { request: Prompt, response: Token }),
    Method.unary("CountTokens", { request: Prompt, response: TokenCount })
  ]
}) {}
