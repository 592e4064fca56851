import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BENCHMARKS, benchmarkList, benchmarkRequest } from '../../bench/main.ts';
import { ROOT } from '../support/run-main.ts';

describe('npm run bench', () => {
  it('measures everything without a name', () => {
    expect(benchmarkRequest([])).toEqual({ names: Object.keys(BENCHMARKS), options: [] });
  });

  it('measures what is named, in that order', () => {
    expect(benchmarkRequest(['quality', 'intake'])).toEqual({
      names: ['quality', 'intake'],
      options: [],
    });
  });

  it('hands options to the one that is named', () => {
    expect(benchmarkRequest(['intake', '--rounds', '5'])).toEqual({
      names: ['intake'],
      options: ['--rounds', '5'],
    });
  });

  it('refuses options of none, and of several', () => {
    expect(() => benchmarkRequest(['--rounds', '5'])).toThrow("'--rounds' is an option of one");
    expect(() => benchmarkRequest(['intake', 'drain', '--rounds', '5'])).toThrow('name it');
  });

  it('refuses an unknown name and says which are known', () => {
    expect(() => benchmarkRequest(['intake', 'speed'])).toThrow(
      "unknown benchmark 'speed': known are synth, start, intake, drain, load, pages, rules, storage, quality",
    );
  });

  it('lists each with what it measures, and has a program for it', () => {
    expect(benchmarkRequest(['--list'])).toEqual({ list: true });
    for (const [name, { file, measures }] of Object.entries(BENCHMARKS)) {
      expect(benchmarkList()).toMatch(new RegExp(`^${name} +${measures}$`, 'm'));
      expect(existsSync(join(ROOT, 'bench', file))).toBe(true);
    }
  });
});
