/** Hashes keys that TypeScript has as text: those of uWebSockets.js and of sessions, and clients named by a trusted proxy. */
import { type AddressWords, addressText, isUnix } from '../core/peer-address.js';
import type { PickKey } from './balancer.js';
import { type KeyWish, networkOf } from './key-source.js';

/** What the engine's binary offers for it: HashingAddon. */
export interface TextHashes {
  hashText(text: string, words: Int32Array): void;
  crc32Text(text: string): number;
}

/** Gives the hashes that the native front end gives for the same bytes. Thread: worker. */
export class KeyHasher {
  readonly #words = new Int32Array(2);
  readonly #hashes: TextHashes;

  constructor(hashes: TextHashes) {
    this.#hashes = hashes;
  }

  /** @param text a character for each byte. @param isCrc as in KeyWish */
  hash(text: string, isCrc: boolean, key: PickKey): void {
    if (isCrc) {
      key.hash = this.#hashes.crc32Text(text) | 0;
      key.hashHigh = 0;
      return;
    }
    this.#hashes.hashText(text, this.#words);
    key.hash = this.#words[0] as number; // two words, made in the constructor
    key.hashHigh = this.#words[1] as number;
  }

  /** The key of a client of whom nothing but the address is known. @returns false: it has none (a UNIX socket) */
  hashClient(client: AddressWords, { source, isCrc }: KeyWish, key: PickKey): boolean {
    if (isUnix(client)) return false;
    const address = addressText(client);
    this.hash(source?.kind === 'client-network' ? networkOf(address) : address, isCrc, key);
    return true;
  }
}
