/** Takes PEM files apart (RFC 7468): which blocks there are, and in which line each begins. Pure. */

/** One block. */
export interface PemBlock {
  /** e.g. 'CERTIFICATE', 'PRIVATE KEY'. */
  readonly label: string;
  /** From its first dash to its last. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
const FIRST_OF_DER = 0x30;

/** All whole blocks, in their order. */
export function pemBlocks(text: string): readonly PemBlock[] {
  let line = 1;
  let from = 0;
  return [...text.matchAll(BLOCK)].map((match) => {
    line += text.slice(from, match.index).split('\n').length - 1;
    from = match.index;
    return { label: match[1] ?? '', text: match[0], line };
  });
}

/**
 * Why a file has none of the blocks that it should have, for a sentence: "it is empty", "it holds a private key only".
 *
 * @param bytes the whole file
 */
export function whyWithout(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it is empty';
  const text = Buffer.from(bytes).toString('latin1');
  const labels = [...new Set(pemBlocks(text).map(({ label }) => label.toLowerCase()))];
  if (labels.length > 0) return `it holds ${labels.join(' and ')} only`;
  const begun = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text);
  if (begun !== null) return `the block ${begun[1]} has no end`;
  if (bytes[0] === FIRST_OF_DER) return 'it seems to be DER, not PEM';
  return 'it holds no PEM block (-----BEGIN …)';
}
