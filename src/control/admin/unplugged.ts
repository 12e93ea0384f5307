/** Parts of the admin API's source that have no maker yet in this build: they say so. */
import type { SourceParts } from './views.js';

/** Goes away part by part. */
export const unplugged: Omit<SourceParts, 'live' | 'timeline'> = {
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: '' }),
  reload: async () => ({ ok: false, problems: ['this build cannot reload its configuration'] }),
  onReloaded: () => () => {},
  config: () => {
    throw new Error('this build does not keep its configuration');
  },
  explain: async () => undefined,
};
