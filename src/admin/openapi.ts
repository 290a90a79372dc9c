/** The OpenAPI 3.1 document of the API, made from the schemas of the routes: what is validated is what is described. */
import { type SchemaNode, isObject } from '../config/json-schema.ts';
import { ErrorAnswer } from './contract/common.ts';
import type { Route } from './route-table.ts';

const CSRF_NOTE = 'With the session cookie, every change needs the header x-csrf-token.';

/** The document, as a plain object. */
export function openApiDocument(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    if (!route.url.startsWith('/api/')) continue;
    const path = route.url.replace(/:([A-Za-z]+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tombolo',
      version,
      description: `The API of the admin page. ${CSRF_NOTE} Every refusal has the shape of ErrorAnswer.`,
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'tombolo_session', description: CSRF_NOTE },
        token: { type: 'http', scheme: 'bearer', description: 'An API token, made by POST /api/tokens' },
      },
      schemas: { ErrorAnswer: described(ErrorAnswer as SchemaNode) },
      responses: {
        Refused: {
          description: 'Refused: the sentence says why',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorAnswer' } } },
        },
      },
    },
  };
}

function operation({ method, url, scope, ownerOnly, presence, schema }: Route): object {
  const { summary, body, querystring, params, response = {} } = schema;
  const parameters = [...parametersOf(params, 'path', url), ...parametersOf(querystring, 'query', url)];
  return {
    ...(summary !== undefined && { summary }),
    operationId: `${method.toLowerCase()}${url.replace(/^\/api/, '').replace(/[/:.-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    description: permission(scope, ownerOnly, presence),
    security: scope === 'open' ? [{}] : [{ session: [] }, ...(ownerOnly ? [] : [{ token: [] }])],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: described(body) } } },
    }),
    responses: {
      ...(Object.keys(response).length === 0 && { 200: { description: 'Done' } }),
      ...Object.fromEntries(
        Object.entries(response).map(([status, answer]) => [
          status,
          { description: 'Done', content: { 'application/json': { schema: described(answer) } } },
        ]),
      ),
      default: { $ref: '#/components/responses/Refused' },
    },
  };
}

function permission(scope: string, ownerOnly: boolean, presence: string | undefined): string {
  if (scope === 'open') return 'Open to whoever may connect.';
  const owner = ownerOnly ? ', and no API token will do: it is for the owner' : '';
  const password =
    presence === undefined
      ? ''
      : ` In a session, the present password is asked for in "${presence.slice(1)}".`;
  return `Needs the scope "${scope}"${owner}.${password}`;
}

/** Parameters from their schema; path parameters without a schema are described as strings. */
function parametersOf(schema: SchemaNode | undefined, place: 'path' | 'query', url: string): object[] {
  const inPath = place === 'path' ? [...url.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => name) : [];
  const properties: Record<string, SchemaNode> = {
    ...Object.fromEntries(inPath.map((name) => [name, { type: 'string' }])),
    ...schema?.properties,
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || schema?.required?.includes(name) === true,
    ...(property.title !== undefined && { description: property.title }),
    schema: described(property),
  }));
}

/** A schema in which our own keyword "expected" becomes a description, which every tool shows. */
function described(schema: SchemaNode): unknown {
  return translate(schema, false);
}

/** `isMap`: the keys are names of properties, not keywords. */
function translate(node: unknown, isMap: boolean): unknown {
  if (Array.isArray(node)) return node.map((each) => translate(each, false));
  if (!isObject(node)) return node;
  const entries = Object.entries(node).map(([key, value]) => {
    if (!isMap && key === 'expected') return ['description', value];
    if (!isMap && (key === 'default' || key === 'const')) return [key, value];
    return [key, translate(value, !isMap && key === 'properties')];
  });
  return Object.fromEntries(entries);
}
