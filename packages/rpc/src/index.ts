/**
 * Typed streaming RPC for Effect: services, their servers and their clients, on the wire protocols of Kitex.
 *
 * @since 0.1.0
 */
export * as Admission from "./Admission.ts"
export * as BizStatusError from "./BizStatusError.ts"
export * as Client from "./Client.ts"
export * as ClientOptions from "./ClientOptions.ts"
export * as ClientStream from "./ClientStream.ts"
export * as Deadline from "./Deadline.ts"
export * as Endpoints from "./Endpoints.ts"
export * as Handlers from "./Handlers.ts"
export * as Metadata from "./Metadata.ts"
export * as Metainfo from "./Metainfo.ts"
export * as Method from "./Method.ts"
export * as Middleware from "./Middleware.ts"
export * as RpcError from "./RpcError.ts"
export * as RpcInfo from "./RpcInfo.ts"
export * as RpcTracer from "./RpcTracer.ts"
export * as Server from "./Server.ts"
export * as ServerCall from "./ServerCall.ts"
export * as ServerStream from "./ServerStream.ts"
export * as Service from "./Service.ts"
export * as StreamClient from "./StreamClient.ts"
export * as StreamOptions from "./StreamOptions.ts"
