// Code generated from namespace echo by millrace. DO NOT EDIT.
export * from "./api.ts"
