/** The API of the appliance that served this page. */
import { signal } from '@preact/signals';
import type { ErrorAnswer } from './contract.ts';
import { text } from './locale.ts';

const REQUEST_TIMEOUT_MS = 30_000;

/** Proves to the API that a change comes from this page; taken from the session. */
export const csrfToken = signal<string | undefined>(undefined);
/** Increases each time the API reports that there is no session (any more), or may have changed the session without reporting it. */
export const signedOutCount = signal(0);

/** A refusal by the API; `status` is 0 when there was no response at all. */
export class ApiProblem extends Error {
  readonly status: number;
  /** The error code for programs. */
  readonly word: string;
  readonly problems: NonNullable<ErrorAnswer['problems']>;
  /** The whole response: some refusals contain more. */
  readonly answer: unknown;

  constructor(status: number, answer: ErrorAnswer) {
    super(answer.message);
    this.status = status;
    this.word = answer.error;
    this.problems = answer.problems ?? [];
    this.answer = answer;
  }
}

/** The error, for people. */
export const messageOf = (error: unknown): string =>
  error instanceof ApiProblem
    ? (error.problems[0]?.message ?? error.message)
    : error instanceof Error
      ? error.message
      : String(error);

async function call(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && csrfToken.value !== undefined) headers['x-csrf-token'] = csrfToken.value;
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await fetch(`/api/${path}`, {
    method,
    headers,
    cache: 'no-store',
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    const message = text('No answer from the appliance ({why}).', { why: messageOf(error) });
    throw new ApiProblem(0, { error: 'no-answer', message });
  });
  if (response.ok) return response;
  const answered = await response.text();
  let answer: ErrorAnswer;
  try {
    answer = JSON.parse(answered) as ErrorAnswer;
  } catch {
    answer = {
      error: 'bad-answer',
      message: text('The appliance answered {status}.', { status: response.status }),
    };
  }
  // A change that is active but could not be stored, such as a new password on a full disk, has still changed the session.
  if ((response.status === 401 && path !== 'session') || answer.error === 'not-kept') signedOutCount.value++;
  throw new ApiProblem(response.status, answer);
}

async function json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await call(method, path, body, signal);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Each throws ApiProblem; callers name the response type from the contract. */
export const api = {
  get: <T>(path: string, signal?: AbortSignal) => json<T>('GET', path, undefined, signal),
  post: <T>(path: string, body: unknown = {}, signal?: AbortSignal) => json<T>('POST', path, body, signal),
  put: <T>(path: string, body: unknown) => json<T>('PUT', path, body),
  delete: <T>(path: string, body?: unknown) => json<T>('DELETE', path, body),
  /** For files. */
  fetch: (method: string, path: string, body?: unknown) => call(method, path, body),
};

/** "?a=1&b=2", without empty and undefined values. */
export function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** Downloads a file of the API with the browser. */
export async function download(response: Response, fallbackName: string): Promise<void> {
  const header = response.headers.get('content-disposition') ?? '';
  const name = /filename="?([^";]+)"?/.exec(header)?.[1] ?? fallbackName;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
