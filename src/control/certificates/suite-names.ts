/** Names of suites and curves in a configuration, held against the OpenSSL that takes them. */
import { createSecureContext } from 'node:tls';
import { TLS_CIPHER_SUITES, TLS_CIPHERS } from '../../config/tls-defaults.js';
import type { ListenerTlsPlan } from '../../config/tls-plan.js';

type Names = Pick<ListenerTlsPlan, 'ciphers' | 'cipherSuites' | 'curves'>;

/** What is wrong with one of the settings. */
export interface NameFinding {
  readonly setting: keyof Names;
  /** Behind the path of the setting. */
  readonly sentence: string;
  readonly hint: string;
  /** OpenSSL refuses the whole; else it passes over what the sentence says. */
  readonly isProblem: boolean;
}

const OF_CIPHERS = 'openssl ciphers -v lists them';
const OF_SUITES = 'openssl ciphers -v -tls1_3 lists them';
const OF_CURVES = 'openssl ecparam -list_curves lists most; X25519 and X448 are others';

/** Names of TLS 1.3; all others are of TLS 1.2. */
const isSuite = (name: string): boolean => name.startsWith('TLS_');
/** Neither an operator (!aNULL, @STRENGTH) nor a combination (ECDHE+AESGCM): one name. */
const isName = (name: string): boolean => /^[A-Za-z0-9_-]+$/.test(name) && !name.startsWith('-');

/** Finds names that OpenSSL does not know, or that stand in the wrong list. */
export function findNames({ ciphers, cipherSuites, curves }: Names): readonly NameFinding[] {
  return [
    ...(ciphers === TLS_CIPHERS ? [] : findCiphers(ciphers)),
    ...(cipherSuites === TLS_CIPHER_SUITES ? [] : findSuites(cipherSuites)),
    ...(isTaken({ ecdhCurve: curves }) ? [] : [refused('curves', curves, OF_CURVES)]),
  ];
}

function findCiphers(ciphers: string): readonly NameFinding[] {
  const names = ciphers.split(':');
  const own = names.filter((name) => !isSuite(name));
  if (own.length === 0 || !isTaken({ ciphers: own.join(':') })) return [refused('ciphers', ciphers, OF_CIPHERS)];
  const strays = names
    .filter(isSuite)
    .map((name) => passedOver('ciphers', name, 'is a suite of TLS 1.3', 'cipherSuites is the place for it'));
  const unknown = own.filter((name) => isName(name) && !isTaken({ ciphers: name }));
  return [...strays, ...unknown.map((name) => passedOver('ciphers', name, 'OpenSSL does not know', OF_CIPHERS))];
}

function findSuites(cipherSuites: string): readonly NameFinding[] {
  const isKnown = (name: string): boolean => isSuite(name) && isTaken({ ciphers: name });
  const names = cipherSuites.split(':');
  if (!names.every((name) => isKnown(name))) return [refused('cipherSuites', cipherSuites, OF_SUITES)];
  return [];
}

function refused(setting: keyof Names, names: string, hint: string): NameFinding {
  return {
    setting,
    sentence: `is "${names}", which OpenSSL does not take: a name in it is unknown`,
    hint,
    isProblem: true,
  };
}

function passedOver(setting: keyof Names, name: string, why: string, hint: string): NameFinding {
  return { setting, sentence: `has "${name}", which ${why}: it is passed over`, hint, isProblem: false };
}

function isTaken(options: { readonly ciphers?: string; readonly ecdhCurve?: string }): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}
