/**
 * Fails when files of src/ or web/ import each other in a circle, types included; what is loaded later by `import()` does not
 * count.
 */
import { readImports } from './imports.ts';

const imports = readImports(false);

/** Strongly connected components (Tarjan). */
const order = new Map<string, number>();
const lowest = new Map<string, number>();
const stack: string[] = [];
const circles: string[][] = [];
function visit(file: string): void {
  order.set(file, order.size);
  lowest.set(file, order.get(file)!);
  stack.push(file);
  for (const other of imports.get(file) ?? []) {
    if (!order.has(other)) visit(other);
    if (stack.includes(other)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(other)!));
  }
  if (lowest.get(file) !== order.get(file)) return;
  const circle = stack.splice(stack.indexOf(file));
  if (circle.length > 1) circles.push(circle);
}
for (const file of imports.keys()) if (!order.has(file)) visit(file);

console.log(
  circles.length === 0 ? '✔ import circles: none' : `✖ import circles: ${circles.flat().length} files`,
);
for (const circle of circles) {
  for (const file of circle) {
    const inside = (imports.get(file) ?? []).filter((other) => circle.includes(other));
    console.log(`    ${file} -> ${inside.join(', ')}`);
  }
}
process.exitCode = circles.length === 0 ? 0 : 1;
