/** Fetches a certificate from an authority by ACME (RFC 8555), through acme-client, which is loaded with the first order. Thread: primary. */
import { readFile } from 'node:fs/promises';
import type { Authorization, Client } from 'acme-client';
import type { AcmePlan } from '../../config/tls-plan.js';
import type { ObtainedCertificate } from '../certificates/obtained.js';
import type { AcmeStorage } from './acme-storage.js';
import { AuthorityError, authorityTransport } from './authority-transport.js';

/** Shows the authority what it asks for. */
export interface ChallengeAnswers {
  /** Resolves when every worker answers a request for the token (http-01). Rejects where one does not in time. */
  showToken(token: string, keyAuthorization: string): Promise<void>;
  hideToken(token: string): void;
  /** Handshakes for the name with ALPN acme-tls/1 get the certificate (tls-alpn-01). @throws Error */
  showCertificate(name: string, certificate: ObtainedCertificate): void;
  hideCertificate(name: string): void;
}

/** Fetches a certificate. @throws Error why none came; AuthorityError where the authority asks for a pause */
export type Obtain = (plan: AcmePlan, storage: AcmeStorage, answers: ChallengeAnswers) => Promise<ObtainedCertificate>;

/** The authority is asked for the state of a challenge or an order: so often, with pauses that double. Nearly four minutes in all. */
const POLLS = { backoffAttempts: 20, backoffMin: 250, backoffMax: 15_000 };

/** Settings of acme-client that all its clients share. */
interface SharedSettings {
  readonly defaults: { adapter: unknown; acmeSettings: { retryMaxAttempts: number } };
}

/** One order from its account to its certificate. Two must not run at a time: acme-client has one transport for all its clients. */
export const obtainByAcme: Obtain = async (plan, storage, answers) => {
  const acme = await import('acme-client');
  const { defaults } = acme.axios as unknown as SharedSettings; // axios itself is no dependency of this package
  defaults.adapter = authorityTransport(plan.ca === null ? null : await readFile(plan.ca, 'utf8'));
  // Trying again is the orders' business, who know of limits.
  defaults.acmeSettings.retryMaxAttempts = 0;
  const { accountBinding, keyType, names } = plan;
  const client = new acme.Client({
    directoryUrl: plan.directory,
    accountKey: await storage.accountKey(async () => (await acme.crypto.createPrivateEcdsaKey()).toString()),
    ...(accountBinding === null
      ? {}
      : { externalAccountBinding: { kid: accountBinding.keyId, hmacKey: accountBinding.hmacKey } }),
    ...POLLS,
  });
  await openAccount(client, plan.email);
  const order = await client.createOrder({ identifiers: names.map((value) => ({ type: 'dns', value })) });
  for (const authorization of await client.getAuthorizations(order)) await prove(client, authorization, plan, answers);
  const key = keyType === 'rsa' ? await acme.crypto.createPrivateRsaKey() : await acme.crypto.createPrivateEcdsaKey();
  const [, request] = await acme.crypto.createCsr({ altNames: [...names] }, key);
  const chain = await client.getCertificate(await client.finalizeOrder(order, request));
  return { chain, key: key.toString() };
};

/** Finds the account of the key, or makes it. With an address, it gets that. */
async function openAccount(client: Client, email: string | null): Promise<void> {
  const terms = { termsOfServiceAgreed: true };
  if (email !== null) {
    await client.createAccount({ ...terms, contact: [`mailto:${email}`] });
    return;
  }
  // acme-client changes an account that is there, and some authorities refuse a change that changes nothing: it is asked for first.
  try {
    await client.createAccount({ onlyReturnExisting: true });
  } catch (error) {
    if (error instanceof AuthorityError) throw error;
    await client.createAccount(terms);
  }
}

/** Proves one name. */
async function prove(
  client: Client,
  authorization: Authorization,
  plan: AcmePlan,
  answers: ChallengeAnswers,
): Promise<void> {
  // Proven lately, and still believed.
  if (authorization.status === 'valid') return;
  const name = authorization.identifier.value;
  const challenge = authorization.challenges.find(({ type }) => type === plan.challenge);
  if (challenge === undefined) throw new Error(`the authority offers no ${plan.challenge} for ${name}`);
  const keyAuthorization = await client.getChallengeKeyAuthorization(challenge);
  if (plan.challenge === 'http-01') {
    try {
      await answers.showToken(challenge.token, keyAuthorization);
      await client.completeChallenge(challenge);
      await client.waitForValidStatus(challenge);
    } finally {
      answers.hideToken(challenge.token);
    }
    return;
  }
  const acme = await import('acme-client');
  const ownKey = await acme.crypto.createPrivateEcdsaKey();
  const [key, certificate] = await acme.crypto.createAlpnCertificate(authorization, keyAuthorization, ownKey);
  try {
    answers.showCertificate(name, { chain: certificate.toString(), key: key.toString() });
    await client.completeChallenge(challenge);
    await client.waitForValidStatus(challenge);
  } finally {
    answers.hideCertificate(name);
  }
}
