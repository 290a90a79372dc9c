import type { Parameters } from '../../core/registry.ts';
import { parameter, path } from '../../core/router.ts';
import { EditServer } from './edit.tsx';
import { ServerList } from './list.tsx';
import { Server } from './server.tsx';

export default function Servers({ name }: Parameters) {
  if (path.value === '/add-server') return <EditServer />;
  if (name === undefined) return <ServerList />;
  return parameter('edit') === '' ? <Server name={name} /> : <EditServer name={name} />;
}
