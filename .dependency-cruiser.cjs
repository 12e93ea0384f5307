/** Which room may import from which: the directions of the design, checked by `npm run layers` and by test/architecture. */

/** Files that nobody imports because they are started: the program and the threads. */
const ENTRIES = '^src/(cli/main|worker/entry|control/hash-table-task)\\.ts$';
/** Written out for editors and readers by scripts/generate-*-docs.mjs, and by nothing that runs. */
const GENERATED_DOCS = '^src/(config|observability)/docs/';
/** All that the data plane and its decisions see of a configuration. */
const PLAN = 'config/(((observing|picking|resilience|tls)-)?plan|acme-files)\\.ts$';
/** What failures of attempts are told by: plain bits, which policies decide by. */
const FACTS = 'engine/attempt-profile\\.ts$';
/** What a data plane offers the worker that starts it: types only. */
const DATA_PLANE_CONTRACT = '^src/worker/(data-plane|explaining)\\.ts$';
/** The only two files that may open a binary. */
const BINARY_LOADERS = '^src/(engine/load-engine|l7/frontends/uws/load-uws)\\.ts$';
/** The npm packages whose binaries load-uws.ts opens. */
const UWS_PACKAGES = '(^|/)(uWebSockets\\.js|@trufflesuite/uws-js-unofficial|@btc-vision/uwebsockets\\.js)';

/** A room that may import only from itself and the rooms or files named. */
function onlyImports(room, others, name, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: { path: '^src/', pathNot: `^src/(${[`${room}/`, ...others].join('|')})` },
  };
}

module.exports = {
  forbidden: [
    onlyImports(
      'core',
      [],
      'core-stands-alone',
      'core is what every room is built on: whatever it imported, all would import.',
    ),
    onlyImports(
      'config',
      ['core/'],
      'config-knows-only-core',
      'What a configuration means must not depend on how it is carried out; `check` works without engine and board.',
    ),
    onlyImports(
      'engine',
      ['core/'],
      'engine-knows-only-core',
      'The engine reports what happened and knows no board and no plan; TypeScript settles.',
    ),
    onlyImports(
      'board',
      ['core/'],
      'board-knows-only-core',
      'Every thread reads the board; who writes a record is said there, not by whom the board imports.',
    ),
    onlyImports(
      'balancing',
      ['core/', 'board/', PLAN],
      'balancing-knows-tables-only',
      'A pick is a pure function over tables: no data plane, no control, no configuration file.',
    ),
    onlyImports(
      'policies',
      ['core/', 'board/', 'balancing/', PLAN, FACTS],
      'policies-know-no-data-plane',
      'A policy decides and does not answer, so that it is the same in every front end, and testable without sockets.',
    ),
    onlyImports(
      'observability',
      ['core/', 'board/', PLAN],
      'observability-watches-from-outside',
      'Counting and logging must not be able to change what they watch.',
    ),
    {
      name: 'decisions-do-no-io',
      comment:
        'Balancing and policies take time, randomness and facts as arguments; one that could read a file or open a socket would stall every exchange of its worker.',
      severity: 'error',
      from: { path: '^src/(balancing|policies)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'l4-and-l7-are-strangers',
      comment:
        'The two data planes share endpoints through balancing and the board; what one borrowed from the other would tie their changes together.',
      severity: 'error',
      from: { path: '^src/(l4|l7)/' },
      to: { path: '^src/(l4|l7)/', pathNot: '^src/$1/' },
    },
    {
      name: 'data-plane-knows-no-control',
      comment:
        "Nothing on a request's path waits for the primary: data planes and control meet on the board and in typed messages.",
      severity: 'error',
      from: { path: '^src/(l4|l7|engine|worker)/' },
      to: { path: '^src/control/' },
    },
    {
      name: 'control-knows-no-data-plane',
      comment:
        'The primary must stay able to start, watch and restart workers whatever a data plane needs or breaks. Not through a third file either.',
      severity: 'error',
      from: { path: '^src/control/' },
      to: { path: '^src/(l4|l7)/', reachable: true },
    },
    {
      name: 'data-plane-knows-no-worker',
      comment:
        'A data plane is handed what it needs by the worker that starts it; it does not reach for the thread it runs in.',
      severity: 'error',
      from: { path: '^src/(l4|l7|engine)/' },
      to: { path: '^src/worker/', pathNot: DATA_PLANE_CONTRACT },
    },
    {
      name: 'data-plane-sees-only-the-plan',
      comment:
        'A configuration is validated once, in the primary; inside there are no defaults, no re-checks, and no second meaning of a key.',
      severity: 'error',
      from: { path: '^src/(l4|l7|worker)/' },
      to: { path: '^src/config/', pathNot: PLAN },
    },
    {
      name: 'nobody-imports-cli',
      comment: 'The command line is the top: it puts the rooms together, so that they also work without it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'uws-through-one-file',
      comment:
        "load-uws.ts picks the binary that runs here and never the packages' imitation in plain JavaScript; a second import would bring that back.",
      severity: 'error',
      from: { pathNot: BINARY_LOADERS },
      to: { path: UWS_PACKAGES },
    },
    {
      name: 'binaries-through-two-files',
      comment:
        'A binary is opened by load-engine.ts or load-uws.ts, which say what is missing and what to do when it does not load.',
      severity: 'error',
      from: { path: '^src/', pathNot: BINARY_LOADERS },
      to: { path: '(^|:)module$|\\.node$', dependencyTypesNot: ['local'] },
    },
    {
      name: 'no-cycles',
      comment:
        'Files in a circle can be neither understood nor tested one by one, and their load order becomes a matter of luck.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'no-barrels',
      comment: 'An index file hides which file a thing comes from and makes cycles easy.',
      severity: 'error',
      from: {},
      to: { path: '/index\\.ts$', pathNot: 'node_modules' },
    },
    {
      name: 'no-dead-files',
      comment: 'What neither the program nor a thread reaches is not part of the product: wire it or remove it.',
      severity: 'error',
      from: { path: ENTRIES },
      to: { path: '^src/', pathNot: [ENTRIES, GENERATED_DOCS], reachable: false },
    },
    {
      name: 'imports-exist',
      comment: 'An import that resolves to nothing fails when the file is loaded.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'dependencies-are-declared',
      comment:
        'A package that only happens to lie in node_modules, or is there for development only, is missing where sluice is installed as a package.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional'] },
    },
    {
      name: 'src-knows-no-tests',
      comment: 'What runs in production is not built from tests, benches or scripts.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts|native)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count: a type is knowledge, too.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
