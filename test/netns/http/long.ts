/** Whether the long form of a test is wanted: `sh tools/node.sh test/run.ts http-long`. CI runs the short forms. */
export const isLong = process.env['TOMBOLO_LONG'] === '1';
