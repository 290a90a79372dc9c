/** The forwarder's part of the diagnostics: the sshd of each server that has a port. */
import type { ServiceDiagnostics } from '../check.ts';

export const diagnostics: ServiceDiagnostics = {
  probes: (_config, { ssh, address, enabled }) =>
    ssh === false || !enabled
      ? []
      : [
          {
            service: 'ssh',
            address,
            port: ssh.targetPort,
            expects: 'ssh',
            hostnames: [],
            // No PROXY header is sent.
            clientAddress: 'none',
          },
        ],
};
