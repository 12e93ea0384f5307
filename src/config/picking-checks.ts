/** Checks what the settings of picking mean together: targets of routes, subsets, labels that weights come from, affinity. */
import { ENDPOINT_WEIGHT } from './defaults.js';
import { type Findings, listOf } from './findings.js';
import { isSection } from './flags.js';
import { listText, type Path, valueText } from './problem.js';
import { WEIGHT_MAX } from './schema/upstream.js';

type Section = Readonly<Record<string, unknown>>;

/** Upstreams of the file by name; null where the section is malformed. */
type Upstreams = Section | null;

/** Checks where a route of an l7 listener leads; whether its upstreams exist is checked beside. */
export function checkTargets(route: Section, path: Path, upstreams: Upstreams, findings: Findings): void {
  const { upstream, split } = route;
  if (upstream === undefined && split === undefined) {
    const hint = 'Name of the upstream that gets the requests; or write split.';
    findings.report([...path, 'upstream'], undefined, 'is missing: it must be the name of an upstream', hint);
  }
  if (upstream !== undefined && split !== undefined)
    findings.report([...path, 'split'], split, 'stands beside upstream', 'write one of the two');
  if (split === undefined) {
    if (route.splitKey !== undefined && !isDefaultKey(route.splitKey))
      findings.report([...path, 'splitKey'], route.splitKey, 'needs a split', 'add split, or remove it');
    return checkSubset(route, path, upstreams, findings);
  }
  if (route.subset !== undefined)
    findings.report([...path, 'subset'], route.subset, 'stands beside split', 'write it into the targets of the split');
  const targets = listOf(split);
  for (const [index, target] of targets.entries()) {
    if (isSection(target)) checkSubset(target, [...path, 'split', index], upstreams, findings);
  }
  if (targets.length > 0 && targets.every((target) => isSection(target) && target.weight === 0)) {
    const sentence = 'holds no target with a weight above 0';
    findings.report(
      [...path, 'split'],
      split,
      sentence,
      'a target of weight 0 gets nothing: give at least one a weight',
    );
  }
}

/** Printed configurations have every default. */
function isDefaultKey(key: unknown): boolean {
  return key === 'client-ip';
}

/** @param target a section with `upstream` and maybe `subset` */
function checkSubset(target: Section, path: Path, upstreams: Upstreams, findings: Findings): void {
  const { upstream: name, subset } = target;
  if (!isSection(subset) || typeof name !== 'string' || upstreams === null) return;
  const upstream = Object.hasOwn(upstreams, name) ? upstreams[name] : undefined;
  if (!isSection(upstream)) return;
  const wanted = Object.entries(subset);
  const own = [...path, 'subset'];
  if (wanted.length === 0)
    return findings.report(
      own,
      subset,
      'names no label',
      'write label: value, or remove it: without it all endpoints are meant',
    );
  const endpoints = listOf(upstream.endpoints).filter(isSection);
  const labelsOf = (endpoint: Section): Section => (isSection(endpoint.labels) ? endpoint.labels : {});
  const matching = endpoints.filter((endpoint) =>
    wanted.every(([label, value]) => labelsOf(endpoint)[label] === value),
  );
  if (matching.length === 0) {
    const [label = ''] = wanted[0] ?? [];
    const values = [...new Set(endpoints.map((endpoint) => labelsOf(endpoint)[label]))].filter(isText);
    const hint =
      values.length === 0 ? `no endpoint of ${name} has the label ${label}` : `${label} is ${listText(values)} there`;
    findings.report(own, subset, `matches no endpoint of the upstream ${name}`, hint);
  } else if (matching.every((endpoint) => endpoint.backup === true || endpoint.weight === 0)) {
    const sentence = `matches only endpoints of the upstream ${name} that are backups or have a weight of 0`;
    findings.report(own, subset, sentence, 'at least one must take requests');
  }
}

/** Checks the settings of one upstream. @param zone the root's */
export function checkPicking(upstream: Section, zone: unknown, path: Path, findings: Findings): void {
  checkAffinity(upstream.affinity, [...path, 'affinity'], findings);
  checkWeights(upstream, path, findings);
  if (upstream.preferOwnZone === true && zone === undefined) {
    const hint = 'write zone: at the top of the file, e.g. zone: eu-1a';
    findings.report([...path, 'preferOwnZone'], true, 'needs to know the zone of this sluice', hint);
  }
}

function checkAffinity(affinity: unknown, path: Path, findings: Findings): void {
  if (!isSection(affinity)) return;
  const { cookie, key } = affinity;
  if (cookie === undefined && key === undefined)
    findings.report(path, affinity, 'says neither cookie nor key', 'write cookie: {} or key: client-ip, or off');
  if (cookie !== undefined && key !== undefined)
    findings.report([...path, 'key'], key, 'stands beside cookie', 'write one of the two');
  if (isSection(cookie) && cookie.sameSite === 'none' && cookie.secure !== true)
    findings.report(
      [...path, 'cookie', 'sameSite'],
      'none',
      'needs secure',
      'browsers refuse the cookie without: write secure: true',
    );
}

function checkWeights(upstream: Section, path: Path, findings: Findings): void {
  const { weights } = upstream;
  if (!isSection(weights)) return;
  const { agent, label } = weights;
  const own = [...path, 'weights'];
  if (agent === undefined && label === undefined)
    findings.report(own, weights, 'says neither label nor agent', 'write label: cores or agent: { port: 9100 }');
  if (agent !== undefined && label !== undefined)
    findings.report([...own, 'label'], label, 'stands beside agent', 'write one of the two');
  if (typeof label !== 'string' || agent !== undefined) return;
  const endpoints = listOf(upstream.endpoints);
  for (const [index, endpoint] of endpoints.entries()) {
    if (isSection(endpoint)) checkLabelWeight(endpoint, label, [...path, 'endpoints', index], findings);
  }
  const usual = endpoints.filter(isSection).filter(({ backup }) => backup !== true);
  const isZero = (endpoint: Section): boolean => endpoint.weight === 0 || /^0+$/.test(String(labelOf(endpoint, label)));
  // All weights of 0 without the label are told beside.
  if (usual.every(isZero) && usual.some(({ weight }) => weight !== 0))
    findings.report(
      [...own, 'label'],
      label,
      'gives no endpoint a weight above 0, backups aside',
      'an endpoint of weight 0 is never picked: give at least one a weight',
    );
}

function labelOf({ labels }: Section, label: string): unknown {
  return isSection(labels) && Object.hasOwn(labels, label) ? labels[label] : undefined;
}

function checkLabelWeight(endpoint: Section, label: string, path: Path, findings: Findings): void {
  const value = labelOf(endpoint, label);
  const own = [...path, 'labels', label];
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN;
  const weight = typeof endpoint.weight === 'number' ? endpoint.weight : ENDPOINT_WEIGHT;
  if (value === undefined)
    return findings.report(
      own,
      undefined,
      'is missing: weights come from this label',
      `e.g. labels: { ${label}: "8" }`,
    );
  if (typeof value !== 'string') return; // the schema's finding
  if (Number.isNaN(number) || number * weight > WEIGHT_MAX)
    findings.report(
      own,
      value,
      `is ${valueText(value)}, but must be a whole number of at most ${WEIGHT_MAX}, weight included: weights come from this label`,
      null,
    );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
