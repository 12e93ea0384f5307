/** Finds the endpoint that somebody names in a command: ENDPOINT alone where it is clear which, else UPSTREAM/ENDPOINT. */
import { nearestName } from '../../config/nearest-name.js';
import type { LiveFigures } from '../../observability/live-figures.js';

/** An endpoint and its upstream. */
export interface NamedEndpoint {
  readonly upstream: string;
  readonly address: string;
}

/** The endpoint, or a sentence that says why it is not clear which. */
export type FoundEndpoint =
  | { readonly ok: true; readonly endpoint: NamedEndpoint }
  | { readonly ok: false; readonly sentence: string };

/** Pure. @param text as somebody wrote it */
export function endpointNamed(text: string, { upstreams }: Pick<LiveFigures, 'upstreams'>): FoundEndpoint {
  const all = upstreams.flatMap(({ name, endpoints }) => endpoints.map(({ address }) => ({ upstream: name, address })));
  const wholeName = ({ upstream, address }: NamedEndpoint): string => `${upstream}/${address}`;
  const found = all.filter((each) => each.address === text || wholeName(each) === text);
  const [endpoint] = found;
  if (endpoint !== undefined && found.length === 1) return { ok: true, endpoint };
  if (found.length > 1) {
    return { ok: false, sentence: `${text} is in several upstreams: write ${found.map(wholeName).join(' or ')}` };
  }
  const upstream = upstreams.find(({ name }) => text === name || text === `${name}/`);
  if (upstream !== undefined) {
    const names = upstream.endpoints.map(({ address }) => `${upstream.name}/${address}`);
    return { ok: false, sentence: `${text} is an upstream; its endpoints are ${names.join(', ')}` };
  }
  const nearest = nearestName(text, [...all.map(({ address }) => address), ...all.map(wholeName)]);
  const hint = nearest === null ? 'sluice status lists them' : `did you mean ${nearest}?`;
  return { ok: false, sentence: `there is no endpoint ${text}: ${hint}` };
}

/** Where the API has it. */
export function endpointPath({ upstream, address }: NamedEndpoint): string {
  return `/api/v1/upstreams/${encodeURIComponent(upstream)}/endpoints/${encodeURIComponent(address)}`;
}
