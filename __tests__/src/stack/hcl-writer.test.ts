import { DataAwsVpcs } from '@cdktf/provider-aws/lib/data-aws-vpcs/index.js';
import { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { Testing } from 'cdktf';
import { describe, expect, test } from 'vitest';
import { AddressedStack } from '../../../src/stack/addressed-stack.ts';
import { blockPathsOf, hclText, templateText } from '../../../src/stack/hcl-writer.ts';

const noBlocks = () => false;

describe('a text', () => {
  test.each([
    ['one expression alone', '${var.image}', 'var.image'],
    ['an expression with braces inside', '${{ a = { b = 1 } }}', '{ a = { b = 1 } }'],
    ['an expression with a closing brace in a text', '${f("}")}', 'f("}")'],
    ['an expression with a quote in a text', '${f("\\"}", x)}', 'f("\\"}", x)'],
    ['an expression in a text in an expression', '${f("${g("}")}")}', 'f("${g("}")}")'],
    ['no expression', 'plain', '"plain"'],
    ['nothing', '', '""'],
    ['quotes, backslashes and line ends', 'a "b" \\ c\n', '"a \\"b\\" \\\\ c\\n"'],
    ['a backspace and a form feed, which HCL has no short escapes for', '\b\f', '"\\u0008\\u000c"'],
    ['quotes beside an expression', '{"arn":"${a["x"]}"}', '"{\\"arn\\":\\"${a["x"]}\\"}"'],
    ['two expressions', '${a}${b}', '"${a}${b}"'],
    ['an escaped expression', '$${a}', '"$${a}"'],
    ['an escaped directive', '%%{if}', '"%%{if}"'],
    ['a directive', '%{if a}"x"%{endif}', '"%{if a}\\"x\\"%{endif}"'],
    ['a dollar sign alone', '$5 {', '"$5 {"'],
  ])('with %s', (_, template, text) => {
    expect(templateText(template)).toBe(text);
  });

  test.each(['${a', '${f("x)}'])('whose expression has no end is refused: %s', (template) => {
    expect(() => templateText(template)).toThrow(/^The (expression|text) in .* has no end$/);
  });
});

describe('a configuration', () => {
  test('keeps an argument that is an object apart from a block', () => {
    const configuration = {
      resource: { a: { b: { tags: { Name: 'x' }, timeouts: { c: '1m' } } } },
    };
    expect(hclText(configuration, (path) => path === 'resource/a/b/timeouts')).toBe(
      'resource "a" "b" {\n  tags = {\n    "Name" = "x"\n  }\n  timeouts {\n    c = "1m"\n  }\n}\n',
    );
  });

  test('repeats a block for each item of its list', () => {
    const configuration = { data: { a: { b: { filter: [{ name: 'x' }, { name: 'y' }] } } } };
    expect(hclText(configuration, (path) => path === 'data/a/b/filter')).toBe(
      'data "a" "b" {\n  filter {\n    name = "x"\n  }\n  filter {\n    name = "y"\n  }\n}\n',
    );
  });

  test('writes references and types without quotes', () => {
    const resource = {
      depends_on: ['a.b', 'c.d'],
      lifecycle: { ignore_changes: ['replicas'] },
    };
    const configuration = {
      variable: { v: { type: 'list(string)' } },
      resource: { a: { b: resource } },
    };
    const text = hclText(configuration, noBlocks);
    expect(text).toContain('type = list(string)\n');
    expect(text).toContain('depends_on = [a.b, c.d]\n');
    expect(text).toContain('lifecycle {\n    ignore_changes = [replicas]\n  }');
  });

  test('keeps defaults that are empty, false or null', () => {
    const variable = { a: { default: '' }, b: { default: false }, c: { default: null } };
    const text = hclText({ variable }, noBlocks);
    expect(text).toContain('default = ""');
    expect(text).toContain('default = false');
    expect(text).toContain('default = null');
  });

  test('writes the backend and the version of Terraform', () => {
    const terraform = {
      backend: { s3: { bucket: 'b' } },
      required_providers: { aws: { source: 'hashicorp/aws' } },
      required_version: '>= 1.11.0',
    };
    expect(hclText({ terraform }, noBlocks)).toBe(
      'terraform {\n  backend "s3" {\n    bucket = "b"\n  }\n  required_providers {\n    aws = {\n' +
        '      "source" = "hashicorp/aws"\n    }\n  }\n  required_version = ">= 1.11.0"\n}\n',
    );
  });

  test('writes a check', () => {
    const check = { c: { assert: { condition: '${a.b.c == "1"}', error_message: 'Not 1.' } } };
    expect(hclText({ check }, noBlocks)).toBe(
      'check "c" {\n  assert {\n    condition = a.b.c == "1"\n    error_message = "Not 1."\n  }\n}\n',
    );
  });

  test('leaves comments out', () => {
    expect(hclText({ '//': { metadata: {} }, locals: { a: 1 } }, noBlocks)).toBe(
      'locals {\n  a = 1\n}\n',
    );
  });

  test('with a block that no stack of ours has is refused by its name', () => {
    expect(() => hclText({ module: {} }, noBlocks)).toThrow("module can't be written as HCL yet");
  });
});

const stack = new AddressedStack(Testing.app(), 'stack');

test('the blocks of a resource are found, and the blocks in them', () => {
  const cluster = new EksCluster(stack, 'this', {
    name: 'c',
    roleArn: 'r',
    tags: { Name: 'c' },
    encryptionConfig: { provider: { keyArn: 'k' }, resources: ['secrets'] },
    vpcConfig: { subnetIds: ['s'] },
  });
  const paths = blockPathsOf(cluster);
  expect(paths).toEqual(
    expect.arrayContaining([
      'resource/aws_eks_cluster/this/vpc_config',
      'resource/aws_eks_cluster/this/encryption_config',
      'resource/aws_eks_cluster/this/encryption_config/provider',
    ]),
  );
  expect(paths).not.toContain('resource/aws_eks_cluster/this/tags');
});

test('the blocks of a data source are found', () => {
  const vpcs = new DataAwsVpcs(stack, 'vpcs', { filter: [{ name: 'n', values: ['v'] }] });
  expect(blockPathsOf(vpcs)).toContain('data/aws_vpcs/vpcs/filter');
});

test('the blocks of a provider are found, whose marks are spelt otherwise', () => {
  const aws = new AwsProvider(stack, 'aws', { defaultTags: [{ tags: { a: 'b' } }] });
  expect(blockPathsOf(aws)).toContain('provider/aws/default_tags');
});
