/** Native contexts that only remember what was put into them. */
import type { TlsAddon, TlsCertificate, TlsClientSettings, TlsServerSettings } from '../../../../src/engine/tls.js';

export class FakeServer {
  certificates: readonly TlsCertificate[] = [];
  ticketKeys: readonly Uint8Array[] = [];
  readonly challenges = new Map<string, TlsCertificate>();
  isClosed = false;
  /** Times that certificates were put in. */
  changes = 0;

  constructor(
    readonly number: number,
    readonly settings: TlsServerSettings,
    readonly refuses: () => string,
  ) {}

  setCertificates(certificates: readonly TlsCertificate[]): void {
    if (this.refuses() !== '') throw new Error(this.refuses());
    this.changes += 1;
    this.certificates = certificates;
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.ticketKeys = keys;
  }

  setChallenge(name: string, certificate: TlsCertificate): void {
    this.challenges.set(name, certificate);
  }

  dropChallenge(name: string): void {
    this.challenges.delete(name);
  }

  close(): void {
    this.isClosed = true;
  }
}

export class FakeClient {
  isClosed = false;

  constructor(
    readonly number: number,
    public settings: TlsClientSettings,
  ) {}

  replace(settings: TlsClientSettings): void {
    this.settings = settings;
  }

  close(): void {
    this.isClosed = true;
  }
}

/** What has been made so far, in its order. */
export class FakeTls implements Pick<TlsAddon, 'TlsServer' | 'TlsClient'> {
  readonly servers: FakeServer[] = [];
  readonly clients: FakeClient[] = [];
  /** What the engine says of all certificates from now on; '': they are good. */
  refusal = '';
  readonly TlsServer: TlsAddon['TlsServer'];
  readonly TlsClient: TlsAddon['TlsClient'];
  #numbers = 0;

  constructor() {
    const made = this;
    this.TlsServer = class extends FakeServer {
      constructor(settings: TlsServerSettings) {
        super(++made.#numbers, settings, () => made.refusal);
        made.servers.push(this);
      }
    };
    this.TlsClient = class extends FakeClient {
      constructor(settings: TlsClientSettings) {
        super(++made.#numbers, settings);
        made.clients.push(this);
      }
    };
  }

  /** Those that nobody has closed. */
  get open(): readonly FakeServer[] {
    return this.servers.filter(({ isClosed }) => !isClosed);
  }
}
