/**
 * A program of its own: asks the library systeminformation for what of the machine does not change, and writes each part as a
 * line of JSON once it is known. The library runs other programs (lsblk, ip, ...), for some of which it stands still without a
 * limit; so whoever starts this program gives it one (hardware.ts), and what is written by then counts. Serial numbers,
 * hardware addresses and identifiers of the machine do not leave it.
 */
import { blockDevices, cpu, mem, memLayout, networkInterfaces, osInfo, system } from 'systeminformation';
import type { Hardware } from './hardware.ts';

type Parts = { readonly [Part in keyof Hardware]: () => Promise<Hardware[Part]> };

/** What the library says where it knows nothing. */
const NOTHING = new Set(['', '-', 'unknown', 'Computer', 'Not Specified', 'To Be Filled By O.E.M.']);
const text = (value: string | undefined): string | null => {
  const trimmed = value?.replace(/\0/g, '').trim() ?? '';
  return NOTHING.has(trimmed) ? null : trimmed.slice(0, 100);
};
const positive = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;

/** The last one asks for the full name of the host, which waits for a resolver where /etc/hosts does not have it. */
const PARTS: Parts = {
  async memory() {
    const [{ total }, modules] = await Promise.all([mem(), memLayout()]);
    return {
      totalBytes: total,
      // Where nobody tells of modules, the library makes one of all memory.
      modules: modules
        .filter(({ size, type }) => size > 0 && text(type) !== null)
        .map(({ size, type, clockSpeed }) => ({ bytes: size, type: text(type), mhz: positive(clockSpeed) })),
    };
  },
  async processor() {
    const { manufacturer, brand, cores, physicalCores, speedMax, speed } = await cpu();
    return {
      manufacturer: text(manufacturer),
      brand: text(brand),
      cores: positive(cores),
      physicalCores: positive(physicalCores),
      ghz: positive(speedMax) ?? positive(speed),
    };
  },
  async interfaces() {
    const found = await networkInterfaces();
    return [found]
      .flat()
      .filter(({ internal, virtual }) => !internal && !virtual)
      .map(({ iface, type, speed }) => ({ name: iface, kind: text(type), mbps: positive(speed) }));
  },
  async disks() {
    const found = await blockDevices();
    return found
      .filter(({ type, size }) => type === 'disk' && size > 0)
      .map(({ name, model, physical, protocol, size, removable }) => ({
        name,
        model: text(model),
        kind: text(physical),
        bus: text(protocol),
        bytes: size,
        isRemovable: removable,
      }));
  },
  async board() {
    const { manufacturer, model, version, virtual, virtualHost } = await system();
    return {
      manufacturer: text(manufacturer),
      model: text(model),
      version: text(version),
      virtualMachine: virtual ? (text(virtualHost) ?? 'virtual machine') : null,
    };
  },
  async os() {
    const { distro, release, codename, kernel, arch } = await osInfo();
    return {
      distribution: text(distro),
      release: text(release),
      codename: text(codename),
      kernel: text(kernel),
      architecture: text(arch),
    };
  },
};

if (import.meta.main) {
  for (const [part, ask] of Object.entries(PARTS)) {
    const found = await ask().catch(() => null);
    process.stdout.write(`${JSON.stringify([part, found])}\n`);
  }
}
