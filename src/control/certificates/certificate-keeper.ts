/** Keeps the certificates of all listeners and upstreams: makes the native contexts that plans name, and changes what is in them while sluice runs. */
import { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ListenerPlan, Plan, UpstreamPlan } from '../../config/plan.js';
import { pathText } from '../../config/problem.js';
import type { ListenerTlsPlan, UpstreamTlsPlan } from '../../config/tls-plan.js';
import type { TlsAddon, TlsCertificate, TlsClientSettings, TlsServerSettings } from '../../engine/tls.js';
import type { Logger } from '../../observability/logger.js';
import { StartFailure } from '../start-failure.js';
import { certificateFacts } from './certificate-facts.js';
import type { CertificateReader } from './certificate-reader.js';
import { type HeldListener, type HeldUpstream, withContexts } from './held-contexts.js';
import { ListenerContext, obtainedText } from './listener-context.js';
import {
  findingSentence,
  type KnownCertificate,
  type MaterialReading,
  readListenerMaterial,
  readUpstreamMaterial,
} from './material.js';
import type { CertificateTexts, ObtainedCertificate, ObtainedCertificates } from './obtained.js';
import { pemBlocks } from './pem.js';
import { TicketKeys, type TicketKeysParts } from './ticket-keys.js';

/** What it needs from outside. */
export interface CertificateKeeperParts extends TicketKeysParts {
  readonly addon: Pick<TlsAddon, 'TlsServer' | 'TlsClient'>;
  readonly reader: CertificateReader;
  readonly logger: Logger;
}

/** The certificates of one plan: in place, but not counted on before commit(). */
export interface CertificateEdition {
  /** The plan with the number of every context. */
  readonly plan: Plan;
  /** The plan counts. @returns closes the contexts that it does not name; no worker may go by the plan before any more */
  commit(): () => void;
  /** Everything is as before. */
  withdraw(): void;
}

/** A certificate that is in use. */
export interface CertificateInUse extends Omit<KnownCertificate, 'certificate'> {
  readonly owner: 'listener' | 'upstream';
  /** Of the listener or upstream. */
  readonly ownerName: string;
}

/** What reading the files again has come to. */
export interface Refreshing {
  /** Sentences; what they are about stays as it is. */
  readonly problems: readonly string[];
  /** All problems may be gone soon: a certificate was replaced, and its key not yet. */
  readonly isHalf: boolean;
  /** Something has changed that only another plan can bring to workers: authorities of clients. */
  readonly needsPlan: boolean;
}

/** What has been done for a plan that does not count yet. */
interface Preparation {
  /** Takes it back; the last first. */
  readonly undo: (() => void)[];
  /** Contexts that stay, with other certificates. */
  readonly changed: ListenerContext[];
}

/** Thread: primary. */
export class CertificateKeeper implements ObtainedCertificates, CertificateTexts {
  readonly #parts: CertificateKeeperParts;
  /** By number of the listener. */
  #listeners: ReadonlyMap<number, HeldListener> = new Map();
  /** By record of the upstream. */
  #upstreams: ReadonlyMap<number, HeldUpstream> = new Map();
  /** By name of the listener: what ACME brought, over reloads. */
  readonly #obtained = new Map<string, KnownCertificate>();
  readonly #changed = new Set<(listener: string) => void>();

  constructor(parts: CertificateKeeperParts) {
    this.#parts = parts;
  }

  /**
   * Reads the files of a plan and puts what they hold in place. One at a time: commit or withdraw it before the next.
   *
   * @throws StartFailure SLUICE_CONFIG what is wrong, all of it; nothing has changed then
   */
  edit(plan: Plan): CertificateEdition {
    const preparation: Preparation = { undo: [], changed: [] };
    const withdraw = (): void => {
      for (const step of preparation.undo.splice(0).reverse()) step();
    };
    const listeners = new Map<number, HeldListener>();
    const upstreams = new Map<number, HeldUpstream>();
    try {
      for (const listener of plan.listeners) {
        const { tls } = listener;
        if (tls !== null) listeners.set(listener.number, this.#prepareListener(listener, tls, preparation));
      }
      for (const upstream of plan.upstreams) {
        const { tls } = upstream;
        if (tls !== null) upstreams.set(upstream.record, this.#prepareUpstream(upstream, tls, preparation));
      }
    } catch (error) {
      withdraw();
      throw error;
    }
    const commit = (): (() => void) => {
      const closeGone = this.#commit(plan, listeners, upstreams);
      for (const context of preparation.changed) this.#tell(context);
      return closeGone;
    };
    return { plan: withContexts(plan, listeners, upstreams), withdraw, commit };
  }

  /** Reads the files of the plan that counts again. What has changed counts for new handshakes; what is wrong changes nothing. */
  refresh(): Refreshing {
    const problems: string[] = [];
    let isHalf = true;
    let needsPlan = false;
    const told = (what: string, reading: MaterialReading<unknown> & { readonly ok: false }): void => {
      problems.push(...sentencesOf(what, reading));
      isHalf &&= reading.isHalf;
    };
    const attempt = (what: string, change: () => void): void => {
      try {
        change();
      } catch (error) {
        problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        isHalf = false;
      }
    };
    for (const held of this.#listeners.values()) {
      const { context } = held;
      const what = `listener ${context.listener.name}`;
      const reading = readListenerMaterial(this.#parts.reader, context.tls);
      if (!reading.ok) {
        told(what, reading);
        continue;
      }
      const { settings, certificates, ticketKeys } = reading.material;
      // The certificates change with the plan then, all at once.
      if (!isDeepStrictEqual(settings, context.settings)) needsPlan = true;
      else attempt(what, () => this.#put(context, certificates, context.obtained));
      if (ticketKeys !== null) context.putTicketKeys(ticketKeys);
    }
    const upstreams = new Map(this.#upstreams);
    for (const [record, held] of upstreams) {
      const reading = readUpstreamMaterial(this.#parts.reader, held.tls);
      const what = `upstream ${held.upstream.name}`;
      if (!reading.ok) told(what, reading);
      else if (!isDeepStrictEqual(reading.material.settings, held.settings)) {
        attempt(what, () => {
          held.client.replace(reading.material.settings);
          upstreams.set(record, { ...held, ...reading.material });
        });
      }
    }
    this.#upstreams = upstreams;
    this.#noteInUse();
    return { problems, isHalf: isHalf && problems.length > 0, needsPlan };
  }

  /** Files that the plan that counts names. */
  get files(): readonly string[] {
    const ofListeners = [...this.#listeners.values()].flatMap(({ context: { tls } }) => [
      ...tls.certificates.flatMap(({ cert, key, ocsp }) => [cert, key, ocsp]),
      tls.clientAuth?.ca,
      tls.clientAuth?.crl,
      tls.tickets?.file,
    ]);
    const ofUpstreams = [...this.#upstreams.values()].flatMap(({ tls }) => [
      tls.ca,
      tls.certificate?.cert,
      tls.certificate?.key,
    ]);
    return [...new Set([...ofListeners, ...ofUpstreams])].filter((path) => typeof path === 'string');
  }

  /** Has one of them been replaced or written since it was read? */
  hasChanged(): boolean {
    return this.files.some((path) => this.#parts.reader.hasChanged(path));
  }

  /** All certificates that are in use, those of listeners first. */
  get inUse(): readonly CertificateInUse[] {
    const listed = (owner: CertificateInUse['owner'], ownerName: string, { facts, source }: KnownCertificate) => ({
      owner,
      ownerName,
      facts,
      source,
    });
    return [
      ...[...this.#listeners.values()].flatMap(({ context }) =>
        context.all.map((each) => listed('listener', context.listener.name, each)),
      ),
      ...[...this.#upstreams.values()].flatMap(({ upstream, certificate }) =>
        certificate === null ? [] : [listed('upstream', upstream.name, certificate)],
      ),
    ];
  }

  /** How endpoints of an upstream are spoken to, with all texts; null: plainly. @param record of the upstream */
  clientSettingsOf(record: number): TlsClientSettings | null {
    return this.#upstreams.get(record)?.settings ?? null;
  }

  textsOf(listener: string): readonly TlsCertificate[] {
    return this.#named(listener)?.context.all.map(({ certificate }) => certificate) ?? [];
  }

  onChanged(changed: (listener: string) => void): () => void {
    this.#changed.add(changed);
    return () => void this.#changed.delete(changed);
  }

  setObtained(listener: string, certificate: ObtainedCertificate): void {
    const context = this.#named(listener)?.context;
    if (context === undefined || context.tls.acme === null) return;
    const leaf = pemBlocks(certificate.chain).find(({ label }) => label === 'CERTIFICATE');
    if (leaf === undefined) throw new Error('there is no certificate in what was obtained');
    const facts = certificateFacts(new X509Certificate(leaf.text));
    const known: KnownCertificate = { certificate: obtainedText(certificate), facts, source: 'acme' };
    this.#put(context, context.certificates, known);
    this.#obtained.set(listener, known);
    this.#noteInUse();
  }

  setChallenge(listener: string, name: string, certificate: ObtainedCertificate): void {
    this.#named(listener)?.context.setChallenge(name, certificate);
  }

  dropChallenge(listener: string, name: string): void {
    this.#named(listener)?.context.dropChallenge(name);
  }

  /** Closes all contexts. Idempotent. */
  close(): void {
    for (const { context, made } of this.#listeners.values()) {
      made?.close();
      context.close();
    }
    for (const { client } of this.#upstreams.values()) client.close();
    this.#listeners = new Map();
    this.#upstreams = new Map();
  }

  #named(listener: string): HeldListener | undefined {
    return [...this.#listeners.values()].find(({ context }) => context.listener.name === listener);
  }

  /** Puts certificates into a context that is in use, and tells. */
  #put(context: ListenerContext, certificates: readonly KnownCertificate[], obtained: KnownCertificate | null): void {
    if (context.put(certificates, obtained)) this.#tell(context);
  }

  #tell(context: ListenerContext): void {
    const { name } = context.listener;
    const facts = context.all.map((each) => each.facts);
    const names = [...new Set(facts.flatMap((each) => each.names))];
    const endsAt = new Date(Math.min(...facts.map((each) => each.endsAt))).toISOString();
    this.#parts.logger.info(
      { event: 'certificates-loaded', listener: name, names, endsAt },
      `listener ${name} has other certificates now, for ${names.join(', ')}; the first of them ends on ${endsAt}`,
    );
    for (const changed of this.#changed) changed(name);
  }

  #prepareListener(listener: ListenerPlan, tls: ListenerTlsPlan, { undo, changed }: Preparation): HeldListener {
    const { addon, reader } = this.#parts;
    const reading = readListenerMaterial(reader, tls);
    const what = `listener ${listener.name}`;
    if (!reading.ok) throw new StartFailure('SLUICE_CONFIG', sentencesOf(what, reading).join('. '));
    const { settings, certificates, ticketKeys } = reading.material;
    const before = this.#listeners.get(listener.number);
    const obtained = tls.acme === null ? null : (this.#obtained.get(listener.name) ?? null);
    const keepsKeys = before !== undefined && isSameClientAuth(before.context.settings, settings);
    const made =
      tls.tickets === null || ticketKeys !== null
        ? null
        : ((keepsKeys ? before.made : null) ?? new TicketKeys(this.#parts));
    const context = refused(what, () => {
      if (before === undefined || !isDeepStrictEqual(before.context.settings, settings)) {
        const fresh = new ListenerContext(addon, listener, tls, { certificates, settings, ticketKeys }, obtained);
        undo.push(() => fresh.close());
        for (const [name, certificate] of before?.context.challenges ?? []) fresh.setChallenge(name, certificate);
        const keys = ticketKeys ?? made?.keys;
        if (keys !== undefined) fresh.putTicketKeys(keys);
        return fresh;
      }
      const { context: same } = before;
      const were = { certificates: same.certificates, obtained: same.obtained };
      undo.push(() => void same.put(were.certificates, were.obtained));
      if (same.put(certificates, obtained)) changed.push(same);
      return same;
    });
    return { context, made, fileKeys: ticketKeys };
  }

  #prepareUpstream(upstream: UpstreamPlan, tls: UpstreamTlsPlan, { undo }: Preparation): HeldUpstream {
    const { addon, reader } = this.#parts;
    const reading = readUpstreamMaterial(reader, tls);
    const what = `upstream ${upstream.name}`;
    if (!reading.ok) throw new StartFailure('SLUICE_CONFIG', sentencesOf(what, reading).join('. '));
    const { settings, certificate } = reading.material;
    const before = this.#upstreams.get(upstream.record);
    const client = refused(what, () => {
      if (before === undefined) {
        const fresh = new addon.TlsClient(settings);
        undo.push(() => fresh.close());
        return fresh;
      }
      if (!isDeepStrictEqual(before.settings, settings)) {
        before.client.replace(settings);
        undo.push(() => before.client.replace(before.settings));
      }
      return before.client;
    });
    return { client, upstream, tls, settings, certificate };
  }

  #commit(plan: Plan, listeners: Map<number, HeldListener>, upstreams: Map<number, HeldUpstream>): () => void {
    const before = { listeners: this.#listeners, upstreams: this.#upstreams };
    this.#listeners = listeners;
    this.#upstreams = upstreams;
    for (const listener of plan.listeners) {
      const held = listeners.get(listener.number);
      if (held === undefined || listener.tls === null) continue;
      const { context, made, fileKeys } = held;
      context.follow(listener, listener.tls);
      if (fileKeys !== null) context.putTicketKeys(fileKeys);
      if (made === null || listener.tls.tickets === null) continue;
      // A context that stays may have had its keys from a file.
      context.putTicketKeys(made.keys);
      made.rotate(listener.tls.tickets.rotateMs, () => context.putTicketKeys(made.keys));
    }
    const names = new Set(
      plan.listeners.filter(({ tls }) => tls !== null && tls.acme !== null).map(({ name }) => name),
    );
    for (const name of this.#obtained.keys()) if (!names.has(name)) this.#obtained.delete(name);
    for (const { made } of before.listeners.values()) {
      const isKept = [...listeners.values()].some((held) => held.made === made);
      if (!isKept) made?.close();
    }
    this.#noteInUse();
    return () => {
      for (const [number, { context }] of before.listeners)
        if (listeners.get(number)?.context !== context) context.close();
      for (const [record, { client }] of before.upstreams) if (upstreams.get(record)?.client !== client) client.close();
    };
  }

  #noteInUse(): void {
    this.#parts.reader.setInUse(this.inUse.map(({ facts }) => facts.fingerprint));
  }
}

/** Tickets tell that a client has shown its certificate: by other rules they may not count. */
function isSameClientAuth(before: TlsServerSettings, after: TlsServerSettings): boolean {
  const rules = ({ clientAuth, clientCa, clientCrl, clientDepth }: TlsServerSettings) => [
    clientAuth,
    clientCa,
    clientCrl,
    clientDepth,
  ];
  return isDeepStrictEqual(rules(before), rules(after));
}

function sentencesOf(what: string, { problems }: MaterialReading<unknown> & { readonly ok: false }): string[] {
  return problems.map((finding) => `${what}: ${pathText(['tls', ...finding.path])} ${findingSentence(finding)}`);
}

/** What OpenSSL refuses, as the operator's to mend. */
function refused<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartFailure('SLUICE_CONFIG', `${what}: its TLS cannot be used: ${reason}`, { cause: error });
  }
}
