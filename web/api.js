/** The API of the appliance that served this page. */

/** @import { ErrorAnswer } from '../src/admin/contract.ts' */

const TOKEN_KEY = 'tombolo-token';
const REQUEST_TIMEOUT_MS = 15_000;

/** Kept for this tab only, and sent nowhere but in the Authorization header. */
export const session = {
  get token() {
    return sessionStorage.getItem(TOKEN_KEY);
  },
  signIn: (/** @type {string} */ token) => sessionStorage.setItem(TOKEN_KEY, token),
  signOut: () => sessionStorage.removeItem(TOKEN_KEY),
};

/** A refusal of the API; `status` 0 when there was no answer at all. */
export class ApiProblem extends Error {
  /** @param {number} status @param {ErrorAnswer} answer */
  constructor(status, answer) {
    super(answer.message);
    this.status = status;
    this.problems = answer.problems ?? [];
  }
}

/**
 * @param {string} path below /api
 * @param {{ method?: string, body?: string, headers?: Record<string, string> }} options
 * @returns {Promise<any>} the answer; callers name its type from the contract
 * @throws {ApiProblem}
 */
export async function request(path, { method = 'GET', body, headers = {} } = {}) {
  /** @type {RequestInit} */
  const init = {
    method,
    headers: { authorization: `Bearer ${session.token}`, ...headers },
    cache: 'no-store',
  };
  if (body !== undefined) {
    init.body = body;
    init.headers = { ...init.headers, 'content-type': 'application/json' };
  }
  let response;
  let answer;
  try {
    response = await fetch(`/api${path}`, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    answer = await response.json();
  } catch (cause) {
    const message = `No answer from the appliance (${cause instanceof Error ? cause.message : cause}).`;
    throw new ApiProblem(0, { error: 'no-answer', message });
  }
  if (!response.ok) throw new ApiProblem(response.status, answer);
  return answer;
}
