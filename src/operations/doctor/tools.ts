import type { OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';
import { terraformProgram } from '../terraform/terraform.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/** Oldest Terraform, and OpenTofu, that knows write-only arguments and ephemeral variables (`required_version`). */
const TERRAFORM = '1.11.0';

/** A version of Kubernetes that kubectl has to fit. */
export interface ServerVersion {
  readonly version: string;
  /** Whose it is: `the cluster has`. */
  readonly of: string;
}

/**
 * Looks whether the programs that commands drive are there, and new enough.
 *
 * @param server - `undefined` where nobody knows it
 */
export function toolDiagnoses(
  context: OperationContext,
  server: ServerVersion | undefined,
): readonly Promise<Diagnosis>[] {
  const output = async (program: string, parameters: readonly string[]) => {
    const { code, stdout, stderr } = await context.run(program, parameters);
    if (code !== 0)
      throw new OperationError(`${program} ${parameters.join(' ')}: ${stderr.trim()}`);
    return stdout;
  };
  const terraform = terraformProgram(context.env);
  return [
    diagnose('node', async () => ({ state: 'ok', found: process.version })),
    diagnose(terraform, async () => judgeTerraform(await output(terraform, ['version', '-json']))),
    diagnose('aws', async () => judgeAws(await output('aws', ['--version']))),
    diagnose('kubectl', async () =>
      judgeKubectl(await output('kubectl', ['version', '--client', '-o', 'json']), server),
    ),
    containerTool(context),
  ];
}

/** Judges `terraform version -json`; OpenTofu's answer has the same form. */
export function judgeTerraform(json: string): Omit<Diagnosis, 'name'> {
  const { terraform_version: found = '' } = parsed<{ terraform_version?: string }>(json);
  return atLeast(found, TERRAFORM)
    ? { state: 'ok', found }
    : { state: 'red', found, next: `install Terraform or OpenTofu ${TERRAFORM} or newer` };
}

/** Judges `aws --version`: the first version cannot sign in by SSO. */
export function judgeAws(text: string): Omit<Diagnosis, 'name'> {
  const found = /aws-cli\/(\S+)/.exec(text)?.[1] ?? text.trim();
  return atLeast(found, '2.0.0')
    ? { state: 'ok', found }
    : {
        state: 'warn',
        found,
        next: 'install version 2 of the AWS CLI: version 1 does not support SSO',
      };
}

/** Judges `kubectl version`: one minor version away from the cluster is supported (Kubernetes, "Version Skew Policy"). */
export function judgeKubectl(
  json: string,
  server: ServerVersion | undefined,
): Omit<Diagnosis, 'name'> {
  const { clientVersion } = parsed<{ clientVersion?: { gitVersion?: string } }>(json);
  const gitVersion = clientVersion?.gitVersion ?? '';
  const minor = (version: string) => Number(/^v?1\.(\d+)/.exec(version)?.[1]);
  if (server === undefined || Math.abs(minor(gitVersion) - minor(server.version)) <= 1) {
    return { state: 'ok', found: gitVersion };
  }
  return {
    state: 'warn',
    found: `${gitVersion}, but ${server.of} ${server.version}`,
    next: `install kubectl ${server.version}`,
  };
}

/** An image is built elsewhere, in CI say, where there is no such tool. */
function containerTool(context: OperationContext): Promise<Diagnosis> {
  const tool = context.env.CONTAINER_TOOL || 'docker';
  const parameters = tool === 'podman' ? ['version'] : ['buildx', 'version'];
  const next = `only ecr-put and update-image need it: install docker with buildx, or podman (CONTAINER_TOOL=podman)`;
  return diagnose(tool, async () => {
    try {
      const { code, stdout, stderr } = await context.run(tool, parameters);
      const [found = ''] = (code === 0 ? stdout : stderr).trim().split('\n');
      return code === 0 ? { state: 'ok', found } : { state: 'warn', found, next };
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return { state: 'warn', found: error.message, next };
    }
  });
}

function parsed<T>(json: string): T {
  try {
    return JSON.parse(json) as T;
  } catch (cause) {
    throw new OperationError(`its answer is not JSON: ${json.slice(0, 80)}`, { cause });
  }
}

/** Whether a version `a.b.c` is at least another. */
function atLeast(version: string, least: string): boolean {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}
