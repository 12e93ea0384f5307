/** Conformance of the uws front end: what the sources allow, but for its known deviations. */
import { describeFrontEnd } from './front-end-conformance.js';

describeFrontEnd('uws', { lanes: 48, patienceMs: 1_500, takesAllowed: true });
