import type { MutantsOf } from './mutant.ts';

const DOOR = 'test/integration/report/door.test.ts';
const CROWD = 'test/hostile/http.test.ts';
const REVIEW = 'test/integration/kube/access-review.test.ts';
const STRANGERS = 'test/integration/shared-storage/strangers.test.ts';

/** Who may ask the agent, for what, and for how long. */
export const DOOR_RULES: readonly MutantsOf[] = [
  {
    file: 'src/lib/shared-answer.ts',
    tests: [STRANGERS, 'test/unit/lib/shared-answer.test.ts'],
    mutants: [
      {
        rule: 'door: a lock that a stranger holds keeps no probe waiting',
        from: 'await within(waitMs, asking);',
        to: 'await asking;',
      },
      {
        rule: 'door: however many ask, the sources are asked once at a time',
        from: 'asking ??= askNow();',
        to: 'asking = askNow();',
      },
      {
        rule: 'door: what the sources said long ago does not count',
        from: 'known(staleMs)?.value',
        to: 'last?.value',
      },
    ],
  },
  {
    file: 'src/lib/errors.ts',
    tests: [STRANGERS],
    mutants: [
      {
        rule: 'log: a problem that lasts is logged once, whatever the number of a descriptor',
        from: '{ cause: error.cause }), { code });',
        to: '{ cause: error }), { code });',
      },
    ],
  },
  {
    file: 'src/http/door.ts',
    tests: [DOOR],
    mutants: [
      { rule: 'door: pages are on loopback', from: "const LOOPBACK = '127.0.0.1';", to: "const LOOPBACK = '0.0.0.0';" },
      {
        rule: 'door: pages are on the network only behind a reviewer',
        from: '...(pagesReviewer === undefined ? [] : pageRoutes(options, guardOf(pagesReviewer, logger))),',
        to: '...pageRoutes(options, guardOf(pagesReviewer, logger)),',
      },
      {
        rule: 'door: who asks for pages over the network is reviewed',
        from: 'pageRoutes(options, guardOf(pagesReviewer, logger))',
        to: 'pageRoutes(options)',
      },
      {
        rule: 'door: who scrapes is reviewed where that is asked for',
        from: 'openRoutes(options, guardOf(options.metricsReviewer, logger))',
        to: 'openRoutes(options)',
      },
      {
        rule: 'door: the name of the agent is checked on the network',
        from: 'createAnswerer(onNetwork, isOurName)',
        to: 'createAnswerer(onNetwork, () => true)',
      },
      {
        rule: 'door: the name of the agent is checked on loopback',
        from: 'createAnswerer(onLoopback, isOurName)',
        to: 'createAnswerer(onLoopback, () => true)',
      },
    ],
  },
  {
    file: 'src/http/guard.ts',
    tests: [DOOR],
    mutants: [
      {
        rule: 'guard: nobody comes in without a token',
        from: 'if (token === undefined) return',
        to: 'if (token === undefined) return undefined;\n    if (false) return',
      },
      {
        rule: 'guard: nobody comes in with an unknown token',
        from: "if (verdict === 'unauthenticated') return",
        to: "if (verdict === 'unauthenticated') return undefined;\n      if (false) return",
      },
      { rule: 'guard: nobody comes in without the right', from: "verdict === 'allowed'\n", to: "verdict !== 'unauthenticated'\n" },
      {
        rule: 'guard: nobody comes in while the API server cannot be asked',
        from: 'onFailure(error);\n      return',
        to: 'onFailure(error);\n      return undefined;\n      return',
      },
    ],
  },
  {
    file: 'src/http/answers.ts',
    tests: [DOOR],
    mutants: [
      { rule: 'door: a guard is asked before an answer', from: '(await route.guard?.(authorization)) ?? ', to: '' },
      {
        rule: 'door: nobody is answered who calls another name',
        from: 'if (!isOurName(host))\n',
        to: 'if (!isOurName(host) && path === null)\n',
      },
    ],
  },
  {
    file: 'src/http/host-names.ts',
    tests: [DOOR],
    mutants: [
      {
        rule: 'host names: a name is compared as a whole',
        from: 'known.has(plain.toLowerCase()',
        to: '[...known].some((name) => plain.startsWith(name)) || known.has(plain.toLowerCase()',
      },
      { rule: 'host names: a number that only looks like an address is a name', from: 'isIP(plain) === 4', to: '/^[0-9]/.test(plain)' },
      { rule: 'host names: what is bracketed is an address', from: 'isIP(bracketed) === 6', to: 'true' },
      { rule: 'host names: nothing follows the port', from: '(?::\\d{1,5})?$/', to: '(?::\\d{1,5})?/' },
    ],
  },
  {
    file: 'src/http/streams.ts',
    tests: [DOOR],
    mutants: [
      { rule: 'streams: a reader that takes too little is cut off', from: 'if (reader.bytes < windowBytes) reader.cut.abort();', to: '' },
      { rule: 'streams: what a reader takes counts for one window', from: 'reader.bytes = 0;\n  }, windowMs', to: '}, windowMs' },
      { rule: 'streams: no more readers than there are places', from: 'readers.size >= limits.most &&', to: 'false &&' },
      { rule: 'streams: an idle reader gives way', from: 'idlest.cut.abort();\n  return true;', to: 'return false;' },
    ],
  },
  {
    file: 'src/http/server.ts',
    tests: [CROWD, DOOR],
    mutants: [
      { rule: 'door: a request has one Host', from: '?.length ?? 0) > 1;', to: '?.length ?? 0) > 2;', tests: [DOOR] },
      {
        rule: 'server: the oldest of too many connections is cut',
        from: 'if (open.size > maxConnections) oldest?.destroy();',
        to: 'void oldest;',
      },
      {
        rule: 'server: one request of a connection is answered at a time',
        from: 'if (busy.has(socket)) {',
        to: 'if (busy.has(socket) && false) {',
        tests: [DOOR],
      },
      {
        rule: 'server: an answer that nobody takes is cut off',
        from: 'setTimeout(() => response.destroy(), limits.answerTimeoutMs)',
        to: 'setTimeout(() => undefined, limits.answerTimeoutMs)',
        tests: [DOOR],
      },
    ],
  },
  {
    file: 'src/kube/access-review.ts',
    tests: [REVIEW],
    mutants: [
      {
        rule: 'review: its holder must have the right',
        from: "at(may, 'status', 'allowed') === true ? 'allowed' : 'forbidden'",
        to: "'allowed'",
      },
      { rule: 'review: an answer counts for a minute', from: 'clock.now().monotonicMs < known.untilMs', to: 'known.untilMs > 0' },
      { rule: 'review: few are asked about at once', from: 'if (asking.size >= MOST_AT_ONCE) throw', to: 'if (asking.size > 1e9) throw' },
    ],
  },
];
