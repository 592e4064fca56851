/** `npm run build:webassembly` writes quality/wasm-module.ts anew; a test holds that file to what it would write. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from 'assemblyscript/asc';

const SOURCE = 'rows.ts';
const OUTPUT = join(import.meta.dirname, '../wasm-module.ts');

/** No object is ever made, and the memory is the caller's. */
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--noExportMemory'];

/**
 * The text of quality/wasm-module.ts, the module in Base64: so the engine needs no file beside its code.
 *
 * @throws {Error} with what is wrong with the source
 */
export async function wasmModuleText(): Promise<string> {
  let binary = new Uint8Array(0);
  const { error, stderr } = await main([SOURCE, ...OPTIONS, '--outFile', 'rows.wasm'], {
    readFile: (name, base) => readSource(join(base, name)),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = Uint8Array.from(contents);
    },
    listFiles: () => [],
  });
  if (error !== null) throw new Error(`${SOURCE} cannot be compiled: ${stderr.toString()}`);
  return [
    '/** The loop of assembly/rows.ts in Base64, as `npm run build:webassembly` writes it. */',
    'export const ROWS_WASM =',
    `  '${Buffer.from(binary).toString('base64')}';`,
    '',
  ].join('\n');
}

function readSource(name: string): string | null {
  try {
    return readFileSync(join(import.meta.dirname, name), 'utf8');
  } catch {
    // The compiler asks for each place where a file may be.
    return null;
  }
}

if (import.meta.main) writeFileSync(OUTPUT, await wasmModuleText());
