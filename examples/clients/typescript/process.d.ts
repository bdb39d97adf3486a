// What the example uses of Node.js.
declare const process: { argv: string[]; env: Record<string, string | undefined> };
