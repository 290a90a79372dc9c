/** Parts of a page, each with its own address: ?view=NAME. */
import { parameter, place } from '../core/router.ts';

export interface Tab<Name extends string> {
  readonly name: Name;
  readonly title: string;
}

/** The tab in the address, otherwise the first. */
export function currentTab<Name extends string>(tabs: readonly Tab<Name>[]): Name {
  const wanted = parameter('view');
  return tabs.find(({ name }) => name === wanted)?.name ?? tabs[0].name;
}

export function Tabs<Name extends string>({ tabs, label }: { tabs: readonly Tab<Name>[]; label: string }) {
  const current = currentTab(tabs);
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ name, title }, index) => (
        <a
          key={name}
          href={`${place.value.pathname}${index === 0 ? '' : `?view=${name}`}`}
          aria-current={name === current ? 'page' : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}
