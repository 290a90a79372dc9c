/** The forwarder's part of the configuration. */
import { ConnectionLimits, ListenAddresses, strict, text } from '../../config/schema-values.ts';
import { type Static, Type } from '../../runtime/shape.ts';

export const ForwardSchema = Type.Object(
  {
    listen: ListenAddresses('Addresses that the forwarded ports bind', ['0.0.0.0']),
    sshPorts: text('port-range', 'Ports to choose SSH ports from', 'a port range such as 22001-22999', {
      default: '22001-22999',
    }),
    limits: ConnectionLimits(4096),
  },
  { ...strict, title: 'Port forwarder', expected: 'an object', default: {} },
);

export type ForwardConfig = Static<typeof ForwardSchema>;
