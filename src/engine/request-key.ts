/** The numbers by which the native front end and TypeScript speak of keys of requests: FrontEnd.openKey and hashKey. */

/** What keys of requests are made of; native/src/frontend/request_key.h says how each is found. */
export const KeyKind = {
  CLIENT_ADDRESS: 0,
  CLIENT_NETWORK: 1,
  HEADER: 2,
  COOKIE: 3,
  QUERY: 4,
  PATH: 5,
  URI: 6,
  CERTIFICATE_SUBJECT: 7,
  CERTIFICATE_FINGERPRINT: 8,
} as const;

/** Bits that hashKey answers with. */
export const KeyAnswer = {
  /** The hash has been written; without it the request has no such key. */
  HASHED: 1,
  /** The key is of the client, and a trusted peer names another one in X-Forwarded-For; what was hashed is of the connection. */
  FORWARDED: 2,
} as const;
