import { flag, integer, text, textList } from '../variable.ts';

/** The nodes of the cluster. */
export const nodeVariables = {
  node_group_name: text({
    description: 'Name of the managed node group.',
    default: 'file-processing-nodes',
    example: 'file-processing-nodes',
    allowed: '1 to 63 letters, digits, hyphens and underscores, starting with a letter or digit',
    accepts: (value) => /^[A-Za-z0-9][\w-]{0,62}$/.test(value),
  }),
  node_instance_types: textList({
    description: 'Instance types of the nodes, in order of preference.',
    default: ['t3.medium'],
    example: ['m6i.large', 'm5.large'],
    allowed: 'a list of 1 to 20 instance types of x86-64, such as t3.medium',
    accepts: (types) => types.length >= 1 && types.length <= 20,
    acceptsItem: (value) => /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(value),
  }),
  node_min_size: integer(0, 450, {
    description: 'Fewest nodes.',
    default: 1,
    example: 2,
  }),
  node_desired_size: integer(0, 450, {
    description: 'Nodes at the first deploy; afterwards the number is left alone.',
    default: 2,
    example: 2,
  }),
  node_max_size: integer(1, 450, {
    description: 'Most nodes.',
    default: 3,
    example: 6,
  }),
  node_disk_size_gib: integer(20, 16384, {
    description: 'Size of the encrypted gp3 volume of a node.',
    unit: 'GiB',
    default: 50,
    example: 100,
  }),
  node_s3_access: flag({
    description:
      'Attaches AmazonS3FullAccess to the nodes, for debugging until the role of the ServiceAccount works. Turn it off again afterwards.',
    default: false,
    example: false,
    unwise: (on) =>
      on
        ? 'every pod on the nodes can read and write every bucket of the account; remove it once the role of the ServiceAccount is verified'
        : undefined,
  }),
};
