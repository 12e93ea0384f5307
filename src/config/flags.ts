/** Puts what was given on the command line into the plain values of a configuration, before they are checked. */
import { LISTEN_ADDRESS, LISTENER_NAME, UPSTREAM_NAME } from './defaults.js';
import { nearestName } from './nearest-name.js';
import { type Path, type PathStep, type Problem, type ProblemSource, pathText } from './problem.js';

/** Values of flags as they were typed; a flag that was not given has no key. */
export interface ConfigFlags {
  readonly mode?: string;
  readonly listen?: readonly string[];
  readonly upstream?: readonly string[];
  readonly balance?: string;
  readonly hashKey?: string;
  readonly workers?: string;
  readonly frontend?: string;
  readonly accept?: string;
  readonly relay?: string;
  readonly admin?: string;
  readonly healthCheck?: string;
  readonly logLevel?: string;
  readonly accessLog?: string;
}

/** Where a merged value comes from: a flag, or another place of the file. */
export type Origin = Extract<ProblemSource, { kind: 'flag' }> | { readonly kind: 'copy'; readonly of: Path };

/** Plain values with the flags in them; `origins` by `pathText`. */
export interface MergedValues {
  readonly value: unknown;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly problems: readonly Problem[];
}

type Section = Record<string, unknown>;

const ENDPOINT_OPTIONS = ['weight', 'backup', 'max-conns'] as const;

/**
 * Merges flags into the plain values of a file; without a file, builds a configuration from the flags alone: one listener for
 * each --listen, one upstream `default` with the --upstream endpoints. Pure: `base` is not changed. Thread: any.
 *
 * @param base plain values of the file, or null without a file
 */
export function mergeFlags(base: unknown, flags: ConfigFlags): MergedValues {
  const merge = new Merge(isSection(base) ? structuredClone(base) : {});
  merge.upstreams(flags, base === null);
  merge.listeners(flags, base === null);
  merge.process(flags);
  return { value: merge.root, origins: merge.origins, problems: merge.problems };
}

class Merge {
  readonly root: Section;
  readonly origins = new Map<string, Origin>();
  readonly problems: Problem[] = [];

  constructor(root: Section) {
    this.root = root;
  }

  upstreams(flags: ConfigFlags, isAlone: boolean): void {
    const texts = flags.upstream ?? [];
    if (texts.length > 0) this.#replaceEndpoints(texts);
    else if (isAlone) {
      this.#problem(
        { kind: 'command-line' },
        'names no upstream and no configuration file',
        'say where requests go: sluice --upstream 127.0.0.1:9001, or sluice -c sluice.yaml; sluice demo needs neither',
      );
      this.root.upstreams = {};
    }
    const upstreams = isSection(this.root.upstreams) ? this.root.upstreams : {};
    for (const [name, upstream] of Object.entries(upstreams)) {
      if (!isSection(upstream)) continue;
      const path = ['upstreams', name];
      this.#set(upstream, path, 'balance', '--balance', flags.balance);
      this.#set(upstream, path, 'hashKey', '--hash-key', flags.hashKey);
      if (flags.healthCheck !== undefined) this.#healthCheck(upstream, path, flags.healthCheck);
    }
  }

  listeners(flags: ConfigFlags, isAlone: boolean): void {
    const texts = flags.listen ?? [];
    if (texts.length > 0) this.#replaceListeners(texts, '--listen');
    else if (isAlone) this.#replaceListeners([LISTEN_ADDRESS], null);
    const listeners = Array.isArray(this.root.listeners) ? (this.root.listeners as unknown[]) : [];
    for (const [index, listener] of listeners.entries()) {
      if (!isSection(listener)) continue;
      const path = ['listeners', index];
      this.#set(listener, path, 'mode', '--mode', flags.mode);
      this.#set(listener, path, 'frontend', '--frontend', flags.frontend);
      this.#set(listener, path, 'accept', '--accept', flags.accept);
      this.#set(listener, path, 'relay', '--relay', flags.relay);
    }
  }

  process(flags: ConfigFlags): void {
    this.#set(
      this.root,
      [],
      'workers',
      '--workers',
      flags.workers === undefined ? undefined : numberOrText(flags.workers),
    );
    if (flags.admin !== undefined) {
      const isOff = flags.admin === 'off';
      this.root.admin = isOff ? 'off' : { bind: flags.admin };
      this.#origin(isOff ? ['admin'] : ['admin', 'bind'], '--admin', flags.admin);
    }
    if (flags.logLevel !== undefined) this.#setLog('level', '--log-level', flags.logLevel);
    if (flags.accessLog !== undefined) this.#setLog('accessLog', '--access-log', flags.accessLog);
  }

  #setLog(key: string, flag: string, value: string): void {
    if (!isSection(this.root.log)) this.root.log = {};
    if (isSection(this.root.log)) this.#set(this.root.log, ['log'], key, flag, value);
  }

  #replaceEndpoints(texts: readonly string[]): void {
    const upstreams = isSection(this.root.upstreams) ? this.root.upstreams : {};
    const names = Object.keys(upstreams);
    if (names.length > 1) {
      this.#problem(
        flagSource('--upstream', texts.join(' ')),
        `cannot be combined with a file that has ${names.length} upstreams`,
        `change the endpoints in the file: ${names.join(', ')}`,
      );
      return;
    }
    const name = names[0] ?? UPSTREAM_NAME;
    const path = ['upstreams', name, 'endpoints'];
    this.#origin(path, '--upstream', texts.join(' '));
    const endpoints = texts.map((text, index) => this.#endpoint(text, [...path, index]));
    const upstream = upstreams[name];
    this.root.upstreams = { [name]: { ...(isSection(upstream) ? upstream : {}), endpoints } };
  }

  /** "HOST:PORT[,weight=N][,backup][,max-conns=N]" */
  #endpoint(text: string, path: Path): Section {
    const source = flagSource('--upstream', text);
    this.origins.set(pathText(path), source);
    const [address = '', ...options] = text.split(',');
    const endpoint: Section = { address };
    const given = new Set<string>();
    for (const option of options) {
      const [name = '', ...rest] = option.split('=');
      const value = rest.length > 0 ? rest.join('=') : null;
      if (given.has(name)) {
        this.#problem(source, `has ${name} twice`, 'give each option once');
        continue;
      }
      given.add(name);
      if (name === 'backup')
        endpoint.backup = value === null ? true : value === 'true' ? true : value === 'false' ? false : value;
      else if (name === 'weight' || name === 'max-conns') {
        if (value === null || value === '') this.#problem(source, `has ${name} without a number`, `write ${name}=2`);
        else endpoint[name === 'weight' ? 'weight' : 'maxConns'] = numberOrText(value);
      } else {
        const nearest = nearestName(name, ENDPOINT_OPTIONS);
        const known = 'behind the address may stand weight=N, backup and max-conns=N, with commas between';
        this.#problem(
          source,
          `has the unknown option "${option}"`,
          nearest === null ? known : `did you mean ${nearest}?`,
        );
      }
    }
    return endpoint;
  }

  #replaceListeners(texts: readonly string[], flag: string | null): void {
    const written = this.root.listeners;
    const listeners: unknown[] = Array.isArray(written) ? written : [];
    if (listeners.length > 1) {
      this.#problem(
        flagSource(flag ?? '--listen', texts.join(' ')),
        `cannot be combined with a file that has ${listeners.length} listeners`,
        'change the addresses in the file',
      );
      return;
    }
    const template = isSection(listeners[0]) ? listeners[0] : this.#builtListener();
    const firstName = typeof template.name === 'string' ? template.name : LISTENER_NAME;
    this.root.listeners = texts.map((text, index) => {
      const path = ['listeners', index];
      if (index > 0) {
        this.origins.set(pathText(path), { kind: 'copy', of: ['listeners', 0] });
        if (flag !== null) this.#origin([...path, 'name'], flag, text);
      }
      if (flag !== null) this.#origin([...path, 'bind'], flag, text);
      return {
        ...structuredClone(template),
        name: index === 0 ? (template.name ?? firstName) : `${firstName}-${index + 1}`,
        bind: text,
      };
    });
  }

  /** A listener for a command line without one in a file: all requests go to the only upstream. */
  #builtListener(): Section {
    const names = isSection(this.root.upstreams) ? Object.keys(this.root.upstreams) : [];
    return { name: LISTENER_NAME, ...(names.length > 1 ? {} : { routes: [{ upstream: names[0] ?? UPSTREAM_NAME }] }) };
  }

  /** The thresholds of the file stay; what is probed is replaced. */
  #healthCheck(upstream: Section, path: Path, text: string): void {
    const { path: _path, kind: _kind, ...others } = isSection(upstream.healthCheck) ? upstream.healthCheck : {};
    upstream.healthCheck =
      text === 'off' ? 'off' : text === 'tcp' ? { ...others, kind: 'tcp' } : { ...others, path: text };
    for (const key of ['path', 'kind']) this.#origin([...path, 'healthCheck', key], '--health-check', text);
  }

  #set(section: Section, path: Path, key: string, flag: string, value: unknown): void {
    if (value === undefined) return;
    section[key] = value;
    this.#origin([...path, key], flag, String(value));
  }

  #origin(path: Path, flag: string, value: string): void {
    this.origins.set(pathText(path), flagSource(flag, value));
  }

  #problem(source: ProblemSource, sentence: string, hint: string): void {
    this.problems.push({ source, path: '', found: null, sentence, hint });
  }
}

/** Is this a section: an object with keys, not a list? */
export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flagSource(flag: string, value: string): Extract<ProblemSource, { kind: 'flag' }> {
  return { kind: 'flag', flag, value };
}

/** The command line has text only; what looks like a number is one, and the schema judges it. */
function numberOrText(text: string): PathStep {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
