import { readFileSync } from "node:fs"

const data = (name: string) => readFileSync(new URL(`../data/${name}`, import.meta.url), "utf8")

/** A key of localhost and its certificate, which signs itself and is valid from 2020 to 2120: no test needs openssl. */
export const certificate = { key: data("tls-key.pem"), cert: data("tls-cert.pem") }
