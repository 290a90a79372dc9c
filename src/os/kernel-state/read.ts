/** Reads back what is wanted. Each family is listed once, whatever the number of items. */
import { NETLINK_ROUTE, openNetlink } from '../netlink.ts';
import type { FoundLink, FoundState, KernelItem } from './items.ts';
import { type NftState, openNftState } from './nft-state.ts';
import { readBlackholes, readLinks, readOwnLocalRoutes, readRoutes, readRules } from './rtnetlink.ts';

export interface KernelReader extends Disposable {
  readonly nft: NftState;
  links(): ReadonlyMap<number, FoundLink>;
  /** Prefixes of the local routes that we have made, or a process of ours before us. */
  ownLocalRoutes(): string[];
  /**
   * The current state of the items. `sysctl` reads a kernel parameter (`sysctlReader`); `programs`: the devices on which one of
   * our programs runs.
   */
  state(
    items: readonly KernelItem[],
    links: ReadonlyMap<number, FoundLink>,
    sysctl: (name: string) => string | undefined,
    programs: ReadonlySet<string>,
  ): FoundState;
}

/** In the network namespace of the process. Throws SystemCallError when that is not allowed. */
export function openKernelReader(): KernelReader {
  using cleanUp = new DisposableStack();
  const socket = cleanUp.use(openNetlink(NETLINK_ROUTE));
  const nft = cleanUp.use(openNftState());
  const resources = cleanUp.move();
  return {
    nft,
    links: () => readLinks(socket),
    ownLocalRoutes: () => readOwnLocalRoutes(socket),
    state(items, links, sysctl, programs) {
      const of = <Kind extends KernelItem['kind']>(kind: Kind) =>
        items.filter((item): item is Extract<KernelItem, { kind: Kind }> => item.kind === kind);
      const indexOf = (device: string) => [...links].find(([, { name }]) => name === device)?.[0];
      const devices = new Set(of('route').flatMap(({ device }) => device ?? []));
      const blackholes = of('route').filter(({ device }) => device === null);
      const hasRules = of('rule').length + of('rule-order').length > 0;
      return {
        links,
        routes: new Set([
          ...[...devices].flatMap((device) => {
            const index = indexOf(device);
            return index === undefined ? [] : [...readRoutes(socket, index, device)];
          }),
          ...blackholes.flatMap(({ family, table }) => readBlackholes(socket, family, table)),
        ]),
        rules: hasRules ? readRules(socket) : [],
        sysctls: new Map(
          of('sysctl').flatMap(({ name }) => {
            const value = sysctl(name);
            return value === undefined ? [] : [[name, value] as const];
          }),
        ),
        tables: new Map(
          of('nftables').flatMap(({ table }) => {
            const found = nft.look(table);
            if (found === 'missing') return [];
            return [[table, found === 'changed' ? undefined : found.body] as const];
          }),
        ),
        programs,
      };
    },
    [Symbol.dispose]: () => resources.dispose(),
  };
}
