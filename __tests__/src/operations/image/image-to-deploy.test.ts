import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import {
  containerImageFile,
  writeContainerImage,
} from '../../../../src/operations/image/image-to-deploy.ts';
import { loadEnvironment } from '../../../../src/settings/environment.ts';
import { temporaryRoot } from '../../../support/manage.ts';

const ENVIRONMENT = 'etl-playground';
const FILE = containerImageFile(ENVIRONMENT);
const IMAGE = `r.example.gov/app@sha256:${'d'.repeat(64)}`;

it('the settings take the image that was written', async () => {
  const root = temporaryRoot();
  expect(await writeContainerImage(root, ENVIRONMENT, IMAGE)).toBe(true);
  expect(loadEnvironment(root, ENVIRONMENT).fileProcessing.image).toBe(IMAGE);
});

it('a second time changes nothing', async () => {
  const root = temporaryRoot();
  await writeContainerImage(root, ENVIRONMENT, IMAGE);
  const { ino, mtimeMs } = statSync(join(root, FILE));
  expect(await writeContainerImage(root, ENVIRONMENT, IMAGE)).toBe(false);
  expect(statSync(join(root, FILE))).toMatchObject({ ino, mtimeMs });
});

it('another image takes the place of the one before, by a file of its own', async () => {
  const root = temporaryRoot();
  await writeContainerImage(root, ENVIRONMENT, IMAGE);
  const { ino } = statSync(join(root, FILE));
  await writeContainerImage(root, ENVIRONMENT, 'r.example.gov/app:2');
  expect(readFileSync(join(root, FILE), 'utf8')).toBe('r.example.gov/app:2\n');
  expect(statSync(join(root, FILE)).ino).not.toBe(ino);
  expect(readdirSync(dirname(join(root, FILE)))).toHaveLength(3);
});

it('an environment that is not there is made by nobody', async () => {
  const root = temporaryRoot();
  await expect(writeContainerImage(root, 'nowhere', IMAGE)).rejects.toThrow('ENOENT');
  expect(existsSync(join(root, dirname(containerImageFile('nowhere'))))).toBe(false);
});
