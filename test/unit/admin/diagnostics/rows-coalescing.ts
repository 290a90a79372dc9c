/** The check for coalesced connections: what servers show over HTTPS, and what is made of it. */
import type { AskHttps, HttpsSeen } from '../../../../src/services/check.ts';
import type { Row } from './check-rows.ts';
import { configOf } from './machine.ts';

const host = (name: string, last: number, hostnames: string[], fields: object = {}) => ({
  name,
  address: `2001:db8:1::${last}`,
  hostnames,
  ssh: false,
  ...fields,
});
const two = [host('web1', 10, ['example.com', 'www.example.com']), host('web2', 20, ['shop.example.com'])];
const both = ['example.com', '*.example.com'];

/** `seen`: by hostname. `status`: of a request for another name. */
const deps = (hosts: object[], seen: Record<string, Partial<HttpsSeen>>, status?: number) => {
  const askHttps: AskHttps = async (_target, hostname, authority) => {
    const shown = seen[hostname];
    if (shown === undefined) return undefined;
    return {
      names: [],
      isHttp2: true,
      ...shown,
      status: authority === undefined || shown.isHttp2 === false ? undefined : status,
    };
  };
  return { config: configOf({ hosts }), askHttps };
};

const check = 'coalescing';
export const COALESCING_ROWS: readonly Row[] = [
  {
    title: 'one server: there is nobody to mistake it for',
    check,
    deps: deps(two.slice(0, 1), { 'example.com': { names: both } }, 200),
    state: 'none',
  },
  {
    title: 'the other server is switched off',
    check,
    deps: deps([two[0], { ...two[1], enabled: false }], { 'example.com': { names: both } }, 200),
    state: 'none',
  },
  {
    title: 'each has its own names',
    check,
    deps: deps(two, { 'example.com': { names: ['example.com', 'www.example.com'] } }, 200),
    state: 'ok',
    what: /cover no name of another server/,
  },
  {
    title: 'a wildcard that covers the other, and pages for everybody',
    check,
    deps: deps(two, { 'example.com': { names: both } }, 200),
    state: 'warn',
    what: /of web1 for example\.com also covers shop\.example\.com of web2.*answered with 200, not 421/,
    remedy: /certificate with its own names only/,
  },
  {
    title: 'the certificate of its second name',
    check,
    deps: deps(two, { 'example.com': { names: ['example.com'] }, 'www.example.com': { names: both } }, 404),
    state: 'warn',
    what: /for www\.example\.com also covers shop\.example\.com of web2.*answered with 404/,
  },
  {
    title: '421: the browser asks again, at the right server',
    check,
    deps: deps(two, { 'example.com': { names: both } }, 421),
    state: 'ok',
    what: /also covers shop\.example\.com of web2, but it answers 421/,
  },
  {
    title: 'without HTTP/2 connections are not shared',
    check,
    deps: deps(two, { 'example.com': { names: both, isHttp2: false } }, 200),
    state: 'ok',
  },
  {
    title: 'it ends the request without an answer',
    check,
    deps: deps(two, { 'example.com': { names: both } }),
    state: 'unknown',
    what: /could not be measured/,
  },
  {
    title: 'a wildcard of the other server',
    check,
    deps: deps(
      [host('web1', 10, ['example.com']), host('web2', 20, ['*.example.com'])],
      { 'example.com': { names: both } },
      200,
    ),
    state: 'warn',
    what: /also covers \*\.example\.com of web2/,
  },
  {
    title: 'a wildcard that is not for names of two labels more',
    check,
    deps: deps(
      [host('web1', 10, ['example.com']), host('web2', 20, ['a.b.example.com'])],
      { 'example.com': { names: both } },
      200,
    ),
    state: 'ok',
  },
  { title: 'nobody answers', check, deps: deps(two, {}), state: 'unknown', what: /does not answer/ },
  {
    title: 'in maintenance it is left alone',
    check,
    deps: deps(
      [
        { ...two[0], maintenance: true },
        { ...two[1], hostnames: ['*.example.org'] },
      ],
      {},
    ),
    state: 'none',
  },
];
