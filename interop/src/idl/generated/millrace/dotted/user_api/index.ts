// Code generated from namespace millrace.dotted.user_api by millrace. DO NOT EDIT.
export * from "./user.api.ts"
