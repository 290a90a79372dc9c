/**
 * All routes of the API. Every route says who may use it, in `config.scope`. Registering a route without it throws, so nothing
 * is open by accident. The OpenAPI document and the security tests use this table.
 */
import type { Text } from '../texts/text.ts';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { SchemaNode } from '../config/json-schema.ts';
import type { Principal } from './auth/principal.ts';
import type { Scope } from './contract/common.ts';

/** "open": every client that may connect, signed in or not. */
export type RouteScope = Scope | 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. Not optional: see above. */
    scope?: RouteScope;
    /** Whether the request goes into the audit log. Default: if the method is neither GET nor HEAD. */
    audit?: boolean;
    /** Not for API tokens, whatever their scope: for how the owner signs in. A stolen token must not give lasting access. */
    ownerOnly?: boolean;
    /**
     * A session must send the password again. This is the field of the body that holds it, as a JSON pointer ("/password"). For
     * anything that outlives a session: a stolen session must not give lasting access.
     */
    presence?: `/${string}`;
  }
  interface FastifySchema {
    /** One sentence for the OpenAPI document and the audit log: "Signs in". */
    summary?: string;
  }
  interface FastifyRequest {
    /** Who sent the request; null on open routes if not signed in. */
    principal: Principal | null;
    /** For the audit log: the object of a change, a name or a revision. The parameter "id" or "name" if not set. */
    auditTarget: Text | string | null;
    /** For the audit log: why a client was refused. */
    auditRefusal: Text | null;
  }
  interface FastifyInstance {
    readonly routeTable: readonly Route[];
  }
}

export interface RouteSchema {
  readonly summary?: string;
  readonly body?: SchemaNode;
  readonly querystring?: SchemaNode;
  readonly params?: SchemaNode;
  readonly response?: Readonly<Record<string, SchemaNode>>;
}

export interface Route {
  readonly method: string;
  /** With its prefix: "/api/hosts/:name". */
  readonly url: string;
  readonly scope: RouteScope;
  readonly ownerOnly: boolean;
  /** Where the body holds the password that a session must send; undefined if none is needed. */
  readonly presence: string | undefined;
  readonly isAudited: boolean;
  readonly schema: RouteSchema;
}

const SCOPES: ReadonlySet<unknown> = new Set(['open', 'read', 'configure', 'system']);

/** Keeps the table of `app`; from now on, registering a route without a scope throws. */
export function keepRouteTable(app: FastifyInstance): void {
  const table: Route[] = [];
  app.decorate('routeTable', table);
  app.addHook('onRoute', (route: RouteOptions) => {
    const scope = route.config?.scope;
    if (scope === undefined || !SCOPES.has(scope)) {
      const text = `${String(route.method)} ${route.url}: config.scope is "${scope}"`;
      throw new Error(`could not register ${text}; expected "open", "read", "configure" or "system"`);
    }
    const presence = route.config?.presence;
    const { properties = {} } = ((route.schema as RouteSchema | undefined)?.body ?? {}) as SchemaNode;
    if (presence !== undefined && properties[presence.slice(1)]?.writeOnly !== true) {
      const text = `${String(route.method)} ${route.url}: config.presence is "${presence}"`;
      throw new Error(`could not register ${text}; expected a "writeOnly" field of the body`);
    }
    for (const method of [route.method].flat()) {
      if (method === 'HEAD') continue;
      const ownerOnly = route.config?.ownerOnly === true;
      const isAudited = route.config?.audit ?? method !== 'GET';
      const schema = (route.schema ?? {}) as RouteSchema;
      table.push({ method, url: route.url, scope, ownerOnly, presence, isAudited, schema });
    }
  });
}
