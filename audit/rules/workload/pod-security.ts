import { partitionOf } from '@file-processing/contract/partition.ts';
import { valueAt } from '../../../src/synthesized/model/model.ts';
import type { SecurityContext, Volume } from '../readers/kubernetes-api.ts';
import { environmentOf } from '../readers/listeners.ts';
import { allContainers, containersOf, objectsOf, podsOf } from '../readers/pods.ts';
import { neighbours } from '../readers/resources.ts';
import { type Rule, rule, shown } from '../rule.ts';
import api from './api-words.json' with { type: 'json' };

/** Below it are root and the users and groups that a node's own services have. */
const FIRST_USER = 1000;

const PUBLIC_REGISTRIES =
  /(^|\.)(docker\.io|docker\.com|quay\.io|ghcr\.io|gcr\.io|registry\.k8s\.io|mcr\.microsoft\.com|public\.ecr\.aws)$/;

/** Volumes that the Pod Security Standard `restricted` allows. */
const ALLOWED_VOLUMES: readonly string[] = api.restrictedVolumes;

function rootFaults(context: SecurityContext, whose: string): readonly string[] {
  const groups = context.supplementalGroups ?? [];
  const ids = [
    ['runAsUser', context.runAsUser],
    ['runAsGroup', context.runAsGroup],
    ['fsGroup', context.fsGroup],
    ...groups.map((group) => ['supplementalGroups', group] as const),
  ] as const;
  return ids
    .filter(([, id]) => id !== undefined && Number(id) < FIRST_USER)
    .map(
      ([name, id]) =>
        `${name}${whose} is ${id}, which is ${Number(id) === 0 ? 'root' : "the node's own"}`,
    );
}

function sourcesOf({ name, ...sources }: Volume): readonly string[] {
  return Object.entries(sources).flatMap(([source, value]) => (value === undefined ? [] : source));
}

function minorOf(version: unknown): number | undefined {
  const [, minor] = /^v?1\.(\d+)/.exec(String(version ?? '')) ?? [];
  return minor === undefined ? undefined : Number(minor);
}

/** Rules on what a pod may do to its node. */
export const POD_SECURITY_RULES: readonly Rule[] = [
  rule({
    id: 'container-is-not-root',
    subjects: allContainers,
    faults: ({ pod, spec }) => {
      const own = spec.securityContext ?? {};
      const shared = pod.spec.securityContext ?? {};
      return [
        own.runAsNonRoot !== true && `runAsNonRoot is ${shown(own.runAsNonRoot)}, must be true`,
        shared.runAsNonRoot !== true &&
          `runAsNonRoot of its pod is ${shown(shared.runAsNonRoot)}, must be true`,
        own.runAsUser === undefined &&
          shared.runAsUser === undefined &&
          'has no numeric runAsUser: the kubelet refuses an image whose user is a name',
        own.runAsGroup === undefined &&
          shared.runAsGroup === undefined &&
          'has no runAsGroup, so its group is root',
        ...rootFaults(own, ''),
        ...rootFaults(shared, ' of its pod'),
      ];
    },
  }),
  rule({
    id: 'container-files-are-read-only',
    subjects: allContainers,
    faults: ({ spec }) => [
      spec.securityContext?.readOnlyRootFilesystem !== true &&
        `readOnlyRootFilesystem is ${shown(spec.securityContext?.readOnlyRootFilesystem)}, must be true`,
    ],
  }),
  rule({
    id: 'container-has-a-temporary-folder',
    subjects: (audited) =>
      allContainers(audited).filter(({ spec }) => spec.securityContext?.readOnlyRootFilesystem),
    faults: (container, audited) => {
      const folder = environmentOf(audited, container).get('TMPDIR') ?? '/tmp';
      const writable = (container.spec.volumeMounts ?? []).some(
        ({ mountPath, readOnly }) => mountPath === folder && readOnly !== true,
      );
      return [!writable && `no volume that it may write to is mounted at ${String(folder)}`];
    },
  }),
  rule({
    id: 'container-has-no-privileges',
    subjects: allContainers,
    faults: ({ spec }) => {
      const { privileged, allowPrivilegeEscalation, capabilities, procMount } =
        spec.securityContext ?? {};
      const { drop = [], add = [] } = capabilities ?? {};
      return [
        privileged === true && 'is privileged',
        allowPrivilegeEscalation !== false &&
          `allowPrivilegeEscalation is ${shown(allowPrivilegeEscalation)}, must be false`,
        !drop.includes('ALL') && `drops ${shown(drop)}, must drop ALL capabilities`,
        add.length > 0 && `adds the capabilities ${add.join(', ')}`,
        ![undefined, 'Default'].includes(procMount) &&
          `procMount ${procMount} uncovers the node's /proc`,
      ];
    },
  }),
  rule({
    id: 'container-is-confined',
    subjects: allContainers,
    faults: ({ pod, spec }) => {
      const own = spec.securityContext ?? {};
      const shared = pod.spec.securityContext ?? {};
      const type = own.seccompProfile?.type ?? shared.seccompProfile?.type;
      const profiles = [own, shared].map(({ appArmorProfile }) => appArmorProfile?.type);
      const unconfined = Object.entries(pod.annotations).filter(
        ([key, value]) => /apparmor|seccomp/.test(key) && value === 'unconfined',
      );
      return [
        type !== 'RuntimeDefault' &&
          `its seccomp profile is ${shown(type)}, must be RuntimeDefault`,
        shared.seccompProfile !== undefined &&
          shared.seccompProfile.type !== 'RuntimeDefault' &&
          `the seccomp profile of its pod is ${shown(shared.seccompProfile?.type)}`,
        profiles.includes('Unconfined') && 'its AppArmor profile is Unconfined',
        ...unconfined.map(([key]) => `${key} is unconfined`),
      ];
    },
  }),
  rule({
    id: 'pod-is-isolated-from-its-node',
    subjects: podsOf,
    faults: (pod) => {
      const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, volumes = [] } = pod.spec;
      const context = pod.spec.securityContext;
      return [
        hostNetwork === true && "is on its node's network",
        hostPID === true && "sees its node's processes",
        hostIPC === true && "shares its node's memory",
        shareProcessNamespace === true && 'allows its containers to see each other',
        (context?.sysctls ?? []).length > 0 && 'changes kernel settings (sysctls)',
        context?.windowsOptions !== undefined && 'has windowsOptions',
        ...volumes.flatMap((volume) =>
          sourcesOf(volume)
            .filter((source) => !ALLOWED_VOLUMES.includes(source))
            .map((source) => `volume ${volume.name} is a ${source}, which \`restricted\` refuses`),
        ),
        ...containersOf(pod).flatMap(({ name, spec }) =>
          (spec.ports ?? [])
            .filter(({ hostPort }) => hostPort !== undefined && Number(hostPort) !== 0)
            .map(({ hostPort }) => `container ${name} takes port ${hostPort} of its node`),
        ),
      ];
    },
  }),
  rule({
    id: 'namespace-enforces-restricted-pods',
    subjects: (audited) => objectsOf(audited, 'Namespace'),
    faults: (object, { model }) => {
      const labels = object.manifest.metadata.labels ?? {};
      const prefix = 'pod-security.kubernetes.io';
      const [cluster] = neighbours(model, object, 'aws_eks_cluster');
      const current = minorOf(valueAt(cluster?.attributes, 'version'));
      return [
        labels[`${prefix}/enforce`] !== 'restricted' &&
          `${prefix}/enforce is ${shown(labels[`${prefix}/enforce`])}, must be restricted`,
        ...['audit', 'warn']
          .map((mode) => `${prefix}/${mode}`)
          .filter((key) => labels[key] !== undefined && labels[key] !== 'restricted')
          .map((key) => `${key} is ${shown(labels[key])}, weaker than restricted`),
        ...['enforce', 'audit', 'warn']
          .map(
            (mode) => [`${prefix}/${mode}-version`, labels[`${prefix}/${mode}-version`]] as const,
          )
          .filter(([, version = 'latest']) => version !== 'latest')
          .filter(([, version]) => (minorOf(version) ?? 0) < (current ?? 1))
          .map(
            ([key, version]) =>
              `${key} is ${shown(version)}: rules of another version than the cluster's`,
          ),
      ];
    },
  }),
  rule({
    id: 'image-is-pinned',
    subjects: allContainers,
    faults: ({ stack, spec }, { model }) => {
      const { region, resolve } = model.stackOf({ stack });
      const image = String(resolve(spec.image ?? ''));
      const [registry = ''] = image.includes('/') ? image.split('/') : [];
      const [, imageRegion] =
        /^\d+\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com/.exec(registry) ?? [];
      const repository = image.replace(/^[^/]*\//, '').replace(/[:@].*$/, '');
      const repositories = neighbours(model, { stack }, 'aws_ecr_repository').map(
        ({ attributes }) => String(resolve(attributes.name)),
      );
      const policy = spec.imagePullPolicy;
      return [
        !/@sha256:[0-9a-f]{64}$/.test(image) && `${image || 'no image'} is not named by its digest`,
        (!/[.:]/.test(registry) || PUBLIC_REGISTRIES.test(registry)) &&
          `${image} comes from a public registry`,
        imageRegion !== undefined &&
          partitionOf(imageRegion).name !== partitionOf(region).name &&
          `${image} is in another partition`,
        imageRegion !== undefined &&
          repositories.length > 0 &&
          !repositories.includes(repository) &&
          `${image} is not of the repository that the stack makes (${repositories.join(', ')})`,
        imageRegion !== undefined &&
          imageRegion !== region &&
          `${image} is in region ${imageRegion}, the stack in ${region}`,
        policy === 'Never' &&
          'imagePullPolicy Never runs whatever image is on the node, without checking the right to pull it',
      ];
    },
  }),
];
