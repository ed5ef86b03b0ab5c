/**
 * Thrift types as Effect Schemas, and codecs compiled from them.
 *
 * @since 0.1.0
 */
export * as Codec from "./Codec.ts"
export * as CodecError from "./CodecError.ts"
export * as CodecText from "./CodecText.ts"
export * as Message from "./Message.ts"
export * as Output from "./Output.ts"
export * as Plan from "./Plan.ts"
export * as Runtime from "./Runtime.ts"
export * as Thrift from "./Thrift.ts"
