import { expect, it } from 'vitest';
import { containerTool } from '../../../../src/operations/image/container-tool.ts';

it.each([
  [undefined, 'docker'],
  ['', 'docker'],
  ['docker', 'docker'],
  ['podman', 'podman'],
])('CONTAINER_TOOL %j is %s', (name, tool) => {
  expect(containerTool(name)).toBe(tool);
});

it('nothing else is run', () => {
  expect(() => containerTool('rm')).toThrow("CONTAINER_TOOL is 'rm'; docker or podman is needed");
});
