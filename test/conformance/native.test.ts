/** Conformance of the native front end: it promises what the cases say, to the letter. */
import { describeFrontEnd } from './front-end-conformance.js';

describeFrontEnd('native', { lanes: 24, patienceMs: 8_000, takesAllowed: false });
