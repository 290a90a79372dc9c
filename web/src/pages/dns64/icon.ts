/** On a grid of 24, like those of ui/icon.tsx. */
export const dns64Icon = {
  path: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18',
};
