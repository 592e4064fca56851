import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Starts Chromium: the one that CHROMIUM names, else one on the path. @throws Error that says how to get one */
export function startChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? onPath('chromium') ?? onPath('google-chrome');
  if (executablePath === undefined) {
    throw new Error(
      "these tests need Chromium: install Debian's package chromium, or set CHROMIUM to the program",
    );
  }
  // Chromium's sandbox does not start as root, as which containers run.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}

function onPath(name: string): string | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
