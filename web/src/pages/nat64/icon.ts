/** On a grid of 24, like those of ui/icon.tsx. */
export const nat64Icon = {
  path: 'M4 8h13l-3-3M20 16H7l3 3',
};
