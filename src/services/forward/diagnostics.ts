/** The forwarder's part of the diagnostics: the sshd of each server that has a port. */
import { addressesOf } from '../../config/host-services.ts';
import type { ServiceDiagnostics } from '../check.ts';

export const diagnostics: ServiceDiagnostics = {
  probes(_config, host) {
    const { ssh, enabled } = host;
    if (ssh === false || !enabled) return [];
    return addressesOf(host).map((address) => ({
      service: 'ssh',
      address,
      port: ssh.targetPort,
      expects: 'ssh',
      hostnames: [],
      // No PROXY header is sent.
      clientAddress: 'none',
    }));
  },
};
