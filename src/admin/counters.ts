/** The counters of the admin server. */
export const ADMIN_COUNTERS = {
  requests: 'Requests that came from an allowed address',
  'refused-source':
    'Connections and requests from an address that admin.allow does not list; closed or answered 403',
  'displaced-connection': 'Connections closed at the limit for another client: their clients had the most',
  'refused-host':
    'Requests whose Host is neither an address, localhost nor one of admin.hostnames (DNS rebinding); 421',
  'refused-origin': 'Changes that a page of another origin requested; 403',
  'refused-token': 'Requests with a wrong token; 401',
  'refused-password': 'Sign-ins with a wrong password or code; 401',
  'refused-csrf': 'Changes in a session that came without its CSRF token; 403',
  'refused-scope': 'Requests of a token whose scope does not allow them; 403',
  'refused-claim': 'First passwords from another network or after the claim window; 403',
  'refused-plain': 'Changes over plain HTTP from another machine while HTTPS is on; 403',
  'refused-back-off': 'Requests with a wrong token, and sign-ins, while their source had to wait; 429',
  'refused-rate': 'Requests beyond the rate that one source may have; 429',
  'config-changed': 'Changes of the configuration through this API',
  'config-refused': 'Configurations that this API refused',
  'internal-error': 'Requests that ended in an unexpected error; 500, the log has the reason',
} as const;
