/** A QR code, drawn in the page: its content never leaves the page. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { text } from '../core/locale.ts';

const QUIET = 2;

export function Qr({ value, what }: { value: string; what: string }) {
  const drawing = useSignal<{ size: number; path: string } | undefined>(undefined);
  useEffect(() => {
    void import('uqr').then(({ encode }) => {
      const { size, data } = encode(value, { border: QUIET });
      const path = data
        .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : [])))
        .join('');
      drawing.value = { size, path };
    });
  }, [value]);
  if (drawing.value === undefined) return <div class="qr" />;
  const { size, path } = drawing.value;
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={text('QR code of {what}', { what })}
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} class="qr-light" />
      <path d={path} class="qr-dark" />
    </svg>
  );
}
