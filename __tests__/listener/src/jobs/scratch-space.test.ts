import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScratchFullError, ScratchSpace } from '../../../../listener/src/jobs/scratch-space.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scratch-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const BYTES = Uint8Array.of(1, 2, 3, 4);

test('a file gives back what was written, and has no name while it is open', () => {
  const file = new ScratchSpace({ folder, maxBytes: 100 }).open();
  file.write(BYTES, 4);
  file.write(Uint8Array.of(9, 9, 9, 9), 0);
  const read = new Uint8Array(8);
  file.read(read, 0);
  expect([...read]).toStrictEqual([9, 9, 9, 9, 1, 2, 3, 4]);
  expect(readdirSync(folder)).toStrictEqual([]);
  file.close();
});

test('what was never written is no end of a file to be read', () => {
  const file = new ScratchSpace({ folder, maxBytes: 100 }).open();
  file.write(BYTES, 0);
  expect(() => file.read(new Uint8Array(5), 0)).toThrow('shorter');
  file.close();
});

test('all files of a process share its limit, and a closed one gives its part back, once', () => {
  const space = new ScratchSpace({ folder, maxBytes: 2 ** 20 });
  const [one, other] = [space.open(), space.open()];
  one.write(new Uint8Array(2 ** 20 - 2), 0);
  expect(() => other.write(BYTES, 0)).toThrow(ScratchFullError);
  expect(() => other.write(BYTES, 0)).toThrow(/scratch space in .*: SCRATCH_MIB allows 1 MiB/);
  one.close();
  one.close();
  other.write(BYTES, 0);
  // Written over, it takes no more.
  other.write(BYTES, 0);
  expect(space.usedBytes).toBe(4);
  other.close();
  expect(space.usedBytes).toBe(0);
});

test('nobody else can read a file', () => {
  const script = `
    import { ScratchSpace } from ${JSON.stringify(join(process.cwd(), 'listener/src/jobs/scratch-space.ts'))};
    import { fstatSync, readdirSync, readlinkSync } from 'node:fs';
    process.umask(0);
    const file = new ScratchSpace({ folder: ${JSON.stringify(folder)}, maxBytes: 100 }).open();
    file.write(Uint8Array.of(1), 0);
    for (let fd = 3; fd < 64; fd++) {
      let stats;
      try { stats = fstatSync(fd); } catch { continue; }
      if (stats.isFile() && stats.nlink === 0) console.log((stats.mode & 0o777).toString(8));
    }
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('600\n');
});

test('what dead processes left is taken away, and nothing else', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const name = (of: number) => `file-processing-${of}-${'0a'.repeat(16)}.keys`;
  const kept = [name(process.ppid), `file-processing-${pid}.keys`, 'a.csv'];
  for (const file of [name(pid), name(process.pid), ...kept])
    writeFileSync(join(folder, file), 'x');
  new ScratchSpace({ folder, maxBytes: 100 }).open().close();
  expect(readdirSync(folder).sort()).toStrictEqual(kept.sort());
});
