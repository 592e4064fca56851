import { describe } from 'vitest';
import { REFERENCE_RULES } from '../../../../audit/rules/kubernetes/reference-rules.ts';
import {
  CONFIG_MAP,
  DEPLOYMENT,
  INGRESS,
  INIT,
  MAIN,
  POD,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
} from '../../support/kubernetes-paths.ts';
import {
  addObject,
  all,
  alter,
  type Change,
  describePlants,
  drop,
  remove,
  set,
} from '../../support/kubernetes-plants.ts';

const BACKEND = 'spec.rule.0.http.path.0.backend.service';

describe('The rules on references', () => {
  describePlants(REFERENCE_RULES, {
    'pod-data-exists': [
      ['another ConfigMap', set(DEPLOYMENT, `${MAIN}.env_from.0.config_map_ref.name`, 'nothing')],
      ['another ConfigMap before', set(DEPLOYMENT, `${INIT}.env_from.0.config_map_ref.name`, 'no')],
      ['no ConfigMap', remove(CONFIG_MAP)],
      ['a renamed ConfigMap', set(CONFIG_MAP, 'metadata.name', 'renamed')],
      ['another Secret', set(DEPLOYMENT, `${POD}.volume.1.secret.secret_name`, 'nothing')],
      ['a renamed Secret', set(SECRET, 'metadata.name', 'renamed')],
      ['a Secret of another namespace', set(SECRET, 'metadata.namespace', 'elsewhere')],
      [
        'an item of a key that is not there',
        set(DEPLOYMENT, `${POD}.volume.1.secret.items`, [{ key: 'NOTHING', path: 'password' }]),
      ],
      [
        'a variable from a key that is not there',
        environment({ config_map_key_ref: { name: 'nothing', key: 'NOTHING' } }),
      ],
      [
        'an optional ConfigMap',
        set(DEPLOYMENT, `${MAIN}.env_from.0.config_map_ref.optional`, true),
      ],
      ['an optional Secret', set(DEPLOYMENT, `${POD}.volume.1.secret.optional`, true)],
    ],
    'config-and-secrets-are-used': [
      [
        'a ConfigMap that no container takes',
        all(drop(DEPLOYMENT, `${MAIN}.env_from`), drop(DEPLOYMENT, `${INIT}.env_from`)),
      ],
      ['a Secret that no volume takes', drop(DEPLOYMENT, `${POD}.volume.1`)],
      ['another ServiceAccount', set(DEPLOYMENT, `${POD}.service_account_name`, 'nobody')],
      ['a second ConfigMap', addObject(CONFIG_MAP, 'left-over', { data: { A: 'b' } })],
    ],
    'service-account-exists': [
      ['no ServiceAccount', drop(DEPLOYMENT, `${POD}.service_account_name`)],
      ['the default one', set(DEPLOYMENT, `${POD}.service_account_name`, 'default')],
      ['one that is not there', set(DEPLOYMENT, `${POD}.service_account_name`, 'nobody')],
      ['a removed one', remove(SERVICE_ACCOUNT)],
      ['one of another namespace', set(SERVICE_ACCOUNT, 'metadata.namespace', 'elsewhere')],
    ],
    'service-port-reaches-container': [
      ['a name that no port has', set(SERVICE, 'spec.port.0.target_port', 'nothing')],
      ['a number that no port has', set(SERVICE, 'spec.port.0.target_port', '8081')],
      ['no target', drop(SERVICE, 'spec.port.0.target_port')],
      ['another name of the port', set(DEPLOYMENT, `${MAIN}.port.0.name`, 'other')],
      ['another protocol', set(SERVICE, 'spec.port.0.protocol', 'UDP')],
      ['no port', drop(SERVICE, 'spec.port')],
    ],
    'ingress-reaches-service': [
      ['another Service', set(INGRESS, `${BACKEND}.name`, 'nothing'), 'alb'],
      ['another name of the port', set(INGRESS, `${BACKEND}.port.name`, 'nothing'), 'alb'],
      ['another number of the port', set(INGRESS, `${BACKEND}.port`, { number: 8081 }), 'nginx'],
      ['a renamed Service', set(SERVICE, 'metadata.name', 'renamed'), 'nginx'],
      ['no Service', remove(SERVICE), 'alb'],
      ['no backend', drop(INGRESS, 'spec.rule'), 'alb'],
    ],
    'volumes-are-mounted': [
      ['a mount of nothing', set(DEPLOYMENT, `${MAIN}.volume_mount.0.name`, 'nothing')],
      ['a volume that is gone', drop(DEPLOYMENT, `${POD}.volume.0`)],
      [
        'a volume that nobody mounts',
        all(drop(DEPLOYMENT, `${MAIN}.volume_mount.1`), drop(DEPLOYMENT, `${INIT}.volume_mount.1`)),
      ],
      ['two mounts at one path', alter(DEPLOYMENT, `${MAIN}.volume_mount`, atOnePath)],
      ['two volumes of one name', alter(DEPLOYMENT, `${POD}.volume`, twice)],
    ],
  });
});

function environment(value_from: unknown): Change {
  return set(DEPLOYMENT, `${MAIN}.env`, [{ name: 'MAX_FAULTS', value_from }]);
}

function atOnePath(mounts: readonly object[]): unknown {
  return mounts.map((mount) => ({ ...mount, mount_path: '/tmp' }));
}

function twice(volumes: readonly object[]): unknown {
  return [...volumes, volumes[0]];
}
