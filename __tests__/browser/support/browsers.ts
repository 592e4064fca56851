import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import puppeteer, { type Browser as Firefox } from 'puppeteer-core';

/** Starts Chromium: the one that CHROMIUM names, else one on the path. @throws Error that says how to get one */
export function startChromium(): Promise<Browser> {
  const executablePath = program('CHROMIUM', ['chromium', 'google-chrome'], 'Chromium', 'chromium');
  // Chromium's sandbox does not start as root, as which containers run.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}

/**
 * Starts Firefox: the one that FIREFOX names, else one on the path. Puppeteer drives a Firefox as it is released (WebDriver
 * BiDi), Playwright only one of its own.
 *
 * @throws Error that says how to get one
 */
export function startFirefox(): Promise<Firefox> {
  const executablePath = program('FIREFOX', ['firefox-esr', 'firefox'], 'Firefox', 'firefox-esr');
  return puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
}

function program(setting: string, names: readonly string[], title: string, debian: string): string {
  const found = process.env[setting] ?? names.map(onPath).find((path) => path !== undefined);
  if (found !== undefined) return found;
  throw new Error(
    `these tests need ${title}: install Debian's package ${debian}, or set ${setting} to the program`,
  );
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
