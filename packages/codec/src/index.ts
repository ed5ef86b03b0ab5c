/**
 * Thrift types as Effect Schemas, and codecs compiled from them.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 */
export * as Codec from "./Codec.ts"

/**
 * @since 0.1.0
 */
export * as CodecError from "./CodecError.ts"

/**
 * @since 0.1.0
 */
export * as Message from "./Message.ts"

/**
 * @since 0.1.0
 */
export * as Output from "./Output.ts"

/**
 * @since 0.1.0
 */
export * as Runtime from "./Runtime.ts"

/**
 * @since 0.1.0
 */
export * as Thrift from "./Thrift.ts"
