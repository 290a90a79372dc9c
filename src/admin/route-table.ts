/**
 * What the API consists of. Every route says who may use it, in `config.scope`; one that does not is refused when it is
 * registered, so nothing is open by oversight. The table feeds the OpenAPI document and the security tests.
 */
import type { Text } from '../texts/text.ts';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { SchemaNode } from '../config/json-schema.ts';
import type { Principal } from './auth/principal.ts';
import type { Scope } from './contract/common.ts';

/** "open": whoever may connect, signed in or not. */
export type RouteScope = Scope | 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. Not optional: see above. */
    scope?: RouteScope;
    /** Whether it is written to the audit log. Left out: when its method is neither GET nor HEAD. */
    audit?: boolean;
    /**
     * Not for API tokens, whatever their scope: how its owner signs in. Who steals a token must not be able to keep what
     * it opens.
     */
    ownerOnly?: boolean;
    /**
     * In a session the password is asked for, once more: the field of the body that has it, as a JSON pointer ("/password").
     * For what outlives a session: who steals one must not be able to keep what it opens.
     */
    presence?: `/${string}`;
  }
  interface FastifySchema {
    /** One sentence for the OpenAPI document and the audit log: "Signs in". */
    summary?: string;
  }
  interface FastifyRequest {
    /** Who asks; null on open routes for who is not signed in. */
    principal: Principal | null;
    /** For the audit log: what a change was done to, a name or a revision. The parameter "id" or "name" if not set. */
    auditTarget: Text | string | null;
    /** For the audit log: why somebody was not let in. */
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
  /** Where the body has the password, which a session must send; undefined when none is asked for. */
  readonly presence: string | undefined;
  readonly isAudited: boolean;
  readonly schema: RouteSchema;
}

const SCOPES: ReadonlySet<unknown> = new Set(['open', 'read', 'configure', 'system']);

/** Keeps the table of `app`; from now on a route without a scope throws when it is registered. */
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
