/** What one exchange of a soak does on both of its sides: made by the client from its rng, sent in a field of the request. */
import type { Rng } from '../../src/core/rng.js';

/** How the endpoint goes on and ends. */
export const ENDPOINT_WAYS = [
  /** Takes the whole request, gives the whole answer. */
  'whole',
  /** Gives the whole answer before it has the whole request. To an upgrade: refuses it with an answer. */
  'early',
  /** Gives the whole answer, then closes without having said so. */
  'close-after',
  /** Gives the whole answer with `Connection: close`, then closes. */
  'announced-close',
  /** Resets the connection when it has seen the head. */
  'reset-early',
  /** Resets the connection inside the answer's body. */
  'reset-late',
  /** Ends the connection inside the answer's body. */
  'cut',
  /** Takes the request and never answers. */
  'stall',
  /** Falls silent inside the answer's body. */
  'stall-late',
  /** Answers with what is no HTTP. */
  'garbage',
] as const;
export type EndpointWay = (typeof ENDPOINT_WAYS)[number];

/** How the client goes on and ends. */
export type ClientWay =
  /** Sends the whole request, takes the whole answer. */
  | 'whole'
  /** The same, and ends its own side behind the request. */
  | 'half-close'
  /** Resets (RST) or closes inside the request. */
  | 'reset-request'
  | 'leave-request'
  /** Resets or closes inside the answer, or while waiting for it. */
  | 'reset-answer'
  | 'leave-answer'
  /** Falls silent inside the request, for longer than is allowed. */
  | 'stall-request'
  /** Takes nothing of the answer for longer than is allowed, then goes on. */
  | 'stall-answer';

export interface SoakScript {
  /** Its own, over all of the soak. */
  readonly id: string;
  /** Says what the bodies' bytes are. */
  readonly seed: number;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly version: '1.0' | '1.1';
  readonly isUpgrade: boolean;
  readonly upload: 'none' | 'length' | 'chunked';
  /** Of an upgrade: bytes that are sent through the tunnel, and come back. */
  readonly uploadBytes: number;
  readonly answer: 'none' | 'length' | 'chunked' | 'trailers' | 'until-close';
  readonly answerBytes: number;
  readonly endpoint: EndpointWay;
  /** Bytes of the answer's body after which the endpoint breaks; less than answerBytes. */
  readonly endpointBreakBytes: number;
  readonly client: ClientWay;
  /** Where the client breaks, of the request's or answer's bytes. */
  readonly clientBreakPermille: number;
  readonly isClientSlow: boolean;
  readonly isEndpointSlow: boolean;
  readonly expectsContinue: boolean;
  readonly takesTrailers: boolean;
  /** The endpoint sends a 103 first. */
  readonly hasInterim: boolean;
}

/** What a front end can do, and is asked to. */
export interface SoakMix {
  /** Pipelining, HTTP/1.0, half-close, upgrades, 1xx and trailers of endpoints, chunk extensions. */
  readonly isFull: boolean;
  /** Timeouts are short enough for sides that fall silent. */
  readonly hasClientStalls: boolean;
  readonly maxBodyBytes: number;
}

/** One side in so many misbehaves; a stall, which costs seconds, is rarer still. */
const MISBEHAVES_ONE_IN = 4;
const STALLS_ONE_IN = 60;
const SLOW_ONE_IN = 6;
/** Most bodies are small; one in so many is up to MEDIUM_BODY_BYTES, one in so many up to `maxBodyBytes`. */
const MEDIUM_ONE_IN = 4;
const LARGE_ONE_IN = 20;
const SMALL_BODY_BYTES = 2 * 1024;
const MEDIUM_BODY_BYTES = 128 * 1024;

const BREAKING_ANSWERS = ['reset-late', 'cut', 'stall-late'] as const;

export function randomScript(id: string, rng: Rng, mix: SoakMix): SoakScript {
  const isUpgrade = mix.isFull && rng.below(12) === 0;
  const version = mix.isFull && !isUpgrade && rng.below(10) === 0 ? '1.0' : '1.1';
  const method = isUpgrade ? 'GET' : oneOf(rng, ['GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT'] as const);
  const hasUpload = method === 'POST' || method === 'PUT';
  const upload = !hasUpload ? 'none' : version === '1.1' && rng.below(3) === 0 ? 'chunked' : 'length';
  const uploadBytes = hasUpload || isUpgrade ? randomBytes(rng, mix.maxBodyBytes) : 0;
  const answer = oneOf(rng, [
    'none',
    'length',
    'length',
    'length',
    'chunked',
    'chunked',
    'trailers',
    'until-close',
  ] as const);
  const answerBytes = answer === 'none' ? 0 : randomBytes(rng, mix.maxBodyBytes);
  const endpoint = randomEndpointWay(rng, { method, isUpgrade, upload, uploadBytes, answer, answerBytes });
  const client = randomClientWay(rng, mix, { isUpgrade, version });
  return {
    id,
    seed: rng.nextBits(),
    method,
    version,
    isUpgrade,
    upload,
    uploadBytes,
    answer,
    answerBytes,
    endpoint,
    endpointBreakBytes: rng.below(Math.max(isUpgrade ? uploadBytes : answerBytes, 1)),
    client,
    clientBreakPermille: rng.below(1000),
    isClientSlow: rng.below(SLOW_ONE_IN) === 0,
    isEndpointSlow: rng.below(SLOW_ONE_IN) === 0,
    expectsContinue: hasUpload && version === '1.1' && client === 'whole' && rng.below(8) === 0,
    takesTrailers: rng.below(2) === 0,
    hasInterim: mix.isFull && rng.below(12) === 0,
  };
}

/** A script for a request that is sent with others before it and behind it: small, and wholly sent. */
export function pipelinedScript(id: string, rng: Rng, mix: SoakMix): SoakScript {
  const script = randomScript(id, rng, { ...mix, maxBodyBytes: SMALL_BODY_BYTES });
  const isFit =
    !script.isUpgrade && script.version === '1.1' && script.endpoint !== 'early' && !isStall(script.endpoint);
  return isFit ? { ...script, client: 'whole', expectsContinue: false } : pipelinedScript(id, rng, mix);
}

function randomEndpointWay(
  rng: Rng,
  of: Pick<SoakScript, 'method' | 'isUpgrade' | 'upload' | 'uploadBytes' | 'answer' | 'answerBytes'>,
): EndpointWay {
  if (rng.below(MISBEHAVES_ONE_IN) !== 0) return 'whole';
  if (of.isUpgrade) return oneOf(rng, ['early', 'reset-early', 'reset-late', 'cut', 'garbage'] as const);
  if (rng.below(STALLS_ONE_IN / MISBEHAVES_ONE_IN) === 0) return 'stall';
  const way = oneOf(
    rng,
    ENDPOINT_WAYS.filter((candidate) => candidate !== 'stall'),
  );
  if (way === 'stall-late' && rng.below(STALLS_ONE_IN / MISBEHAVES_ONE_IN) !== 0) return 'whole';
  // Where nothing follows the head there is nothing to break in; the end of a body that lasts until the close is no break.
  const hasBody = of.method !== 'HEAD' && of.answerBytes > 0;
  if (BREAKING_ANSWERS.some((breaking) => breaking === way) && !hasBody) return 'whole';
  if (way === 'cut' && of.answer === 'until-close') return 'reset-late';
  if (way === 'early' && (of.upload === 'none' || of.uploadBytes === 0)) return 'whole';
  return way;
}

function randomClientWay(rng: Rng, mix: SoakMix, of: Pick<SoakScript, 'isUpgrade' | 'version'>): ClientWay {
  if (rng.below(MISBEHAVES_ONE_IN) !== 0) return 'whole';
  if (mix.hasClientStalls && !of.isUpgrade && rng.below(STALLS_ONE_IN / MISBEHAVES_ONE_IN) === 0)
    return oneOf(rng, ['stall-request', 'stall-answer'] as const);
  if (mix.isFull && !of.isUpgrade && of.version === '1.1' && rng.below(4) === 0) return 'half-close';
  return oneOf(rng, ['reset-request', 'leave-request', 'reset-answer', 'leave-answer'] as const);
}

function randomBytes(rng: Rng, maxBytes: number): number {
  if (rng.below(8) === 0) return 0;
  const limit =
    rng.below(LARGE_ONE_IN) === 0 ? maxBytes : rng.below(MEDIUM_ONE_IN) === 0 ? MEDIUM_BODY_BYTES : SMALL_BODY_BYTES;
  return rng.below(Math.min(limit, maxBytes) + 1);
}

export function isStall(way: EndpointWay | ClientWay): boolean {
  return way.startsWith('stall');
}

/** Does the endpoint send less of an answer than it has announced? */
export function breaksAnswer(script: SoakScript): boolean {
  return BREAKING_ANSWERS.some((breaking) => breaking === script.endpoint);
}

/** Is the client to break off before its request is whole? */
export function breaksRequest({ client }: SoakScript): boolean {
  return client === 'reset-request' || client === 'leave-request' || client === 'stall-request';
}

/** Field of the request with the script. */
export const SCRIPT_FIELD = 'x-soak';
/** Field of every answer, and trailer, with the id of its exchange. */
export const ID_FIELD = 'x-soak-id';

/** @returns undefined where it is none */
export function readScript(text: string | undefined): SoakScript | undefined {
  return text?.startsWith('{') ? (JSON.parse(text) as SoakScript) : undefined;
}

function oneOf<Item>(rng: Rng, items: readonly Item[]): Item {
  return items[rng.below(items.length)] as Item; // below() stays below the length
}
