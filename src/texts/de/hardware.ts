/** Texts about the machine's hardware. */
import type { Dictionary } from '../sentence.ts';

export const hardware: Dictionary = {
  Board: 'Platine',
  Processor: 'Prozessor',
  Memory: 'Arbeitsspeicher',
  'Disk {name}': 'Laufwerk {name}',
  'Interface {name}': 'Schnittstelle {name}',
  'Operating system': 'Betriebssystem',
  'a virtual machine ({kind})': 'eine virtuelle Maschine ({kind})',
  '1 core': '1 Kern',
  '{count} cores': '{count} Kerne',
  wired: 'Kabel',
  wireless: 'Funk',
};
