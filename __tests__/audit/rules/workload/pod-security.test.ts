import { POD_SECURITY_RULES } from '../../../../audit/rules/workload/pod-security.ts';
import { describeRules } from '../../support/describe-rules.ts';
import {
  DEPLOYMENT,
  INIT,
  MAIN,
  NAMESPACE,
  POD,
  TEMPLATE,
} from '../../support/kubernetes-paths.ts';
import { all, type Change, drop, set } from '../../support/kubernetes-plants.ts';

const DIGEST = `@sha256:${'ab'.repeat(32)}`;
const main = (field: string, value: unknown): Change =>
  set(DEPLOYMENT, `${MAIN}.security_context.${field}`, value);
const init = (field: string, value: unknown): Change =>
  set(DEPLOYMENT, `${INIT}.security_context.${field}`, value);
const context = (field: string, value: unknown): Change =>
  set(DEPLOYMENT, `${POD}.security_context.${field}`, value);
const pod = (field: string, value: unknown): Change => set(DEPLOYMENT, `${POD}.${field}`, value);
const image = (value: string): Change => set(DEPLOYMENT, `${MAIN}.image`, value);
const label = (mode: string, value: string): Change =>
  set(NAMESPACE, ['metadata', 'labels', `pod-security.kubernetes.io/${mode}`], value);

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/listener';

function noNumber(field: string): Change {
  return all(
    drop(DEPLOYMENT, `${MAIN}.security_context.${field}`),
    drop(DEPLOYMENT, `${POD}.security_context.${field}`),
  );
}

/** The image comes by a variable, whose default is what counts. */
function imageVariable(json: Parameters<Change>[0]): void {
  const variables = json.variable as Record<string, Record<string, unknown>>;
  for (const variable of Object.values(variables)) {
    if (String(variable.default).includes('@sha256:')) variable.default = 'registry.example/x:1';
  }
}

describeRules(POD_SECURITY_RULES, {
  objects: {
    'container-is-not-root': [
      ['no word on root', drop(DEPLOYMENT, `${MAIN}.security_context.run_as_non_root`)],
      ['no word on root before', drop(DEPLOYMENT, `${INIT}.security_context.run_as_non_root`)],
      ['no context', drop(DEPLOYMENT, `${MAIN}.security_context`)],
      ['no context before', drop(DEPLOYMENT, `${INIT}.security_context`)],
      ['no context of the pod', drop(DEPLOYMENT, `${POD}.security_context`)],
      ['no word of the pod', context('run_as_non_root', false)],
      ['root', main('run_as_user', '0')],
      ['root before', init('run_as_user', '0')],
      ["root's group", main('run_as_group', '0')],
      ["root's files", context('fs_group', '0')],
      ['a group of root', context('supplemental_groups', ['0'])],
      ["a user of the node's", context('run_as_user', '1')],
      ['no user', noNumber('run_as_user')],
      ['no group', noNumber('run_as_group')],
    ],
    'container-files-are-read-only': [
      ['files that may be written', main('read_only_root_filesystem', false)],
      ['no word', drop(DEPLOYMENT, `${INIT}.security_context.read_only_root_filesystem`)],
    ],
    'container-has-a-temporary-folder': [
      ['no folder', drop(DEPLOYMENT, `${MAIN}.volume_mount.0`)],
      ['another folder', set(DEPLOYMENT, `${INIT}.volume_mount.0.mount_path`, '/temp')],
      ['a folder to read', set(DEPLOYMENT, `${MAIN}.volume_mount.0.read_only`, true)],
    ],
    'container-has-no-privileges': [
      ['a privileged container', main('privileged', true)],
      ['a privileged container before', init('privileged', true)],
      ['rights to gain', main('allow_privilege_escalation', true)],
      [
        'no word on rights to gain',
        drop(DEPLOYMENT, `${MAIN}.security_context.allow_privilege_escalation`),
      ],
      ['all capabilities', drop(DEPLOYMENT, `${INIT}.security_context.capabilities`)],
      ['most capabilities', main('capabilities', { drop: ['NET_RAW'] })],
      ['a capability', main('capabilities', { drop: ['ALL'], add: ['SYS_ADMIN'] })],
    ],
    'container-is-confined': [
      [
        'a profile that nobody puts on the nodes',
        main('seccomp_profile', { type: 'Localhost', localhost_profile: 'x.json' }),
      ],
      [
        'a pod by a profile that nobody puts on the nodes',
        context('seccomp_profile.type', 'Localhost'),
      ],

      ['an unconfined container', main('seccomp_profile.type', 'Unconfined')],
      ['an unconfined pod', context('seccomp_profile.type', 'Unconfined')],
      [
        'no profile',
        all(
          drop(DEPLOYMENT, `${MAIN}.security_context.seccomp_profile`),
          drop(DEPLOYMENT, `${POD}.security_context.seccomp_profile`),
        ),
      ],
      [
        'an annotation',
        set(
          DEPLOYMENT,
          [...TEMPLATE.split('.'), 'metadata', 'annotations', APPARMOR],
          'unconfined',
        ),
      ],
    ],
    'pod-is-isolated-from-its-node': [
      ["the node's network", pod('host_network', true)],
      ["the node's processes", pod('host_pid', true)],
      ["the node's memory", pod('host_ipc', true)],
      ['processes of each other', pod('share_process_namespace', true)],
      [
        'a folder of the node',
        set(DEPLOYMENT, `${POD}.volume.0`, { name: 'host', host_path: { path: '/' } }),
      ],
      ['a port of the node', set(DEPLOYMENT, `${MAIN}.port.0.host_port`, 8080)],
      ['a setting of the kernel', context('sysctl', [{ name: 'kernel.msgmax', value: '1' }])],
    ],
    'namespace-enforces-restricted-pods': [
      ['baseline pods', label('enforce', 'baseline')],
      ['privileged pods', label('enforce', 'privileged')],
      [
        'a warning alone',
        drop(NAMESPACE, ['metadata', 'labels', 'pod-security.kubernetes.io/enforce']),
      ],
      ['no labels', set(NAMESPACE, 'metadata.labels', {})],
      ['old rules', label('enforce-version', 'v1.24')],
      ['a weak audit', label('audit', 'privileged')],
    ],
    'image-is-pinned': [
      [
        'an image of another repository than that of the stack',
        image(`123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/another${DIGEST}`),
      ],

      ['a tag', image('123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/listener:1.0')],
      ['the latest', image('123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/listener:latest')],
      ['no tag', image('123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/listener')],
      ['Docker Hub', image(`listener${DIGEST}`)],
      ['a user of Docker Hub', image(`someone/listener${DIGEST}`)],
      ['a public registry', image(`public.ecr.aws/x/listener${DIGEST}`)],
      [
        'another partition',
        image(`123456789012.dkr.ecr.us-east-1.amazonaws.com/listener${DIGEST}`),
      ],
      [
        'another region',
        image(`123456789012.dkr.ecr.us-gov-east-1.amazonaws.com/listener${DIGEST}`),
      ],
      ['no image', image('')],
      ['a variable with a tag', imageVariable],
      ['whatever is there', set(DEPLOYMENT, `${MAIN}.image_pull_policy`, 'Never')],
    ],
  },
});
