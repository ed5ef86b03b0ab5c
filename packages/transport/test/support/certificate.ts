import { readFileSync } from "node:fs"

const data = (name: string) => readFileSync(new URL(`../data/${name}`, import.meta.url), "utf8")

/**
 * A key and its certificate for localhost and 127.0.0.1, which signs itself and is valid from 2020 to 2120: no test
 * needs openssl.
 */
export const certificate = { key: data("tls-key.pem"), cert: data("tls-cert.pem") }

/** For localhost alone. */
export const nameCertificate = { key: certificate.key, cert: data("tls-name-cert.pem") }
/** For 127.0.0.1 alone. */
export const ipCertificate = { key: certificate.key, cert: data("tls-ip-cert.pem") }
