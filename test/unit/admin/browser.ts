/** A simulated browser: keeps cookies and the CSRF token, and sends them back. */
import type { FastifyInstance } from 'fastify';
import { CSRF_HEADER } from '../../../src/admin/contract/auth.ts';

export const PASSWORD = 'correct horse battery';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape it reads.
  readonly json: () => Record<string, any>;
}

export interface Browser {
  readonly cookies: Map<string, string>;
  csrf: string | undefined;
  get(path: string, headers?: object): Promise<Answer>;
  send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object, headers?: object): Promise<Answer>;
}

/** A browser without cookies, at an address. Over plain HTTP only this machine itself is served. */
export function newBrowser(app: FastifyInstance, remoteAddress = '127.0.0.1'): Browser {
  const cookies = new Map<string, string>();
  const browser: Browser = {
    cookies,
    csrf: undefined,
    get: (path, headers) => ask('GET', path, undefined, headers),
    send: (method, path, body, headers) => ask(method, path, body, headers),
  };

  async function ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: object | undefined,
    headers: object = {},
  ): Promise<Answer> {
    const response = await app.inject({
      method,
      url: `/api/${path}`,
      remoteAddress,
      headers: {
        host: 'localhost:8064',
        'user-agent': 'Test/1.0',
        ...(cookies.size > 0 && {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        }),
        ...(browser.csrf !== undefined && method !== 'GET' && { [CSRF_HEADER]: browser.csrf }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    });
    for (const line of [response.headers['set-cookie'] ?? []].flat()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/; Max-Age=0/.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const answer = {
      status: response.statusCode,
      headers: response.headers,
      body: response.body,
      json: () => JSON.parse(response.body),
    };
    if (response.headers['content-type']?.toString().startsWith('application/json')) {
      const { csrfToken, state } = answer.json();
      if (state !== undefined) browser.csrf = csrfToken;
    }
    return answer;
  }
  return browser;
}
